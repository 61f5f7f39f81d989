"""The sizes measured, and learners of each on synthetic images (speed depends on what is in them only where `denormals` says so).

S is Split MNIST; P10 and P100 are permuted MNIST with 10 and 100 tasks (von Oswald et al., appendix C).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch

from unforget.data.streams import Samples, Stage, Stream
from unforget.experiments.hnet.permuted_replay import permuted_mnist_10_replay
from unforget.methods import find
from unforget.methods.base import Learner, Phase, Replicas, options


@dataclass(frozen=True)
class Size:
    """A stream's dimensions, the options of the hypernetwork method (its defaults are those of S), of which the others take
    what they know, and of methods that have their `own`."""

    inputs: int
    classes: int
    tasks: int
    hnet: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    batch: int = 128

    @property
    def target(self) -> tuple[int, ...]:
        """Widths of the target network, one head a task."""
        return (self.inputs, *self.options.hidden, self.classes * self.tasks)

    @property
    def options(self):
        return options(find("hnet").Options, self.hnet, "hnet")


_TOY_VAE = {
    "vae_encoder": (7,), "vae_decoder": (6,), "vae_latent": 3, "vae_condition_size": 4, "vae_hyper_hidden": (5, 4),
    "vae_task_embedding": 3, "vae_chunk_embedding": 2, "vae_chunk_size": 50,
}  # fmt: skip
_TOY_GAN = {
    "gan_generator": (6,), "gan_discriminator": (7,), "gan_latent": 3, "gan_hyper_hidden": (5, 4), "gan_task_embedding": 3,
    "gan_chunk_embedding": 2, "gan_chunk_size": 50,
}  # fmt: skip
SIZES = {
    "S": Size(784, 2, 5),
    "P10": Size(1024, 10, 10, {
        "hidden": (1000, 1000), "hyper_hidden": (25, 25), "task_embedding": 24, "chunk_embedding": 8,
        "chunk_size": 78_000, "lr": 1e-4,
    }, {run.method: run.options for run in permuted_mnist_10_replay.runs}),
    "P100": Size(1024, 10, 100, {
        "hidden": (1000, 1000), "hyper_hidden": (200, 250, 350), "task_embedding": 128, "chunk_embedding": 12,
        "chunk_size": 7_500, "lr": 1e-4,
    }),
    "toy": Size(12, 2, 4, {
        "hidden": (8, 6), "hyper_hidden": (5, 4), "task_embedding": 3, "chunk_embedding": 2, "chunk_size": 50,
        "batch": 16,
    }, {"dgr": {"latent": 3}, "dgr-distill": {"latent": 3}, "hnet-r": _TOY_VAE, "hnet-tir": _TOY_VAE,
        "hnet-gan": _TOY_GAN}, batch=16),
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


def learner(
    name: str, method: str, replicas: int, device: torch.device, data: Stream | None = None, scenario: str = "CL1", **changes
) -> Learner:
    """A learner of a size, untrained; `changes` to its options. CL1's training is that of CL3 for the hypernetwork."""
    size, kind = SIZES[name], find(method)
    known = {key: value for key, value in size.hnet.items() if key in kind.Options.__dataclass_fields__}
    values = options(kind.Options, {**known, **size.own.get(method, {}), **changes}, method)
    data = stream(size, device) if data is None else data
    data = kind.arrange(data) if hasattr(kind, "arrange") else data
    return kind(data, scenario, values, Replicas(tuple(range(replicas)), device=device))


def phase_of(one: Learner, stage: int, name: str | None = None) -> Phase:
    """A phase of a stage, by name where there are several."""
    (phase,) = (phase for phase in one.phases(stage) if name in (None, phase.name))
    return phase


def stepper(one: Learner, stage: int, name: str | None = None) -> Callable[[], None]:
    """A function that makes the next training step of a learner in a stage (and phase), drawing of the batch included."""
    phase = phase_of(one, stage, name)
    phase.begin()
    return counting(lambda step: phase.step(phase.batches(step), step))


def counting(work: Callable[[int], None]) -> Callable[[], None]:
    """A function that does the next step."""
    steps = count()
    return lambda: work(next(steps))
