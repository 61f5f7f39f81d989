"""Elastic weight consolidation (Kirkpatrick et al. 2017) and its online form (Schwarz et al. 2018).

Penalty of EWC: ½ λ Σ_t Σ_i F_ti (θ_i − θ*_ti)², one term per old task. Sums of parabolas are a parabola, so the terms
collapse exactly to one: P = Σ_t F_t and the anchor (Σ_t F_t θ*_t) / P give the same gradient.

Online EWC keeps one term: F̃ ← F_new + γ F̃, penalty ½ λ Σ_i F̃_i (θ_i − θ*_i)², anchored at the last weights. The code of
van de Ven multiplies F̃ by γ once more in the penalty; declare λ·γ as `strength` for the same penalty.

F_i is the mean over a task's samples of the squared gradient of log p(ŷ | x) with ŷ the network's own prediction.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods import finetune
from unforget.methods.base import Replicas
from unforget.nets.fisher import squared_gradients


@dataclass(frozen=True)
class Options(finetune.Options):
    """`strength` is λ, `gamma` the decay γ of online EWC."""

    strength: float = 1.0
    gamma: float = 1.0


class EWC(finetune.Finetune):
    """One penalty term per old task."""

    Options = Options
    scannable = ("lr", "strength")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        super().__init__(stream, scenario, options, replicas)
        self.strength = replicas.value("strength", options.strength)[:, None]
        self.state["P"] = torch.zeros_like(self.state["theta"])
        self.state["anchor"] = torch.zeros_like(self.state["theta"])

    def update(self, stage: int, gradient: Tensor) -> None:
        if stage > 0:
            theta, P, anchor = (self.state[name] for name in ("theta", "P", "anchor"))
            gradient = gradient + self.strength * P * (theta - anchor)
        super().update(stage, gradient)

    def end_stage(self, stage: int) -> None:
        self.consolidate(self.fisher(stage))

    def consolidate(self, F: Tensor) -> None:
        """Add a parabola with curvature F at the present weights."""
        theta, P, anchor = (self.state[name] for name in ("theta", "P", "anchor"))
        total = P + F
        weight = torch.where(total > 0, F / total, 1.0)  # without any curvature the anchor has no effect
        anchor.lerp_(theta, weight)
        P.copy_(total)

    def fisher(self, stage: int) -> Tensor:
        """F of a stage's samples at the present weights: [S, n]."""
        train, tasks = self.stream.stages[stage].train, self.stream.stages[stage].tasks
        total = torch.zeros_like(self.state["theta"])
        for x, y in train.chunks():
            total += squared_gradients(self.net, self.state["theta"], x, partial(self._own_loss, y=y, tasks=tasks))
        return total / len(train)

    def _own_loss(self, logits: Tensor, y: Tensor, tasks: tuple[int, ...]) -> Tensor:
        active, _ = self.head.active(logits, y, tasks)
        return -active.log_softmax(-1).amax(-1)


class OnlineEWC(EWC):
    """One term for all old tasks, with decay γ."""

    scannable = ("lr", "strength", "gamma")

    def consolidate(self, F: Tensor) -> None:
        gamma = self.replicas.value("gamma", self.options.gamma)[:, None]
        self.state["P"].mul_(gamma).add_(F)
        self.state["anchor"].copy_(self.state["theta"])
