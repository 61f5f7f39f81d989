"""Task streams: in which order a learner sees which samples, and what it is tested on.

A stream is a row of *stages* (what is trained on, one after the other) and a row of *tests* (one per task). Usually
stage t trains task t. An unbroken stream is one stage; joint training is `merged`: one stage that holds all tasks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor

from unforget import random
from unforget.data import images, toy
from unforget.errors import UnforgetError, choose


class Batch(NamedTuple):
    """Inputs [S, B, ...] as float32 and labels [S, B] (classes counted over all tasks) or targets [S, B, d]."""

    x: Tensor
    y: Tensor


def unit_range(x: Tensor, y: Tensor) -> Tensor:
    """uint8 pixels to float32 in [0, 1]; float features pass."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


@dataclass(frozen=True)
class Samples:
    """Inputs [n, ...] (uint8 images stay uint8 until a batch is drawn) and labels [n] or targets [n, d].

    `prepare(x, y)` makes float32 inputs of a drawn batch, on the device. It may depend on the label, whose task part
    (label // classes) tells which permutation or rotation applies.
    """

    x: Tensor
    y: Tensor
    prepare: Callable[[Tensor, Tensor], Tensor] = unit_range

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device) -> "Samples":
        return replace(self, x=self.x.to(device), y=self.y.to(device))

    def take(self, index: Int[Tensor, "S B"]) -> Batch:
        """The samples at `index`, which may differ from replica to replica."""
        x, y = self.x[index], self.y[index]
        return Batch(self.prepare(x, y), y)

    def chunks(self, size: int = 1000):
        """All samples in order as batches with S = 1, shared by every replica."""
        for start in range(0, len(self), size):
            stop = min(start + size, len(self))
            yield self.take(torch.arange(start, stop, device=self.x.device)[None])


@dataclass(frozen=True)
class Stage:
    """One stretch of training: samples of the listed tasks."""

    name: str
    tasks: tuple[int, ...]
    train: Samples


@dataclass(frozen=True)
class Stream:
    """`classes` is the number per task (0 for regression); labels of task t are t*classes ... (t+1)*classes-1."""

    title: str
    classes: int
    input_shape: tuple[int, ...]
    stages: tuple[Stage, ...]
    tests: tuple[Samples, ...]
    checksums: dict[str, str]

    @property
    def tasks(self) -> int:
        return len(self.tests)

    def to(self, device: torch.device) -> "Stream":
        return replace(
            self,
            stages=tuple(replace(stage, train=stage.train.to(device)) for stage in self.stages),
            tests=tuple(test.to(device) for test in self.tests),
        )

    def merged(self) -> "Stream":
        """All stages as one, for joint training."""
        parts = [stage.train for stage in self.stages]
        if any(part.prepare is not parts[0].prepare for part in parts):
            raise ValueError("stages prepared in different ways cannot be merged")
        train = Samples(torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]), parts[0].prepare)
        tasks = tuple(t for stage in self.stages for t in stage.tasks)
        return replace(self, stages=(Stage("all tasks", tasks, train),))


class Shuffled:
    """Full batches from an order that is drawn anew for each pass over the samples; callable as (step) -> Batch.

    With `spanning`, a batch may end one pass and begin the next (hypercl); otherwise the incomplete last batch of a pass
    is dropped (van de Ven). Which samples a step sees is a function of (seed, name, step) alone.
    """

    def __init__(self, samples: Samples, seeds: Int[Tensor, "S"], name: str, size: int, spanning: bool = True):
        self.samples, self.seeds, self.name, self.size = samples, seeds, name, size
        if not spanning and len(samples) < size:
            raise UnforgetError(f"a batch of {size} does not fit into {len(samples)} samples")
        self.pass_length = len(samples) if spanning else len(samples) // size * size
        self._orders: dict[int, Tensor] = {}  # a pass's order is drawn once, not at every step

    def index(self, step: int) -> Int[Tensor, "S B"]:
        """Positions of the samples of a step."""
        first, parts, missing = step * self.size, [], self.size
        while missing:
            number, offset = divmod(first, self.pass_length)
            part = self._order(number)[:, offset : min(offset + missing, self.pass_length)]
            parts.append(part)
            first, missing = first + part.shape[1], missing - part.shape[1]
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]

    def __call__(self, step: int) -> Batch:
        return self.samples.take(self.index(step))

    def _order(self, number: int) -> Tensor:
        if number not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k >= number - 1}
            self._orders[number] = random.permutation(self.seeds, self.name, number, len(self.samples))
        return self._orders[number]


def split(image_set: str, classes: int, tasks: int) -> Stream:
    """The classes of an image set in label order, `classes` per task (split MNIST: 2 per task, 5 tasks)."""
    data = images.load(image_set)
    available = int(data.y_train.max()) + 1
    if classes * tasks > available:
        raise UnforgetError(f"{tasks} tasks of {classes} classes need {classes * tasks}; {data.title} has {available}")

    def part(x: Tensor, y: Tensor, t: int) -> Samples:
        own = (y >= t * classes) & (y < (t + 1) * classes)
        return Samples(x[own], y[own])

    names = [f"task {t + 1}" for t in range(tasks)]
    return Stream(
        title=f"Split {data.title}", classes=classes, input_shape=tuple(data.x_train.shape[1:]),
        stages=tuple(Stage(names[t], (t,), part(data.x_train, data.y_train, t)) for t in range(tasks)),
        tests=tuple(part(data.x_test, data.y_test, t) for t in range(tasks)), checksums=data.checksums,
    )  # fmt: skip


def permuted(image_set: str, tasks: int, padding: int = 2, permutation_seed: int = 42) -> Stream:
    """All classes in every task, the zero-padded pixels in another fixed order each time; task 1 keeps its order.

    The orders come from numpy's `RandomState(permutation_seed)` and do not depend on a run's seed, as in hypercl.
    """
    data = images.load(image_set)
    classes = int(data.y_train.max()) + 1
    x_train, x_test = (F.pad(x, (padding,) * 4).flatten(1) for x in (data.x_train, data.x_test))
    rng, pixels = np.random.RandomState(permutation_seed), x_train.shape[1]
    orders = torch.stack([torch.arange(pixels)] + [torch.from_numpy(rng.permutation(pixels)) for _ in range(tasks - 1)])

    def reorder(x: Tensor, y: Tensor) -> Tensor:
        return unit_range(x.gather(-1, orders.to(x.device)[y // classes]), y)

    def part(x: Tensor, y: Tensor, t: int) -> Samples:
        return Samples(x, y + t * classes, reorder)

    return Stream(
        title=f"Permuted {data.title}", classes=classes, input_shape=(pixels,),
        stages=tuple(Stage(f"task {t + 1}", (t,), part(x_train, data.y_train, t)) for t in range(tasks)),
        tests=tuple(part(x_test, data.y_test, t) for t in range(tasks)), checksums=data.checksums,
    )  # fmt: skip


def toy_regression() -> Stream:
    """Three curves to fit one after the other (HNET Fig. 2)."""
    tasks = [tuple(torch.from_numpy(part) for part in toy.task(t)) for t in range(toy.TASKS)]
    return Stream(
        title="toy regression", classes=0, input_shape=(1,),
        stages=tuple(Stage(f"task {t + 1}", (t,), Samples(x, y)) for t, (x, y, _, _) in enumerate(tasks)),
        tests=tuple(Samples(x, y) for _, _, x, y in tasks), checksums=toy.checksums(),
    )  # fmt: skip


KINDS = {"split": split, "permuted": permuted, "toy regression": toy_regression}


def build(kind: str, **parameters) -> Stream:
    """The stream that an experiment declares, as in `build("split", image_set="mnist", classes=2, tasks=5)`."""
    return KINDS[choose("stream", kind, KINDS)](**parameters)
