"""Split MNIST, HNET+ENT (CL1 and CL3) of one seed: entropy inference, and with --full the whole run with evaluation.

Entropy inference is batched against one image at a time, which generates every task's weights anew for every image. The
plain whole run is extrapolated: its step at every task, timed here, times the number of steps, and its inference of one
image times the images that the run evaluates. On synthetic images of the same number where MNIST is not at hand.
"""

from dataclasses import replace

import torch

from benchmarks import sizes
from benchmarks.reference import cut, infer_task
from benchmarks.steps import ours, plain, plain_hnet
from benchmarks.timing import Setup, paired, seconds
from unforget import data
from unforget.data import images
from unforget.data.streams import Stream
from unforget.experiments import catalogue
from unforget.loop import Loop

GOAL = 110.0
"""Seconds at most for the whole run of a seed on one CPU thread."""
IMAGES = 20


def measure(setup: Setup) -> list[dict]:
    size = "toy" if setup.toy else "S"
    tasks = sizes.SIZES[size].tasks
    experiment = catalogue.experiment("hnet/split-mnist")
    config = experiment.resolve(experiment.run("hnet"), "paper")
    iterations = 2 if setup.toy else config["options"]["iterations"]
    data = _stream(config, size, setup)
    learner = sizes.learner(size, "hnet", 1, setup.device, data)
    x = data.tests[0].take(torch.arange(1000, device=setup.device)[None]).x
    took = paired({
        "batched": lambda: learner.infer_task(x, tasks), "one by one": _one_by_one(learner, x[0, :IMAGES], tasks),
    }, setup)  # fmt: skip
    batched, single = took["batched"] / x.shape[1], took["one by one"] / IMAGES
    rows = [_row("entropy inference, ms per image", data.title, batched, single)]
    if setup.full or setup.toy:
        steps = [paired({"ours": ours(size, "hnet", t + 1, setup), "plain": plain(size, "hnet", t + 1, setup)},
                        setup)["plain"] for t in range(tasks)]  # fmt: skip
        # After task k the tests of k tasks are inferred among k candidates each.
        inferences = sum(k * sum(len(test) for test in data.tests[:k]) for k in range(1, tasks + 1))
        slow = (iterations * sum(steps) + single / tasks * inferences) / 1e3
        learner.options = replace(learner.options, iterations=iterations)
        loop = Loop(learner, data, config["views"], config["probes"])
        rows.append(_row("whole run, s", data.title, seconds(loop.run, 1, setup), slow, GOAL))
        rows += [_row(f"of it: {part}, s (wall clock)", data.title, value) for part, value in loop.at.seconds.items()]
    return rows


def _row(what: str, data: str, fast: float, slow: float | None = None, goal: float | None = None) -> dict:
    return {
        "what": what, "data": data, "ours": fast, "plain": slow, "plain / ours": slow and slow / fast, "goal": goal,
        "met": "" if goal is None else "yes" if fast <= goal else "NO",
    }  # fmt: skip


def _one_by_one(learner, x: torch.Tensor, tasks: int):
    plain, shapes = plain_hnet(learner), learner.net.layout.shapes.values()

    @torch.no_grad()
    def work() -> None:
        infer_task(
            lambda t: cut(plain.generate(plain.e[t], plain.layers, plain.c), shapes), plain.target, learner.head.own,
            x, tasks,
        )  # fmt: skip

    return work


def _stream(config: dict, size: str, setup: Setup) -> Stream:
    if setup.toy or not images.available(config["stream"]["image_set"]):
        return sizes.stream(sizes.SIZES[size], setup.device)
    return data.build(**config["stream"]).to(setup.device)
