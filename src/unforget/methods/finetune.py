"""Fine-tuning: one classifier trained on task after task with nothing against forgetting. The lower bound of every table.

Network, initialisation, batches and optimiser are those of van de Ven & Tolias (2019), so that EWC and SI, which add a
quadratic penalty to this learner, differ from it in nothing else: Adam is kept from task to task, and the incomplete last
batch of a pass is dropped.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from unforget.data.streams import Batch, Stream
from unforget.methods.base import Phase, Replicas
from unforget.methods.heads import Head
from unforget.methods.optim import Adam
from unforget.nets import layout
from unforget.nets.mlp import MLP, Activation

INITIAL = {"fan-in": layout.fan_in_uniform, "xavier": layout.xavier_uniform}


@dataclass(frozen=True)
class Options:
    """`iterations` per stage, `batch` images a step, `last` what becomes of the end of a pass (`Shuffled`)."""

    hidden: tuple[int, ...] = (400, 400)
    activation: Activation = "relu"
    iterations: int = 2000
    batch: int = 128
    lr: float = 1e-3
    initial: Literal["fan-in", "xavier"] = "fan-in"
    last: Literal["span", "drop", "keep"] = "drop"


class Finetune:
    """Plain sequential training; base of the methods that pull weights towards old values."""

    Options = Options
    scannable = ("lr",)

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        self.stream, self.options, self.replicas = stream, options, replicas
        self.head = Head(scenario, stream.classes, stream.tasks)
        inputs = torch.Size(stream.input_shape).numel()
        self.net = MLP((inputs, *options.hidden, self.head.outputs), options.activation)
        self.seeds = replicas.seed_tensor
        theta = INITIAL[options.initial](self.net.layout, self.seeds, "theta")
        self.state: dict[str, Tensor] = {"theta": theta}
        self.adam = Adam(self.state, "adam", replicas.value("lr", options.lr))
        self.adam.reset(theta)

    def phases(self, stage: int) -> list[Phase]:
        o = self.options
        batches = self.stream.stages[stage].batches(self.seeds, f"batches/{stage}", o.batch, o.last)
        return [Phase("classifier", o.iterations, batches, partial(self.step, stage))]

    def step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """One Adam step on task loss plus penalty."""
        theta = self.state["theta"].detach().requires_grad_()
        loss = self.head.loss(self.net.apply(theta, batch.x), batch.y, self.stream.stages[stage].tasks)
        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        self.update(stage, gradient)

    def update(self, stage: int, gradient: Tensor) -> None:
        """Apply the gradient [S, n] of the task loss; methods with a penalty add theirs here."""
        self.adam.step(self.state["theta"], gradient)

    def end_stage(self, stage: int) -> None:
        """Nothing is kept."""

    @torch.no_grad()
    def predict(self, x: Tensor, task: int | None, tasks_seen: int) -> Tensor:
        return self.head.offered(self.net.apply(self.state["theta"], x), task, tasks_seen)

    def counts(self) -> dict[str, int]:
        return {"target": self.net.layout.size, "trained": self.net.layout.size}
