"""Synaptic intelligence (Zenke et al. 2017).

During a task every weight collects its path integral W_i −= g_i Δθ_i, g the gradient of the whole loss. At its end
Ω_i += W_i / (Δ_i² + ξ) with Δ the change over the task. Penalty: c Σ_i Ω_i (θ_i − θ*_i)².
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods import finetune
from unforget.methods.base import Replicas


@dataclass(frozen=True)
class Options(finetune.Options):
    """`c` is the strength, `damping` the ξ."""

    c: float = 0.1
    damping: float = 0.1


class SI(finetune.Finetune):
    """Importance from the path that training took."""

    Options = Options
    scannable = ("lr", "c")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        super().__init__(stream, scenario, options, replicas)
        self.c = replicas.value("c", options.c)[:, None]
        self.state["Omega"] = torch.zeros_like(self.state["theta"])
        self.state["W"] = torch.zeros_like(self.state["theta"])
        self.state["anchor"] = self.state["theta"].clone()

    def update(self, stage: int, gradient: Tensor) -> None:
        theta = self.state["theta"]
        if stage > 0:
            gradient = gradient + 2 * self.c * self.state["Omega"] * (theta - self.state["anchor"])
        before = theta.clone()
        super().update(stage, gradient)
        self.state["W"].addcmul_(gradient, theta - before, value=-1)

    def end_stage(self, stage: int) -> None:
        theta, anchor = self.state["theta"], self.state["anchor"]
        self.state["Omega"] += self.state["W"] / ((theta - anchor).square() + self.options.damping)
        self.state["W"].zero_()
        anchor.copy_(theta)
