"""Hash-routed networks: batched routing against one sample at a time; milliseconds per 16 samples.

Training steps (classifier, backward pass and Adam included) and inference, of one seed; the plain form is
`benchmarks/naive_hrn.py`, its inference timed on some images. Both have been trained for some steps before, so that
bases are filled. Digits for Pairwise-MNIST (MNIST where it is at hand), smooth random colour images for SVHN and
CIFAR-100. `seeds` times as many samples are made by a step of several seeds; its `naive / batched` compares the cost
of one seed. "h_0 share" is what hashing the images themselves takes of that: nothing in it is trained, so that it could be
done once for a data set.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from benchmarks.naive_hrn import NaiveHRN
from benchmarks.timing import Setup, paired
from unforget import data
from unforget.data import images
from unforget.data.streams import Batch, Stream
from unforget.methods.base import Replicas, options
from unforget.methods.hrn.method import HRN, Options
from unforget.methods.hrn.scenarios import READINGS, SCENARIOS
from unforget.results.hrn.speed import smooth_colours

CASES = (("pairwise-mnist", "algorithm1", 3.0, 30.0), ("pairwise-mnist", "figure1", 3.0, 30.0),
         ("svhn-cifar", "algorithm1", 1.5, 9.0), ("svhn-cifar", "figure1", 1.5, 9.0))  # fmt: skip
"""Scenario, reading, and how many times faster training and inference shall be."""
WARM_UP, BATCH, IMAGES, LOOPED, TOGETHER = 50, 16, 1024, 8, 10


def measure(setup: Setup) -> list[dict]:
    rows = []
    for scenario, reading, train_goal, test_goal in CASES[:2] if setup.toy else CASES:
        stream = _stream(scenario, setup)
        one, several = (_learner(scenario, reading, stream, n, setup) for n in (1, 2 if setup.toy else TOGETHER))
        x = stream.stages[0].train.take(torch.arange(len(stream.stages[0].train), device=setup.device)[None]).x
        x, count = x[:, : 32 if setup.toy else IMAGES], len(several.seeds)
        names, plain = (scenario, stream.title, reading), NaiveHRN(one)
        plain.begin(0)
        took = paired({
            "naive": _naive(one, plain, setup), "batched": _step(one, setup), "together": _step(several, setup),
            "h_0": lambda: one.hash_input(x[:, :BATCH]),  # noqa: B023
        }, setup)  # fmt: skip
        rows.append(_row(*names, "training", 1, took["naive"], took["batched"], train_goal, took["h_0"]))
        rows.append(_row(*names, "training", count, took["naive"], took["together"] / count))
        took = paired({
            "naive": lambda: plain.features(x[0, :LOOPED]), "batched": lambda: one.features(x),  # noqa: B023
            "together": lambda: several.features(x), "h_0": lambda: one.hash_input(x),  # noqa: B023
        }, setup)  # fmt: skip
        naive, batched, together = took["naive"] / LOOPED, took["batched"] / x.shape[1], took["together"] / x.shape[1]
        rows.append(_row(*names, "inference", 1, BATCH * naive, BATCH * batched, test_goal, BATCH * took["h_0"] / x.shape[1]))
        rows.append(_row(*names, "inference", count, BATCH * naive, BATCH * together / count))
    return rows


def _row(scenario: str, title: str, reading: str, what: str, seeds: int, naive: float, batched: float,
         goal: float | None = None, h_0: float | None = None) -> dict:  # fmt: skip
    return {
        "scenario": scenario, "data": title, "reading": reading, "what": what, "seeds": seeds, "naive ms": naive,
        "batched ms a seed": batched, "samples/s": 1e3 * BATCH / batched, "naive / batched": naive / batched,
        "goal": goal, "met": "" if goal is None else "yes" if naive >= goal * batched else "NO",
        "h_0 share": None if h_0 is None else h_0 / batched,
    }  # fmt: skip


def _learner(scenario: str, reading: str, stream: Stream, seeds: int, setup: Setup) -> HRN:
    values = SCENARIOS[scenario] | READINGS[reading]
    one = HRN(stream, "CL1", options(Options, values, "hrn"), Replicas(tuple(range(seeds)), device=setup.device))
    step = _step(one, setup)
    for _ in range(2 if setup.toy else WARM_UP):
        step()
    return one


def _step(one: HRN, setup: Setup, train: Callable[[Batch, int], object] | None = None) -> Callable[[], None]:
    """A function that makes the next step of the first stage."""
    (phase,) = one.phases(0)
    step = 0

    def work() -> None:
        nonlocal step
        (train or phase.step)(phase.batches(step), step)
        step += 1

    return work


def _naive(one: HRN, plain: NaiveHRN, setup: Setup) -> Callable[[], None]:
    draws = one.phases(0)[0].step.args[1]
    _copy_bases(one, plain)
    return _step(one, setup, lambda batch, step: plain.step(batch.x[0], batch.y[0], draws, step))


def _copy_bases(one: HRN, plain: NaiveHRN) -> None:
    """Both start from the same state."""
    state = {name: value[0] for name, value in one.state.items()}
    for k, unit in enumerate(plain.units):
        n = int(state["held"][k])
        unit.basis, unit.low = list(state["V"][k, :n].clone()), state["low"][k, :n].tolist()
        unit.age, unit.alpha = int(state["age"][k]), one.options.alpha * one.options.rho ** int(state["replaced"][k])


def _stream(scenario: str, setup: Setup) -> Stream:
    if scenario == "pairwise-mnist":
        name = "mnist" if images.available("mnist") and not setup.toy else "digits"
        stream = data.build("split", image_set=name, classes=2, tasks=1)
        stages = tuple(replace(s, train=replace(s.train, prepare=_normalised)) for s in stream.stages)
        return replace(stream, stages=stages).to(setup.device)
    return smooth_colours().to(setup.device)


def _normalised(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (x.float() / 255 - 0.1307) / 0.3081
