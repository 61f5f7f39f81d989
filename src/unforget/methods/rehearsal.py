"""A classifier that learns its task beside images of old ones, labelled by itself as it stood before the task.

Von Oswald et al. (2020), appendices B and C. At task t (from 0) each step sees a batch of the task and ⌈batch/t⌉ images of
every old one; loss ½ L_xent(batch) + ½ L_soft(old images), soft targets at temperature 2. HNET+R draws the old images from
its replay model, RPL-UB has kept them.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from unforget.data.streams import Batch, Stream
from unforget.errors import UnforgetError
from unforget.methods import distill, finetune
from unforget.methods.base import Phase, Replicas


@dataclass(frozen=True)
class Options(finetune.Options):
    """`unseen` is what the teacher says about new classes in CL3: the published code says "zero logit"."""

    initial: Literal["fan-in", "xavier"] = "xavier"
    last: Literal["span", "drop", "keep"] = "span"
    temperature: float = 2.0
    unseen: distill.Unseen = "zero probability"


class Rehearsal(finetune.Finetune):
    """What HNET+R and RPL-UB share; their steps find the old images."""

    Options = Options

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        if scenario == "regression":
            raise UnforgetError("replay of old tasks needs classes; a regression has none")
        super().__init__(stream, scenario, options, replicas)

    def phases(self, stage: int) -> list[Phase]:
        return [replace(phase, begin=partial(self.begin, stage)) for phase in super().phases(stage)]

    def begin(self, stage: int) -> None:
        """The present classifier becomes the teacher; a fresh Adam."""
        self.state["teacher"] = self.state["theta"].clone()
        self.adam.reset(self.state["theta"])

    def per_task(self, stage: int) -> int:
        """How many images of each old task a step sees."""
        return -(-self.options.batch // stage)

    def rehearse(self, stage: int, batch: Batch, old: Float[Tensor, "S B ..."] | None) -> None:
        """One Adam step on ½ L_xent + ½ L_soft; on L_xent alone at the first task. `old`: images, task after task."""
        theta = self.state["theta"].detach().requires_grad_()
        loss = self.head.loss(self.net.apply(theta, batch.x), batch.y, self.stream.stages[stage].tasks)
        if old is not None:
            loss = 0.5 * loss + 0.5 * self.soft_loss(stage, theta, old)
        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        self.update(stage, gradient)

    def soft_loss(self, stage: int, theta: Tensor, x: Float[Tensor, "S B ..."]) -> Float[Tensor, "S"]:
        """A loss with the gradient of L_soft = T² cross-entropy with the teacher's soft targets: T (p − targets).

        Its zero is exact where the classifier still is its teacher. Rounding errors in its place, as autograd leaves
        them, would be all that the heads of old tasks see in the first step, and a fresh Adam makes full steps of them.
        """
        o, T = self.options, self.options.temperature
        old = torch.arange(stage, device=x.device).repeat_interleave(x.shape[1] // stage)
        with torch.no_grad():
            answers = self.net.apply(self.state["teacher"], x)
        targets = distill.soft_targets(self.head, answers, old, stage, T, o.unseen)
        logits = distill.competing(self.head, self.net.apply(theta, x), old, stage)
        difference = (logits.detach() / T).softmax(-1) - targets
        return (T * difference * logits).sum(-1).mean(1)
