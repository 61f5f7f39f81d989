"""Trains what is asked for and not yet recorded: in this process, a pool of one-thread processes, or a Dask cluster.

All three run the same function on the same jobs. A record is written as soon as its job ends; a job that is stopped or
killed leaves its checkpoint and goes on from there next time.
"""

import json
import signal
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from unforget import runtime
from unforget.errors import UnforgetError
from unforget.experiments import catalogue, work
from unforget.experiments.spec import Experiment, Run, completed, replicas
from unforget.experiments.work import Job
from unforget.loop import Control, Interrupted
from unforget.results import records

RESULTS = Path("data/results")
CHECKPOINTS = Path("data/checkpoints")


@dataclass(frozen=True)
class Outcome:
    """What an execution did: paths of records written, and jobs that were stopped with their checkpoints saved."""

    written: tuple[Path, ...]
    unfinished: tuple[Job, ...]


def plan(
    experiment: Experiment,
    runs: Sequence[Run],
    profile: str,
    seeds: Sequence[int] | None = None,
    device: str = "auto",
    changes: Mapping[str, Any] | None = None,
    group: int | None = None,
    again: bool = False,
    results: Path = RESULTS,
) -> list[Job]:
    """Jobs for the replicas that are not recorded yet (all of them with `again`), `group` replicas to a job.

    On CUDA all replicas of a run train together by default; on a CPU the experiment says how many.
    """
    on = runtime.device(device)
    seeds = tuple(experiment.profile(profile).seeds if seeds is None else seeds)
    jobs = []
    for run in runs:
        config = experiment.resolve(run, profile, changes)
        wanted = replicas(seeds, run.scan)
        path = records.path_of(results, config, catalogue.label(config))
        done = set() if again or not path.exists() else {records.key(r) for r in records.load(path)["replicas"]}
        todo = [replica for replica in wanted if records.key(replica) not in done]
        size = group or (len(wanted) if on.type == "cuda" else experiment.cpu_group)
        jobs += [_job(config, todo[i : i + size], str(on)) for i in range(0, len(todo), size)]
    return jobs


def _job(config: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]], device: str) -> Job:
    scan = {name: tuple(replica["scan"][name] for replica in wanted) for name in wanted[0]["scan"]}
    return Job(config, tuple(replica["seed"] for replica in wanted), scan, device, CHECKPOINTS)


def without_checkpoint(job: Job) -> Job:
    """The same work, leaving nothing on disk: for runs of seconds whose result is only shown."""
    return replace(job, checkpoints=None)


def execute(
    jobs: Sequence[Job],
    workers: int = 1,
    scheduler: str | None = None,
    budget: float | None = None,
    results: Path = RESULTS,
    report: Callable[[float, str], None] = lambda done, where: None,
) -> Outcome:
    """Train all jobs. `report(jobs done, as a fraction of one with parts, where)` is called about twice a second.

    Stops cleanly, everything saved, on Ctrl-C or after `budget` seconds.
    """
    deadline = None if budget is None else time.time() + budget
    written: list[Path] = []
    unfinished: list[Job] = []

    def keep(job: Job, record: records.Record | None) -> None:
        if record is None:
            unfinished.append(job)
            return
        path = records.path_of(results, job.config, catalogue.label(job.config))
        records.save(path, record, completed)
        work.forget_checkpoint(job)
        written.append(path)

    with tempfile.TemporaryDirectory(prefix="unforget-") as folder, _stop_on_interrupt(Path(folder) / "stop") as stop:
        if workers == 1 and scheduler is None:
            for number, job in enumerate(jobs):
                control = Control(
                    lambda: _stopped(stop, deadline), lambda done, total, where, n=number: report(n + done / total, where)
                )
                keep(job, _unit(job, control))
        else:
            with _executor(workers, scheduler) as executor:
                _spread(executor, jobs, keep, stop, deadline, report)
    return Outcome(tuple(dict.fromkeys(written)), tuple(unfinished))


def _spread(executor: Executor, jobs: Sequence[Job], keep, stop: Path, deadline: float | None, report) -> None:
    """Submit all jobs, collect them as they end, and pass on how far the running ones are."""
    progress = {job.name: stop.parent / f"{job.name}.progress" for job in jobs}
    futures: dict[Future, Job] = {
        executor.submit(_remote, job, str(stop), deadline, str(progress[job.name])): job for job in jobs
    }
    waiting, ended = set(futures), 0
    failures: list[BaseException] = []
    try:
        while waiting:
            done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                ended += 1
                if error := future.exception():
                    failures.append(error)
                else:
                    keep(futures[future], future.result())
            parts = [_read_progress(progress[futures[future].name]) for future in waiting]
            report(ended + sum(part for part, _ in parts), ", ".join(where for part, where in parts if where))
    finally:
        for future in waiting:
            future.cancel()
    if any(isinstance(error, BrokenProcessPool) for error in failures):
        raise UnforgetError(
            "a worker process died (killed, or out of memory); what was finished is recorded, run again to resume"
        )
    if failures:
        raise failures[0]


def _unit(job: Job, control: Control) -> records.Record | None:
    """Train one job in this process; None where it was stopped."""
    runtime.settle()
    if control.stop():
        return None
    try:
        return work.train(job, control)[0]
    except Interrupted:
        return None


def _remote(job: Job, stop: str, deadline: float | None, progress: str) -> records.Record | None:
    """`_unit` for another process: it is told to stop by a file and tells its progress in one."""
    path = Path(progress)

    def report(done: int, total: int, where: str) -> None:
        if path.parent.exists():  # a machine that does not share this folder reports nothing
            part = path.with_suffix(".part")
            part.write_text(json.dumps([done / total, f"{job.config['run']}: {where}"]))
            part.replace(path)

    return _unit(job, Control(lambda: _stopped(Path(stop), deadline), report))


def _read_progress(path: Path) -> tuple[float, str]:
    try:
        done, where = json.loads(path.read_text())
        return done, where
    except (OSError, ValueError):
        return 0.0, ""


def _stopped(stop: Path, deadline: float | None) -> bool:
    return stop.exists() or (deadline is not None and time.time() > deadline)


@contextmanager
def _stop_on_interrupt(stop: Path):
    """Turn Ctrl-C into a request to stop: the file `stop` appears, and running jobs save themselves."""
    try:
        before = signal.signal(signal.SIGINT, lambda number, frame: stop.touch())
    except ValueError:  # not in the main thread: whoever called keeps the signal
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _executor(workers: int, scheduler: str | None):
    if scheduler is None:
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_ignore_interrupt) as executor:
            yield executor
        return
    try:
        from distributed import Client
    except ImportError:
        raise UnforgetError("--scheduler needs Dask: pip install 'unforget[cluster]'") from None
    try:
        client = Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise UnforgetError(f"no Dask scheduler answers at {scheduler!r} ({error})") from None
    with client, client.get_executor(pure=False) as executor:
        yield executor


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
