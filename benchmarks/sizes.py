"""The sizes measured, and learners of each on synthetic images (speed does not depend on what is in them).

S is Split MNIST; P10 and P100 are permuted MNIST with 10 and 100 tasks (von Oswald et al., appendix C).
"""

from dataclasses import dataclass, field
from typing import Any

import torch

from unforget.data.streams import Samples, Stage, Stream
from unforget.methods import find
from unforget.methods.base import Learner, Replicas, options


@dataclass(frozen=True)
class Size:
    """A stream's dimensions and the options of the hypernetwork method (its defaults are those of S)."""

    inputs: int
    classes: int
    tasks: int
    hnet: dict[str, Any] = field(default_factory=dict)
    batch: int = 128

    @property
    def target(self) -> tuple[int, ...]:
        """Widths of the target network, one head a task."""
        return (self.inputs, *self.options.hidden, self.classes * self.tasks)

    @property
    def options(self):
        return options(find("hnet").Options, self.hnet, "hnet")


SIZES = {
    "S": Size(784, 2, 5),
    "P10": Size(1024, 10, 10, {
        "hidden": (1000, 1000), "hyper_hidden": (25, 25), "task_embedding": 24, "chunk_embedding": 8,
        "chunk_size": 78_000, "lr": 1e-4,
    }),
    "P100": Size(1024, 10, 100, {
        "hidden": (1000, 1000), "hyper_hidden": (200, 250, 350), "task_embedding": 128, "chunk_embedding": 12,
        "chunk_size": 7_500, "lr": 1e-4,
    }),
    "toy": Size(12, 2, 4, {
        "hidden": (8, 6), "hyper_hidden": (5, 4), "task_embedding": 3, "chunk_embedding": 2, "chunk_size": 50,
        "batch": 16,
    }, batch=16),
}  # fmt: skip


def stream(size: Size, device: torch.device, train: int = 12_000, test: int = 2_000) -> Stream:
    """Random images; all tasks see the same ones."""
    g = torch.Generator().manual_seed(0)

    def samples(n: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.randint(0, 256, (n, size.inputs), generator=g, dtype=torch.uint8)
        return x, torch.randint(0, size.classes, (n,), generator=g)

    (x, y), (x_test, y_test) = samples(train), samples(test)
    return Stream(
        title="synthetic", classes=size.classes, input_shape=(size.inputs,),
        stages=tuple(Stage(f"task {t + 1}", (t,), Samples(x, y + t * size.classes)) for t in range(size.tasks)),
        tests=tuple(Samples(x_test, y_test + t * size.classes) for t in range(size.tasks)), checksums={},
    ).to(device)  # fmt: skip


def learner(name: str, method: str, replicas: int, device: torch.device, data: Stream | None = None) -> Learner:
    """A learner of a size, untrained. CL1, whose training is that of CL3 for the hypernetwork."""
    size, kind = SIZES[name], find(method)
    values = size.hnet if method == "hnet" else {"hidden": size.options.hidden, "batch": size.batch}
    data = stream(size, device) if data is None else data
    return kind(data, "CL1", options(kind.Options, values, method), Replicas(tuple(range(replicas)), device=device))


def stepper(one: Learner, stage: int):
    """A function that makes the next training step of a learner in a stage, drawing of the batch included."""
    (phase,) = one.phases(stage)
    phase.begin()
    step = 0

    def work() -> None:
        nonlocal step
        phase.step(phase.batches(step), step)
        step += 1

    return work
