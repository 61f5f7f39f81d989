"""Each training step, one seed, against a plain reference step: torch modules, autograd's own sums, torch's Adam.

Both draw the same batches from uint8 images. Memory is the peak of a process that makes a few such steps; blank: not
measured, or it would take more than a few GB (`--full` measures it).
"""

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F

from benchmarks import sizes
from benchmarks.reference import (
    PlainClassifier,
    PlainGenerator,
    PlainHNET,
    PlainJoint,
    PlainJointHNET,
    PlainReplay,
    PlainSI,
    cut,
)
from benchmarks.timing import FEW_GB, Setup, fresh, paired, peak_memory_mib
from unforget.methods.base import Learner

CASES = (
    ("S", "finetune", 1), ("S", "ewc", 5), ("S", "online-ewc", 5), ("S", "si", 5), ("S", "lwf", 5), ("S", "dgr", 1),
    ("S", "dgr", 5), ("S", "dgr-distill", 5), ("S", "joint", 1), ("S", "scratch", 5), ("S", "hnet", 1), ("S", "hnet", 5),
    ("S", "hnet, importance", 5), ("S", "hnet, plastic", 5), ("S", "hnet-joint", 1),
    ("P10", "finetune", 1), ("P10", "ewc", 10), ("P10", "online-ewc", 10), ("P10", "si", 10), ("P10", "lwf", 10),
    ("P10", "dgr", 10), ("P10", "dgr-distill", 10), ("P10", "joint", 1), ("P10", "scratch", 10), ("P10", "hnet", 1),
    ("P10", "hnet", 10), ("P10", "hnet-joint", 1), ("P100", "hnet", 1), ("P100", "hnet", 100),
)  # fmt: skip
TOY_CASES = tuple(("toy", method, task) for method, task in (
    ("finetune", 1), ("ewc", 3), ("online-ewc", 3), ("si", 3), ("lwf", 3), ("dgr", 3), ("dgr-distill", 3), ("hnet", 1),
    ("joint", 1), ("scratch", 4), ("hnet", 1), ("hnet", 4), ("hnet, importance", 4), ("hnet, plastic", 4), ("hnet-joint", 1),
))  # fmt: skip
VARIANTS = {"hnet, importance": {"importance": "fisher"}, "hnet, plastic": {"plastic": True}}
"""Options that change a method's step."""
GOALS = {("P10", 10): (70.0, None), ("P100", 100): (1800.0, 1300)}
"""Milliseconds and MB at most of an HNET step, by size and task."""
ACTIVATIONS = {"elu": F.elu, "relu": F.relu}


def measure(setup: Setup) -> list[dict]:
    rows = []
    for size, method, task in setup.chosen(TOY_CASES if setup.toy else CASES):
        makers = {"ours": ours, "plain": plain}
        if _method(method) == "hnet" and not setup.full and _gigabytes(size, task) > FEW_GB:
            del makers["plain"]
        took = paired({name: make(size, method, task, setup) for name, make in makers.items()}, setup)
        memory = {}
        if method == "hnet" and (task >= 10 or (size, task) == ("toy", 4)):
            memory = {name: fresh(_memory, make, size, method, task, setup) for name, make in makers.items()}
        goal, most = GOALS.get((size, task), (None, None)) if method == "hnet" else (None, None)
        met = goal and took["ours"] <= goal and (most is None or memory["ours"] * 2**20 <= most * 1e6)
        rows.append({
            "size": size, "method": method, "task": task, "ms": took["ours"], "plain ms": took.get("plain"),
            "plain / ours": took.get("plain", torch.nan) / took["ours"], "goal ms": goal,
            "MiB": memory.get("ours"), "plain MiB": memory.get("plain"), "goal MB": most,
            "met": "" if goal is None else "yes" if met else "NO",
        })  # fmt: skip
    return rows


def ours(size: str, method: str, task: int, setup: Setup) -> Callable[[], None]:
    """A function that makes the package's next step at a task, counted from 1."""
    return sizes.stepper(_learner(size, method, setup), task - 1)


def plain(size: str, method: str, task: int, setup: Setup) -> Callable[[], None]:
    """The same step, plainly, from the same weights."""
    learner, method = _learner(size, method, setup), _method(method)
    own, phase = learner.head.own(task - 1), sizes.phase_of(learner, task - 1)
    make = {
        "hnet": _plain_hnet, "hnet-joint": _plain_joint_hnet, "lwf": _plain_replay, "dgr": _plain_replay,
        "dgr-distill": _plain_replay,
    }  # fmt: skip
    step = make.get(method, _plain_classifier)(learner, method, task, own)

    def work(number: int) -> None:
        x, y = phase.batches(number)
        step(x[0], y[0] - own.start)

    return sizes.counting(work)


def _method(title: str) -> str:
    return title.partition(",")[0]


def _learner(size: str, title: str, setup: Setup) -> Learner:
    return sizes.learner(size, _method(title), 1, setup.device, **VARIANTS.get(title, {}))


def plain_hnet(learner, kind: type[PlainHNET] = PlainHNET) -> PlainHNET:
    """A plain hypernetwork with the weights of a learner's only replica."""
    *layers, c = cut(learner.state["theta"][0], learner.hyper.layout.shapes.values())
    activation = ACTIVATIONS[learner.hyper.activation]
    shapes = list(learner.net.layout.shapes.values())
    o = learner.options
    return kind(layers, c, learner.state["e"][0], shapes, activation, o.lr, o.beta, o.plastic)


def _plain_hnet(learner, method: str, task: int, own: slice):
    one = plain_hnet(learner)
    if learner.options.importance != "none":
        one.importance = {t: torch.rand(learner.net.layout.size, device=learner.seeds.device) for t in range(task - 1)}
    one.begin(task - 1)
    return lambda x, y: one.step(x, y, lambda z, y: F.cross_entropy(z[:, own], y))


def _plain_joint_hnet(learner, method: str, task: int, own: slice):
    one, k = plain_hnet(learner, PlainJointHNET), learner.head.classes
    one.begin()
    return lambda x, y: one.step(x, y % k, learner.head.own)


def _plain_classifier(learner, method: str, task: int, own: slice):
    flat = learner.state["theta"][0]
    if method == "joint":
        return PlainJoint(learner.net.sizes, flat, learner.head.classes, learner.options.lr).step
    one = PlainClassifier(learner.net.sizes, flat, learner.options.lr, own)
    if method in ("finetune", "scratch"):
        return one.step
    if method == "si":
        return PlainSI(one, learner.options.c).step
    terms = [(torch.rand_like(flat), flat.clone()) for _ in range(task - 1 if method == "ewc" else 1)]
    return lambda x, y: one.step(x, y, lambda w: sum((0.5 * f * (w - a) ** 2).sum() for f, a in terms))


def _plain_replay(learner, method: str, task: int, own: slice):
    flat, lr, sizes = learner.state["theta"][0], learner.options.lr, learner.net.sizes
    one = PlainReplay(PlainClassifier(sizes, flat, lr), "CL1", learner.head.classes, soft=method != "dgr")
    one.end_task()
    if method == "lwf":
        return lambda x, y: one.step(x, y + own.start, task - 1, x)
    latent, device = learner.options.latent, flat.device
    generator = PlainGenerator(sizes[:-1], latent, *learner.state["generator"][0].split(learner.sizes), lr)
    generator.end_task()

    def step(x, y):
        codes = torch.randn(3, len(x), latent, device=device)
        images = generator.replay(codes[0])
        one.step(x, y + own.start, task - 1, images)
        generator.step(x, codes[1], task - 1, images, codes[2])

    return step


def _memory(make: Callable, size: str, method: str, task: int, setup: Setup) -> int:
    work = make(size, method, task, setup)
    for _ in range(2):
        work()
    return peak_memory_mib(setup.device)


def _gigabytes(size: str, task: int) -> float:
    """What the plain step holds, roughly: three times the weights of all old tasks."""
    widths = sizes.SIZES[size].target
    return 3 * 4 * (task - 1) * sum(a * b for a, b in pairwise(widths)) / 1e9
