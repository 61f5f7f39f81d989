"""Task streams: in which order a learner sees which samples, and what it is tested on.

A stream is a row of *stages* (what is trained on, one after the other) and a row of *tests* (one per task). Usually
stage t trains task t. An unbroken stream is one stage; joint training is `merged`: one stage that holds all tasks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from unforget import random
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

    def take(self, index: Int[Tensor, "S B"]) -> Batch:
        """The samples at `index`, which may differ from replica to replica."""
        x, y = self.x[index], self.y[index]
        return Batch(self.prepare(x, y), y)

    def chunks(self, size: int = 1000):
        """All samples in order as batches with S = 1, shared by every replica."""
        for start in range(0, len(self), size):
            stop = min(start + size, len(self))
            yield self.take(torch.arange(start, stop, device=self.x.device)[None])


class Shuffled:
    """Batches from an order that is drawn anew for each pass over the samples; callable as (step) -> Batch.

    What happens at the end of a pass: with `last` "span" a batch ends one pass and begins the next and is always full
    (hypercl); "drop" leaves an incomplete last batch out (van de Ven); "keep" yields it short. Which samples a step sees is
    a function of (seed, name, step) alone.
    """

    def __init__(self, samples: Samples, seeds: Int[Tensor, "S"], name: str, size: int, last: str = "span"):
        self.samples, self.seeds, self.name, self.size = samples, seeds, name, size
        self.last = choose("end of a pass", last, ("span", "drop", "keep"))
        if last == "drop" and len(samples) < size:
            raise UnforgetError(f"a batch of {size} does not fit into {len(samples)} samples")
        self._orders: dict[int, Tensor] = {}  # a pass's order is drawn once, not at every step

    @property
    def steps_per_pass(self) -> int:
        """Batches in one pass over the samples (with "span": enough to see each sample once)."""
        return len(self.samples) // self.size if self.last == "drop" else -(-len(self.samples) // self.size)

    def index(self, step: int) -> Int[Tensor, "S B"]:
        """Positions of the samples of a step."""
        n = len(self.samples)
        if self.last != "span":
            number, batch = divmod(step, self.steps_per_pass)
            return self._order(number)[:, batch * self.size : (batch + 1) * self.size]
        first, parts, missing = step * self.size, [], self.size
        while missing:
            number, offset = divmod(first, n)
            part = self._order(number)[:, offset : min(offset + missing, n)]
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


@dataclass(frozen=True)
class Stage:
    """One stretch of training: samples of the listed tasks, and how batches are drawn from them.

    `source` is `Shuffled` or a class called like it; an unbroken stream brings its own.
    """

    name: str
    tasks: tuple[int, ...]
    train: Samples
    source: Callable[..., Callable[[int], Batch]] = Shuffled

    def batches(self, seeds: Int[Tensor, "S"], name: str, size: int, last: str = "span") -> Callable[[int], Batch]:
        """Batches of `size` samples, as a function of the step."""
        return self.source(self.train, seeds, name, size, last)


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
        moved: dict[int, Tensor] = {}  # tasks may share one tensor (permuted MNIST): copy it once

        def move(samples: Samples) -> Samples:
            x = moved.setdefault(id(samples.x), samples.x.to(device))
            return replace(samples, x=x, y=samples.y.to(device))

        stages = tuple(replace(stage, train=move(stage.train)) for stage in self.stages)
        return replace(self, stages=stages, tests=tuple(map(move, self.tests)))

    def merged(self) -> "Stream":
        """All stages as one, for joint training."""
        parts = [stage.train for stage in self.stages]
        if any(part.prepare is not parts[0].prepare for part in parts):
            raise ValueError("stages prepared in different ways cannot be merged")
        train = Samples(torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]), parts[0].prepare)
        tasks = tuple(t for stage in self.stages for t in stage.tasks)
        return replace(self, stages=(Stage("all tasks", tasks, train),))
