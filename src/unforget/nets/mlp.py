"""Fully connected networks as pure functions of their weights."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from unforget.nets.layout import Layout, linear_shapes

Activation = Literal["relu", "elu", "sigmoid", "linear"]
ACTIVATIONS = {"relu": F.relu, "elu": F.elu, "sigmoid": torch.sigmoid, "linear": lambda x: x}


def linear(x: Float[Tensor, "S B n_in"], W: Float[Tensor, "S n_out n_in"], b: Float[Tensor, "S n_out"]) -> Tensor:
    """x Wᵀ + b for every replica: [S, B, n_out]."""
    return torch.baddbmm(b.unsqueeze(1), x, W.transpose(1, 2))


@dataclass(frozen=True)
class MLP:
    """Hidden layers with one activation, linear output, biases everywhere. `sizes` runs from inputs to outputs."""

    sizes: tuple[int, ...]
    activation: str = "relu"

    @cached_property
    def layout(self) -> Layout:
        return Layout(linear_shapes(self.sizes))

    def apply(
        self, weights: Float[Tensor, "S size"], x: Float[Tensor, "#S B ..."], taps: list | None = None
    ) -> Float[Tensor, "S B n_out"]:
        """Outputs for inputs [S, B, ...], flattened to [S, B, n_in]; x may have S = 1 to be shared by all replicas.

        `taps`, if given, collects (input [S, B, n], pre-activation [S, B, m]) of every layer: what a Fisher pass needs.
        """
        tensors = self.layout.split(weights)
        x = x.flatten(2)
        x = x.expand(len(weights), *x.shape[1:])
        for i in range(1, len(self.sizes)):
            pre = linear(x, tensors[f"W{i}"], tensors[f"b{i}"])
            if taps is not None:
                taps.append((x, pre))
            x = ACTIVATIONS[self.activation](pre) if i < len(self.sizes) - 1 else pre
        return x
