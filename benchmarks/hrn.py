"""Hash-routed networks: batched routing against one sample at a time; milliseconds per 16 samples.

Training steps (classifier, backward pass and Adam included) and inference, of one seed; the plain form is
`benchmarks/naive_hrn.py`, its inference timed on some images. Both have been trained for some steps before, so that
bases are filled. Digits for Pairwise-MNIST (MNIST where it is at hand), smooth random colour images for SVHN and
CIFAR-100. `seeds` times as many samples are made by a step of several seeds; its `naive / batched` compares the cost
of one seed. "h_0 share" is what hashing the images themselves takes of that: nothing in it is trained, so that it could be
done once for a data set.

Below stand VC, EWC and ELL with the networks of SVHN and CIFAR-100, one seed, on the first task, where nothing is protected
yet; "HRN / this" is HRN's time for a sample (Algorithm 1, one seed, same turns) over theirs, to be compared with ICLR
Table 14. ELL's autoencoder, used from the second task on, has 180 million weights: its stabilisation is measured with
few codes, or as published with `--full`.

On CUDA the goal is `CUDA_GOAL` training samples a second with the units of SVHN, for the better of one and several seeds; the
factors are goals of a CPU. A captured step is not used for HRN, since which unit a sample goes through, and with it the shape
of every operation after that, is chosen on the host in the middle of the step.
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
from unforget.results.hrn.speed import OTHERS, next_steps, other, predictions, smooth_colours

CASES = (("pairwise-mnist", "algorithm1", 3.0, 30.0), ("pairwise-mnist", "figure1", 3.0, 30.0),
         ("svhn-cifar", "algorithm1", 1.5, 9.0), ("svhn-cifar", "figure1", 1.5, 9.0))  # fmt: skip
"""Scenario, reading, and how many times faster training and inference shall be on a CPU."""
CUDA_GOAL = 10_900.0
"""Training samples a second on a graphics card: 100 times what ICLR Table 14 implies for SVHN."""
WARM_UP, BATCH, IMAGES, LOOPED, TOGETHER = 50, 16, 1024, 8, 10
FEW_CODES = 28
TINY = {"filters": (3, 4), "hidden": (6, 5)}
"""What toy sizes change of the other methods."""


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
        on_cpu = setup.device.type == "cpu"
        trained = [_row(*names, "training", 1, took["naive"], took["batched"], train_goal if on_cpu else None, took["h_0"]),
                   _row(*names, "training", count, took["naive"], took["together"] / count)]  # fmt: skip
        rows += trained if on_cpu or scenario != "svhn-cifar" else with_cuda_goal(trained)
        took = paired({
            "naive": lambda: plain.features(x[0, :LOOPED]), "batched": lambda: one.features(x),  # noqa: B023
            "together": lambda: several.features(x), "h_0": lambda: one.hash_input(x),  # noqa: B023
        }, setup)  # fmt: skip
        naive, batched, together = took["naive"] / LOOPED, took["batched"] / x.shape[1], took["together"] / x.shape[1]
        h_0, goal = BATCH * took["h_0"] / x.shape[1], test_goal if on_cpu else None
        rows.append(_row(*names, "inference", 1, BATCH * naive, BATCH * batched, goal, h_0))
        rows.append(_row(*names, "inference", count, BATCH * naive, BATCH * together / count))
    return rows + _other_methods(setup)


def with_cuda_goal(rows: list[dict]) -> list[dict]:
    """The rows of one and of several seeds, judged by the better one."""
    met = "yes" if max(row["samples/s"] for row in rows) >= CUDA_GOAL else "NO"
    return [row | {"goal samples/s": CUDA_GOAL, "met": met} for row in rows]


def _other_methods(setup: Setup) -> list[dict]:
    """Rows of VC, EWC and ELL, HRN taking turns with them."""
    stream, changes = smooth_colours().to(setup.device), TINY if setup.toy else {}
    codes = {} if setup.full else {"codes": FEW_CODES}
    learners = {name: other(name, stream, setup.device, **changes | (codes if name == "ELL" else {})) for name in OTHERS}
    learners["HRN"] = _learner("svhn-cifar", "algorithm1", stream, 1, setup)
    warm_up = 1 if setup.toy else 3
    train = {name: next_steps(one.phases(0)[0], warm_up, 1) for name, one in learners.items()}
    x = stream.stages[0].train.take(torch.arange(32 if setup.toy else IMAGES, device=setup.device)[None]).x
    predict = {name: predictions(one, x) for name, one in learners.items()}
    rows = []
    for what, candidates in (("training", train), ("inference", predict)):
        took = paired(candidates, setup)
        a_batch = {name: ms * BATCH / (learners[name].options.batch if what == "training" else x.shape[1])
                   for name, ms in took.items()}  # fmt: skip
        rows += [_of_method(name, stream.title, what, a_batch[name], a_batch["HRN"]) for name in OTHERS]
    ell = learners["ELL"]
    took = paired({"ELL": next_steps(ell.phases(0)[1], warm_up, 1)}, setup)
    what = f"stabilisation with {ell.options.codes} codes"
    return [*rows, _of_method("ELL", stream.title, what, took["ELL"] * BATCH / ell.options.batch)]


def _of_method(method: str, title: str, what: str, ms: float, hrn: float | None = None) -> dict:
    """A row of another method that takes so many milliseconds for `BATCH` samples."""
    row = _row("svhn-cifar", title, "", what, 1, None, ms)
    return row | {"method": method, "HRN / this": hrn and hrn / ms}


def _row(scenario: str, title: str, reading: str, what: str, seeds: int, naive: float | None, batched: float,
         goal: float | None = None, h_0: float | None = None) -> dict:  # fmt: skip
    return {
        "method": "HRN", "scenario": scenario, "data": title, "reading": reading, "what": what, "seeds": seeds,
        "naive ms": naive, "batched ms a seed": batched, "samples/s": 1e3 * BATCH / batched,
        "naive / batched": None if naive is None else naive / batched, "goal": goal, "goal samples/s": None,
        "met": "" if goal is None else "yes" if naive >= goal * batched else "NO",
        "h_0 share": None if h_0 is None else h_0 / batched, "HRN / this": None,
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
