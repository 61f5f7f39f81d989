"""Wherever jobs run, and however they are stopped or killed, the records are the same."""

import multiprocessing
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_project import invoke, make_project, project  # noqa: F401

from unforget import loop, records, runtime
from unforget.errors import UnforgetError
from unforget.experiments import catalogue, dispatch, executor, work
from unforget.experiments.hnet import toy_regression

SHORT = {"iterations": 10}
LONG = {"iterations": 400}  # seconds: long enough to be caught in the middle
SOURCE = Path(__file__).parents[1] / "src"


@pytest.fixture(autouse=True)
def one_project(project):  # noqa: F811
    return project


def jobs(changes, runs=("hnet",), seeds=(0, 1), group=1):
    return executor.plan(
        toy_regression, [toy_regression.run(run) for run in runs], "smoke", seeds, "cpu", changes, group
    )


def execute(todo, **how):
    return executor.execute(todo, **how)


def recorded():
    """What all records of the project hold outside their run blocks, by path."""
    folder = records.results_folder()
    found = {str(path.relative_to(folder)): records.load(path) for path in sorted(folder.glob("**/*.json"))}
    for record in found.values():
        once = sorted(key for block in record["run"] for key in block["replicas"])
        assert once == [[replica["seed"]] for replica in record["replicas"]], "a replica was lost or counted twice"
    return {path: records.without_run(record) for path, record in found.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The records of `mixed()`, trained undisturbed in this process, in a project of their own."""
    folder = make_project(tmp_path_factory.mktemp("undisturbed"))
    here = Path.cwd()
    os.chdir(folder)
    try:
        execute(mixed())
        return recorded()
    finally:
        os.chdir(here)


def longer(whole):
    """Those of the long jobs alone."""
    config = toy_regression.resolve(toy_regression.run("hnet"), "smoke", LONG)
    path = str(executor.record_path(config, Path()))
    return {path: whole[path]}


def left_checkpoints():
    return sorted(executor.checkpoint_folder().glob("*.checkpoint"))


def mixed():
    """Two quick jobs and two that last."""
    return [*jobs(SHORT, seeds=(0, 1)), *jobs(LONG, seeds=(0, 1))]


class Killer:
    """A report that kills a process once, as soon as a record is there while others are still at work."""

    def __init__(self, victim):
        self.victim, self.killed = victim, False

    def __call__(self, done, where):
        if not self.killed and "task" in where and any(records.results_folder().glob("**/*.json")):
            os.kill(self.victim(), signal.SIGKILL)
            self.killed = True


def test_where_records_and_checkpoints_lie_is_decided_when_they_are_used(one_project, monkeypatch):
    assert jobs(SHORT)[0].checkpoints == one_project / "data" / "checkpoints"
    assert records.results_folder() == one_project / "data" / "results"
    monkeypatch.chdir(one_project / "src")
    assert records.results_folder() == one_project / "data" / "results"


def test_recorded_seeds_are_skipped_and_trained_again_only_if_asked():
    execute(jobs(SHORT, seeds=(1,)))
    assert [job.seeds for job in jobs(SHORT, seeds=(0, 1, 2))] == [(0,), (2,)]
    one = toy_regression.run("hnet")
    again = executor.plan(toy_regression, [one], "smoke", (0, 1, 2), "cpu", SHORT, 2, again=True)
    assert [job.seeds for job in again] == [(0, 1), (2,)]
    execute(jobs(SHORT, seeds=(0, 1, 2), group=2))
    assert [len(record["replicas"]) for record in recorded().values()] == [3]


def test_a_record_of_another_configuration_stops_the_plan_before_anything_is_trained():
    [path] = execute(jobs(SHORT, seeds=(0,))).written
    other = executor.record_path(jobs({"iterations": 11})[0].config)
    path.rename(other)
    with pytest.raises(UnforgetError, match="another configuration"):
        jobs({"iterations": 11})


def test_a_group_on_cuda_is_all_seeds_and_on_a_cpu_what_the_experiment_says(monkeypatch):
    split = catalogue.experiment("hnet/split-mnist")
    monkeypatch.setattr(runtime, "device", lambda name: name)
    for device, sizes in (("cpu", [1] * 5), ("cuda", [5]), ("cuda:1", [5])):
        planned = executor.plan(split, [split.run("hnet")], "paper", range(5), device)
        assert [len(job.seeds) for job in planned] == sizes


def test_seeds_with_streams_of_their_own_train_one_by_one(monkeypatch):
    dealt = catalogue.experiment("hnet/split-mnist-dealt")
    with monkeypatch.context() as patched:
        patched.setattr(runtime, "device", lambda name: name)
        planned = executor.plan(dealt, [dealt.run("lwf-cl1")], "smoke", (0, 1), "cuda", group=2)
    assert [job.seeds for job in planned] == [(0,), (1,)]
    with pytest.raises(ValueError, match="cannot train together"):
        replace(planned[0], seeds=(0, 1))
    execute(planned := executor.plan(dealt, [dealt.run("lwf-cl1")], "smoke", (0, 1), "cpu"))
    (record,) = recorded().values()
    assert [replica["seed"] for replica in record["replicas"]] == [0, 1]
    first, second = (work.build(job)[1].tests[0].x for job in planned)
    assert not torch.equal(first, second)


def test_a_pool_of_two_leaves_the_records_of_one_process_even_if_a_worker_is_killed(whole):
    killer = Killer(lambda: multiprocessing.active_children()[0].pid)
    with pytest.raises(UnforgetError, match="a worker process died"):
        execute(mixed(), workers=2, report=killer)
    assert killer.killed
    finished = recorded()
    assert finished and finished != whole  # what was finished is there
    assert not execute(mixed(), workers=2).unfinished
    assert recorded() == whole and not left_checkpoints()


def test_an_error_in_one_job_lets_the_others_save_themselves(monkeypatch):
    """The thread pool stands for any executor: a damaged checkpoint fails one job, the other stops."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import contextmanager

    @contextmanager
    def threads(workers, scheduler):
        with ThreadPoolExecutor(workers) as pool:
            yield pool, None

    monkeypatch.setattr(dispatch, "executor", threads)
    todo = jobs({"iterations": 100_000})
    bad = todo[0].checkpoints / f"{todo[0].name}.checkpoint"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"rubbish")
    started = time.monotonic()
    with pytest.raises(UnforgetError, match="damaged; delete it"):
        execute(todo, workers=2)
    assert bad.read_bytes() == b"rubbish" and not recorded()
    assert time.monotonic() - started < 30


def test_ctrl_c_once_saves_and_twice_gives_up_at_once(whole):
    def interrupt(done, where):
        signal.raise_signal(signal.SIGINT)

    todo = jobs(LONG)
    before = signal.getsignal(signal.SIGINT)
    outcome = execute(todo, report=interrupt)
    assert outcome.interrupted and outcome.unfinished == tuple(todo) and not outcome.written
    assert left_checkpoints() and signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        execute(todo, report=lambda done, where: (interrupt(0, ""), interrupt(0, "")))
    assert signal.getsignal(signal.SIGINT) is before
    assert not execute(todo).unfinished
    assert recorded() == longer(whole)


def test_a_run_stopped_by_its_budget_goes_on_with_the_command_it_prints(whole):
    stopped = invoke("run", "hnet/toy-regression/hnet", "--seeds", "0-1", "--set", "iterations=400", "--group", 1,
                     "--budget", "0.3s")  # fmt: skip
    assert stopped.exit_code == 0, stopped.stderr
    assert "the budget of 0.3s is used up: 0 of 2 replicas recorded" in stopped.stdout and not recorded()
    [checkpoint] = left_checkpoints()
    command = shlex.split(stopped.stdout.splitlines()[-1])
    assert command[:2] == ["unforget", "run"]
    command[command.index("--budget") + 1] = "1h"
    resumed = invoke(*command[1:])
    assert resumed.exit_code == 0 and "go on" not in resumed.stdout and not checkpoint.exists()
    assert recorded() == longer(whole)
    third = invoke(*command[1:])
    assert third.exit_code == 0 and "2 of 2 replicas already recorded and skipped" in third.stdout


def test_again_goes_on_where_it_was_stopped(monkeypatch):
    """With --again the printed command names what is left: finished groups are not trained a third time."""
    base = ["run", "hnet/toy-regression/hnet", "--seeds", "0-2", "--set", "iterations=10", "--group", "1"]
    assert invoke(*base).exit_code == 0
    unit, calls = dispatch.unit, []

    def second_job_is_stopped(job, control):
        calls.append(job.seeds)
        return unit(job, control if len(calls) == 1 else loop.Control(stop=lambda: True))

    monkeypatch.setattr(dispatch, "unit", second_job_is_stopped)
    stopped = invoke(*base, "--again", "--budget", "1h")
    assert calls == [(0,), (1,), (2,)]
    command = stopped.stdout.splitlines()[-1]
    assert "--seeds 1-2" in command and "--group 1" in command and command.endswith("--again")


def start(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "unforget", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=os.environ | {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip


def until(true, process, seconds=60):
    limit = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, f"ended too early: {process.communicate()}"
        assert time.monotonic() < limit, "nothing happened"
        time.sleep(0.05)


def test_ctrl_c_on_two_workers_saves_and_the_command_it_prints_ends_with_the_same_record(whole):
    process = start("run", "hnet/toy-regression/hnet", "--seeds", "0-1", "--group", 1, "--workers", 2,
                    "--set", "iterations=400")  # fmt: skip
    until(left_checkpoints, process)  # the first task of one of them is done
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the command and its workers
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err, err
    assert re.search(r"interrupted: [01] of 2 replicas recorded", out)
    command = shlex.split(out.splitlines()[-1])
    command[command.index("--workers") + 1] = "1"
    assert invoke(*command[1:]).exit_code == 0
    assert recorded() == longer(whole)


def test_workers_end_with_their_parent():
    psutil = pytest.importorskip("psutil")
    process = start("run", "hnet/toy-regression/hnet", "--seeds", "0-1", "--group", 1, "--workers", 2,
                    "--set", "iterations=100000")  # fmt: skip

    def workers():
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    until(lambda: len(workers()) == 2, process)
    found = workers()
    process.kill()
    process.communicate()
    assert not psutil.wait_procs(found, timeout=30)[1]


def test_a_scheduler_that_goes_away_is_named(monkeypatch):
    """A future that the lost cluster cancels, and an event that can no longer be set."""
    from concurrent.futures import Future
    from contextlib import contextmanager

    class Pool:
        def submit(self, *words):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    class Event:
        name = "event"

        def set(self):
            raise OSError("timed out")

    @contextmanager
    def lost(workers, scheduler):
        yield Pool(), Event()

    monkeypatch.setattr(dispatch, "executor", lost)
    with pytest.raises(UnforgetError, match="the Dask scheduler went away"):
        execute(jobs(SHORT), scheduler="tcp://gone:1")


def test_a_dask_cluster_that_loses_a_worker_midway_leaves_the_same_records(whole, tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50,
        local_directory=str(tmp_path / "dask"),
    ) as cluster:  # fmt: skip
        killer = Killer(lambda: cluster.workers[0].pid)
        outcome = execute(mixed(), scheduler=cluster.scheduler_address, report=killer)
        assert killer.killed and not outcome.unfinished
        assert recorded() == whole and not left_checkpoints()
        # A machine that sees nothing of this folder is told by an event.
        with distributed.Client(cluster.scheduler_address) as client:
            stop = dispatch.Stop(Path("no such folder/stop"), None, "unforget-stop-test")
            assert client.submit(stop, pure=False).result(timeout=30) is False
            distributed.Event("unforget-stop-test").set()
            assert client.submit(stop, pure=False).result(timeout=30) is True
