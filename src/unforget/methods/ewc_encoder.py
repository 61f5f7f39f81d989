"""EWC of Berjaoui (2020): elastic weight consolidation of the encoder alone, a new classifier for each task.

Penalty λ Σ_i F_i (θ_i − θ*_i)², without the usual ½. Batch normalisation's weights are protected like all others, its
running statistics are not. Two readings of F, both from images drawn with replacement, the encoder in evaluation:

"released", the published code: before each task, `images` of every earlier task (old data are read again) go through the
present encoder; its flattened features are taken for logits and their largest for the label, no classifier takes part.
F is the mean of the squared gradients over all these images, θ* the encoder as it is.

"standard": after each task, `images` of this task, the log-likelihood of the label that its own classifier predicts; one
parabola per task, around the encoder of then (the parabolas add up to one, as in `unforget.methods.ewc`).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from unforget import random
from unforget.data.streams import Stream
from unforget.methods import vc
from unforget.methods.base import Replicas
from unforget.nets.conv import squared_gradients

CHUNK = 50


@dataclass(frozen=True)
class Options(vc.Options):
    """`strength` is λ, `images` the number for F per task, `optimiser` Adam or plain gradient descent ("sgd")."""

    strength: float = 1024.0
    images: int = 200
    fisher: Literal["released", "standard"] = "released"
    optimiser: Literal["adam", "sgd"] = "adam"


class EWCEncoder(vc.VC):
    """A quadratic penalty on the encoder."""

    Options = Options
    scannable = ("lr", "strength")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        super().__init__(stream, scenario, options, replicas)
        self.strength = replicas.value("strength", options.strength)[:, None]
        self.lr = replicas.value("lr", options.lr)[:, None]
        self.state["F"] = torch.zeros_like(self.state["theta"])
        self.state["theta_star"] = torch.zeros_like(self.state["theta"])

    def update(self, stage: int, g_theta: Tensor, g_head: Tensor) -> None:
        if stage > 0:
            theta, F, theta_star = (self.state[name] for name in ("theta", "F", "theta_star"))
            g_theta = g_theta + 2 * self.strength * F * (theta - theta_star)
        if self.options.optimiser == "adam":
            super().update(stage, g_theta, g_head)
        else:
            self.state["theta"].addcmul_(g_theta, self.lr, value=-1)
            self.state["head"].addcmul_(g_head, self.lr, value=-1)

    def end_stage(self, stage: int) -> None:
        super().end_stage(stage)
        if stage + 1 == len(self.stream.stages):
            return
        theta, F, theta_star = (self.state[name] for name in ("theta", "F", "theta_star"))
        if self.options.fisher == "released":
            F.copy_(sum(self.squares(stage, t) for t in range(stage + 1)) / (stage + 1))
            theta_star.copy_(theta)
        else:
            new = self.squares(stage, stage)
            total = F + new
            theta_star.lerp_(theta, torch.where(total > 0, new / total, 1.0))
            F.copy_(total)

    def squares(self, stage: int, earlier: int) -> Tensor:
        """Mean squared gradient at the encoder of now over images of an earlier stage: [S, n]."""
        train = self.stream.stages[earlier].train
        drawn = random.integers(self.seeds, f"fisher/{stage}", earlier, (self.options.images,), len(train))
        total = torch.zeros_like(self.state["theta"])
        for index in drawn.split(CHUNK, 1):
            x = train.take(index).x
            total += squared_gradients(self.encoder, self.state["theta"], x, self.statistics("encoder"), self._surprise)
        return total / self.options.images

    def _surprise(self, features: Tensor) -> Tensor:
        """−log p of the most likely label, per image."""
        released = self.options.fisher == "released"
        logits = features if released else self.head.apply(self.state["head"], features, self.statistics("head"))
        return -logits.log_softmax(-1).amax(-1)
