"""VC of Berjaoui (2020): one convolutional encoder trained on task after task, and a new classifier for each.

A classifier learns during its task only, together with the encoder, and is frozen afterwards; old test images are encoded
by the encoder as it is now. Nothing is done against forgetting. Adam starts afresh with every task, over the encoder and
the new classifier. Running statistics of batch normalisation belong to the encoder and to each classifier.

Labels are those of the data: every classifier has an output for each label of the whole sequence, as published
(view "own classifier").
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from unforget import random
from unforget.data.streams import Batch, Stream
from unforget.errors import UnforgetError
from unforget.methods.base import Phase, Replicas
from unforget.methods.optim import Adam
from unforget.nets.conv import Activation, Conv, Dense, Network, Statistics


@dataclass(frozen=True)
class Options:
    """Pairwise MNIST (ICLR Table 2) by default.

    The encoder's layers are `filters`, `kernels`, `strides`, `paddings` and `channel_dropout`, one entry each, all with
    batch normalisation and leaky ReLU. The classifier has `hidden` layers and `outputs`; `head_dropout` follows each of
    them, outputs included, and `head_norm` puts batch normalisation before each activation. `epochs` has one entry per task;
    an incomplete last batch of an epoch is left out.
    """

    filters: tuple[int, ...] = (16, 32)
    kernels: tuple[int, ...] = (5, 2)
    strides: tuple[int, ...] = (3, 3)
    paddings: tuple[int, ...] = (2, 0)
    channel_dropout: tuple[float, ...] = (0.0, 0.0)
    hidden: tuple[int, ...] = (60, 10)
    outputs: int = 10
    head_activation: Activation = "leaky_relu"
    head_norm: bool = False
    head_dropout: tuple[float, ...] = (0.2, 0.2, 0.0)
    epochs: tuple[int, ...] = (5, 5, 5, 5, 5)
    batch: int = 16
    lr: float = 1e-3


def networks(options: Options, input_shape: tuple[int, ...]) -> tuple[Network, Network]:
    """Encoder and classifier. Raises `UnforgetError` where the lists of their layers differ in length."""
    o = options
    layers = (o.filters, o.kernels, o.strides, o.paddings, o.channel_dropout)
    if len(set(map(len, layers))) > 1:
        raise UnforgetError("filters, kernels, strides, paddings and channel_dropout need one entry per layer each")
    if len(o.head_dropout) != len(o.hidden) + 1:
        raise UnforgetError(f"head_dropout needs {len(o.hidden) + 1} entries, one per hidden layer and one for the outputs")
    convolutions = tuple(Conv(*values, dropout=p) for *values, p in zip(*layers))
    encoder = Network(tuple(input_shape), convolutions)
    if min(map(min, encoder.shapes)) < 1:
        raise UnforgetError(f"images of shape {tuple(input_shape)} are too small for these convolutions")
    activations = [o.head_activation] * len(o.hidden) + ["linear"]
    sizes = zip((*o.hidden, o.outputs), activations, o.head_dropout, strict=True)
    return encoder, Network((encoder.features,), tuple(Dense(n, o.head_norm, a, p) for n, a, p in sizes))


class Draws:
    """The numbers behind dropout, [S, B, n] for a step; drawn for many steps at once, since one draw costs as much."""

    BLOCK = 32

    def __init__(self, seeds: Int[Tensor, "S"], name: str, shape: tuple[int, ...]):
        self.seeds, self.name, self.shape = seeds, name, shape
        self._kept: tuple[int, Tensor] | None = None

    def __call__(self, step: int) -> Tensor:
        block, place = divmod(step, self.BLOCK)
        if self._kept is None or self._kept[0] != block:
            self._kept = block, random.uniform(self.seeds, self.name, block, (self.BLOCK, *self.shape))
        return self._kept[1][:, place]


class VC:
    """Sequential training without protection; base of the methods that protect the encoder."""

    Options = Options
    scannable = ("lr",)

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        if scenario != "CL1":
            raise UnforgetError(f"methods with a classifier per task are task-incremental (CL1), not {scenario}")
        if len(options.epochs) != len(stream.stages):
            raise UnforgetError(f"epochs has {len(options.epochs)} entries for {len(stream.stages)} tasks; give one each")
        self.stream, self.options, self.seeds = stream, options, replicas.seed_tensor
        self.encoder, self.head = networks(options, stream.input_shape)
        S, device = len(replicas), replicas.device
        self.state: dict[str, Tensor] = {
            "theta": self.encoder.initial(self.seeds, "encoder"),
            "head": torch.zeros(S, self.head.layout.size, device=device),
            "heads": torch.zeros(S, stream.tasks, self.head.layout.size, device=device),
        }
        self._put("encoder", self.encoder.fresh_statistics(S, device))
        self._put("head", self.head.fresh_statistics(S, device))
        for name, value in self.statistics("head").items():
            self.state[f"heads.{name}"] = value[:, None].repeat(1, stream.tasks, 1)
        lr = replicas.value("lr", options.lr)
        self.adam, self.adam_head = Adam(self.state, "adam", lr), Adam(self.state, "adam_head", lr)

    def phases(self, stage: int) -> list[Phase]:
        o = self.options
        batches = self.stream.stages[stage].batches(self.seeds, f"batches/{stage}", o.batch, "drop")
        draws = Draws(self.seeds, f"dropout/{stage}", (o.batch, self.encoder.draws + self.head.draws))
        steps = o.epochs[stage] * batches.steps_per_pass
        return [Phase("classifier", steps, batches, partial(self.step, stage, draws), partial(self.begin, stage))]

    def begin(self, stage: int) -> None:
        """A new classifier; fresh Adam."""
        self.state["head"].copy_(self.head.initial(self.seeds, f"head/{stage}"))
        self._put("head", self.head.fresh_statistics(len(self.seeds), self.seeds.device))
        self.adam.reset(self.state["theta"])
        self.adam_head.reset(self.state["head"])

    def step(self, stage: int, draws: Callable[[int], Tensor], batch: Batch, step: int) -> None:
        """One Adam step of encoder and classifier."""
        theta, head = (self.state[name].detach().requires_grad_() for name in ("theta", "head"))
        of_encoder, of_head = draws(step).split([self.encoder.draws, self.head.draws], -1)
        features = self.encoder.apply(theta, batch.x, self.statistics("encoder"), of_encoder)
        logits = self.head.apply(head, features, self.statistics("head"), of_head)
        loss = cross_entropy(logits, batch.y) + self.penalty(stage, batch, features, logits)
        g_theta, g_head = torch.autograd.grad(loss.sum(), (theta, head))
        self.update(stage, g_theta, g_head)

    def penalty(self, stage: int, batch: Batch, features: Tensor, logits: Tensor) -> Tensor | float:
        """What a method adds to the loss, per replica; nothing here."""
        return 0.0

    def update(self, stage: int, g_theta: Tensor, g_head: Tensor) -> None:
        """Apply gradients; a method may add one of its own."""
        self.adam.step(self.state["theta"], g_theta)
        self.adam_head.step(self.state["head"], g_head)

    def end_stage(self, stage: int) -> None:
        """Freeze the classifier."""
        self.state["heads"][:, stage] = self.state["head"]
        for name, value in self.statistics("head").items():
            self.state[f"heads.{name}"][:, stage] = value

    @torch.no_grad()
    def predict(self, x: Float[Tensor, "S B ..."], task: int | None, tasks_seen: int) -> Tensor:
        """Logits of a task's own classifier [S, B, outputs]."""
        if task is None:
            raise UnforgetError('a classifier per task needs the task; score it under the view "own classifier"')
        features = self.encoder.apply(self.state["theta"], x, self.statistics("encoder"))
        return self.old_head(task, features)

    def old_head(self, task: int, features: Tensor) -> Tensor:
        """A frozen classifier's logits."""
        statistics = {name: value[:, task].contiguous() for name, value in self.statistics("heads").items()}
        return self.head.apply(self.state["heads"][:, task], features, statistics)

    def statistics(self, of: str) -> Statistics:
        """Running statistics in the state, under the names that networks call them by."""
        return {name.partition(".")[2]: v for name, v in self.state.items() if name.startswith(f"{of}.")}

    def _put(self, of: str, statistics: Statistics) -> None:
        self.state.update({f"{of}.{name}": value for name, value in statistics.items()})

    def counts(self) -> dict[str, int]:
        encoder, head = self.encoder.layout.size, self.head.layout.size
        return {"encoder": encoder, "head": head, "trained": encoder + self.stream.tasks * head}


def cross_entropy(logits: Float[Tensor, "S B n"], y: Int[Tensor, "S B"]) -> Float[Tensor, "S"]:
    """The mean over a batch, per replica."""
    return F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").unflatten(0, y.shape).mean(1)
