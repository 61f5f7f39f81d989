"""The seam: learners of every kind the loop must carry go through it, its checkpoints and records, unchanged."""

import os
import random as dice
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch

from unforget import records
from unforget.checkpoint import Checkpoint
from unforget.data import KINDS
from unforget.errors import UnforgetError
from unforget.experiments import executor, work
from unforget.experiments.spec import completed
from unforget.loop import Control, Interrupted, Loop
from unforget.methods import METHODS

TOYS = {name: f"toys:{name}" for name in ("Unbroken", "Growing", "ThreePhases", "StopsEarly")}
ALL = [*TOYS, "ewc", "si", "lwf", "dgr", "dgr-distill", "scratch", "hnet", "hnet-joint", *tiny.OWN_CLASSIFIER]


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    for name, place in TOYS.items():
        monkeypatch.setitem(METHODS, name, place)
    for kind in ("stream", "features", "images", "unbroken", "many"):
        monkeypatch.setitem(KINDS, f"tiny {kind}", f"tiny:{kind}")


def job(method, seeds=(0, 1, 2), checkpoints=None, **changes):
    own = {} if method in TOYS else tiny.settings(method)
    kind = "images" if method in tiny.OWN_CLASSIFIER else "unbroken" if method == "Unbroken" else "stream"
    view = "own classifier" if method in tiny.OWN_CLASSIFIER else "CL1"
    return work.Job(
        {"run": f"tiny/{method}", "stream": {"kind": f"tiny {kind}"}, "method": method, "scenario": "CL1",
         "views": [view], "options": own | changes, "probes": []},
        tuple(seeds), checkpoints=checkpoints,
    )  # fmt: skip


@pytest.mark.parametrize("method", ALL)
def test_interrupted_anywhere_equals_uninterrupted_bit_for_bit(method, tmp_path):
    whole, learner, _ = work.train(job(method))
    for stop_after in (0, 1, 5, 6, 7, 14, 15, 17):
        calls = iter(range(10_000))
        one = job(method, checkpoints=tmp_path / str(stop_after))
        with pytest.raises(Interrupted):
            work.train(one, Control(stop=lambda: next(calls) >= stop_after, interval=0))  # noqa: B023
        resumed, again, _ = work.train(one)
        assert records.without_run(resumed) == records.without_run(whole)
        assert learner.state.keys() == again.state.keys()
        assert all(torch.equal(learner.state[name], again.state[name]) for name in learner.state)


@pytest.mark.parametrize("method", ALL)
def test_stopped_over_and_over_still_ends_the_same(method, tmp_path):
    whole, *_ = work.train(job(method))
    one = job(method, checkpoints=tmp_path)
    for _ in range(200):
        calls = iter(range(10_000))
        try:
            record, *_ = work.train(one, Control(stop=lambda: next(calls) >= 3, interval=0))  # noqa: B023
            break
        except Interrupted:
            continue
    assert records.without_run(record) == records.without_run(whole)


@pytest.mark.parametrize("method", TOYS)
def test_groups_of_seeds_stopped_and_resumed_are_one_record_on_disk(method, tmp_path, monkeypatch):
    """By the path of every run: the executor saves, loads and pools what the loop measured."""
    kind = "unbroken" if method == "Unbroken" else "features"
    config = completed(job(method).config | {"stream": {"kind": f"tiny {kind}"}})
    groups = [work.Job(config, seeds, checkpoints=tmp_path / "checkpoints") for seeds in ((0, 2), (1,))]
    calls = count()

    def interrupt(done, where):
        if next(calls) == 7:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(executor, "Control", partial(Control, interval=0))
        stopped = executor.execute(groups, results=tmp_path / "results", report=interrupt)
    assert stopped.interrupted and stopped.unfinished == tuple(groups) and not stopped.written
    [saved] = (tmp_path / "checkpoints").iterdir()
    assert Checkpoint(saved).load(torch.device("cpu"))["position"]["done"] > 0
    [path] = executor.execute(groups, results=tmp_path / "results").written
    assert list(tmp_path.rglob("*.checkpoint")) == []
    whole, *_ = work.train(work.Job(config, (0, 1, 2)))
    pooled = records.load(path)
    assert [block["replicas"] for block in pooled["run"]] == [[[0], [2]], [[1]]]
    for part in ("config", "tests", "checksums", "replicas"):
        assert pooled[part] == whole[part]


@pytest.mark.parametrize("method", ALL)
def test_seeds_together_equal_one_alone_through_the_loop(method):
    together, *_ = work.train(job(method))
    alone, *_ = work.train(job(method, seeds=(1,)))
    assert together["replicas"][1] == alone["replicas"][0]


def test_the_same_run_twice_gives_the_same_record():
    first, second = (work.train(job("hnet"))[0] for _ in range(2))
    assert records.without_run(first) == records.without_run(second)


def test_replicas_that_stop_early_stop_at_their_own_step():
    _, learner, _ = work.train(job("StopsEarly"))
    assert learner.state["adam.t"].tolist() == [12, 21, 30]


def test_scores_have_their_place():
    record, *_ = work.train(job("Growing"))
    accuracy = records.scores(record, "CL1")
    assert accuracy.shape == (3, 3, 3)
    after, on = np.nonzero(~np.isnan(accuracy[0]))
    assert set(zip(after.tolist(), on.tolist(), strict=True)) == {(i, j) for i in range(3) for j in range(i + 1)}
    unbroken = records.scores(work.train(job("Unbroken"))[0], "CL1")
    assert unbroken.shape == (3, 1, 3) and not np.isnan(unbroken).any()


def test_many_tasks_keep_the_during_and_final_rows_only():
    one = job("ewc", seeds=(0,), iterations=1)
    accuracy = records.scores(work.train(work.Job(one.config | {"stream": {"kind": "tiny many"}}, (0,)))[0], "CL1")[0]
    assert np.array_equal(~np.isnan(accuracy), np.eye(12, dtype=bool) | (np.arange(12) == 11)[:, None])


def test_progress_is_reported_up_to_its_end():
    told = []
    learner, data = tiny.learner("si")
    Loop(learner, data, ["CL1"], control=Control(report=lambda *what: told.append(what), interval=0)).run()
    done = [d for d, _, _ in told]
    assert done == sorted(done) and told[-1][:2] == (18, 18) and told[0][2] == "task 1, classifier"


KILLED = """
import sys; sys.path[:0] = sys.argv[1:3]
import tiny, pathlib
from unforget.data import KINDS
from unforget.experiments import work
from unforget.loop import Control
KINDS["tiny stream"] = "tiny:stream"
import test_loop
work.train(test_loop.job("hnet", checkpoints=pathlib.Path(sys.argv[3]), iterations=400),
           Control(checkpoint_seconds=0.0, interval=0.0))
"""


def test_killed_at_a_random_moment_and_resumed_equals_uninterrupted(tmp_path):
    one = job("hnet", checkpoints=tmp_path, iterations=400)
    here = Path(__file__).parent
    command = [sys.executable, "-c", KILLED, str(here), str(here.parent / "src"), str(tmp_path)]
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    file = tmp_path / f"{one.name}.checkpoint"
    while not file.exists():
        assert process.poll() is None, "the run ended before its first checkpoint"
        time.sleep(0.01)
    time.sleep(dice.uniform(0, 1))
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run ended before it was killed"
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert Checkpoint(file).load(torch.device("cpu"))["position"]["done"] > 0
    resumed, *_ = work.train(one)
    whole, *_ = work.train(job("hnet", iterations=400))
    torch.set_num_threads(before)
    assert records.without_run(resumed) == records.without_run(whole)


class TestCheckpoint:
    cpu = torch.device("cpu")

    def test_a_truncated_one_is_detected_and_the_previous_one_used(self, tmp_path):
        checkpoint = Checkpoint(tmp_path / "run")
        for step in (1, 2):
            checkpoint.save({"step": step, "x": torch.ones(step)})
        assert checkpoint.load(self.cpu)["step"] == 2
        checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-7])
        assert checkpoint.load(self.cpu)["step"] == 1
        checkpoint.previous.write_bytes(b"unforget checkpoint 1\n")
        with pytest.raises(UnforgetError, match="run is damaged; delete it"):
            checkpoint.load(self.cpu)

    def test_one_flipped_byte_is_detected(self, tmp_path):
        checkpoint = Checkpoint(tmp_path / "run")
        checkpoint.save({"x": torch.ones(100)})
        data = bytearray(checkpoint.path.read_bytes())
        data[len(data) // 2] ^= 1
        checkpoint.path.write_bytes(bytes(data))
        with pytest.raises(UnforgetError, match="damaged"):
            checkpoint.load(self.cpu)

    def test_a_full_disk_leaves_the_last_one(self, tmp_path, monkeypatch):
        checkpoint = Checkpoint(tmp_path / "run")
        checkpoint.save({"step": 1})

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UnforgetError, match="No space left on device; the last one is kept"):
            checkpoint.save({"step": 2})
        assert checkpoint.load(self.cpu)["step"] == 1 and len(list(tmp_path.iterdir())) == 1
