"""The convolutional units of a hash-routed network and the dense classifiers behind it, as pure functions.

A unit convolves maps with as many channels as the image has; deeper maps are cut into chunks of that many channels,
every chunk goes through the same unit, and the results are summed. Rows of a batch may go through units with
different weights (the kind of unit is the same), and are normalised one by one: the paper's network sees one sample
at a time.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from unforget.nets.layout import Layout, fan_in_uniform, linear_shapes
from unforget.nets.mlp import linear

ACTIVATIONS = {"leaky": F.leaky_relu, "relu": F.relu}
INFERENCE = {"leaky": F.leaky_relu_, "relu": F.relu_}
MOMENTUM, EPS = 0.1, 1e-5
"""Of batch normalisation, as in torch."""


class Kind(NamedTuple):
    """One architecture: convolution, normalisation, activation ("leaky" or "relu"), dropout of whole channels."""

    filters: int
    kernel: int
    stride: int
    padding: int
    norm: bool = False
    activation: str = "leaky"
    dropout: float = 0.0

    def layout(self, channels: int) -> Layout:
        """Weights of a unit. A bias before a normalisation would cancel, so there is none."""
        return _layout(self.filters, channels, self.kernel, self.norm)

    def initial(self, channels: int, seeds: Int[Tensor, "S"], name: str) -> Float[Tensor, "S size"]:
        """Fresh weights, torch's own default."""
        layout = self.layout(channels)
        flat = fan_in_uniform(layout, seeds, name)
        if self.norm:
            flat[:, layout.slice("gamma")], flat[:, layout.slice("beta")] = 1.0, 0.0
        return flat

    def output(self, size: tuple[int, int]) -> tuple[int, int] | None:
        """Height and width of what comes out of a map of this size; None where the kernel does not fit."""
        out = tuple((side + 2 * self.padding - self.kernel) // self.stride + 1 for side in size)
        return out if min(size) + 2 * self.padding >= self.kernel else None

    def apply(
        self,
        weights: Float[Tensor, "rows size"],
        x: Float[Tensor, "rows C H W"],
        channels: int,
        keep: Bool[Tensor, "rows chunks filters"] | None = None,
    ) -> tuple[Float[Tensor, "rows filters h w"], Float[Tensor, "rows chunks 2 filters"] | None]:
        """Training: the rows' maps, each through a unit with its own weights; `keep` says what dropout leaves.

        Beside the maps, the mean and unbiased variance that each chunk was normalised by. Maps of one number are not
        normalised: they have no variance.
        """
        rows, chunks, out = len(x), x.shape[1] // channels, self.output(x.shape[2:])
        tensors = self.layout(channels).split(weights)
        columns = F.unfold(x.reshape(-1, channels, *x.shape[2:]), self.kernel, padding=self.padding, stride=self.stride)
        # Unfolded, all rows are one batched product, each with its own weights: faster here than a convolution a unit.
        y = tensors["W"].flatten(2).unsqueeze(1) @ columns.unflatten(0, (rows, chunks))
        statistics = None
        if not self.norm:
            y = y + tensors["b"][:, None, :, None]
        elif out == (1, 1):
            y = y * tensors["gamma"][:, None, :, None] + tensors["beta"][:, None, :, None]
        else:
            y, statistics = _normalise(y, tensors["gamma"], tensors["beta"])
        y = ACTIVATIONS[self.activation](y)
        if keep is not None and self.dropout:
            y = y * (keep.to(y) / (1 - self.dropout)).unsqueeze(-1)
        y = y.squeeze(1) if chunks == 1 else y.sum(1)
        return y.unflatten(-1, out), statistics

    def infer(
        self,
        weights: Float[Tensor, "size"],
        x: Float[Tensor, "rows C H W"],
        channels: int,
        running: Float[Tensor, "2 filters"],
    ) -> Float[Tensor, "rows filters h w"]:
        """Test time: all rows through one unit, normalised by its running mean and variance; no dropout."""
        tensors = self.layout(channels).split(weights)
        W, b = tensors["W"], tensors.get("b")
        if self.norm:
            mean, var = running if self.output(x.shape[2:]) != (1, 1) else (0.0, 1.0 - EPS)
            scale = tensors["gamma"] * (var + EPS) ** -0.5
            W, b = W * scale.view(-1, 1, 1, 1), tensors["beta"] - mean * scale
        total = None
        for chunk in x.split(channels, 1):
            y = INFERENCE[self.activation](F.conv2d(chunk, W, b, self.stride, self.padding))
            total = y if total is None else total.add_(y)
        return total


@cache
def _layout(filters: int, channels: int, kernel: int, norm: bool) -> Layout:
    own = {"gamma": (filters,), "beta": (filters,)} if norm else {"b": (filters,)}
    return Layout({"W": (filters, channels, kernel, kernel), **own})


def _normalise(y: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    """Every (row, chunk, channel) by its own mean and variance over its area."""
    chunks, area = y.shape[1], y.shape[3]
    scale, shift = (v.unsqueeze(1).expand(y.shape[:3]).flatten() for v in (gamma, beta))
    out, mean, inverse = torch.native_batch_norm(y.reshape(1, -1, area), scale, shift, None, None, True, MOMENTUM, EPS)
    variance = (inverse.detach() ** -2 - EPS) * (area / (area - 1))
    statistics = torch.stack((mean.detach(), variance)).unflatten(1, (len(y), chunks, -1))
    return out.view_as(y), statistics.movedim(0, 2)


def advance_running(
    running: Float[Tensor, "U 2 F"], statistics: Float[Tensor, "n 2 F"], units: Int[Tensor, "n"]
) -> None:
    """Moving averages after updates one by one, in the order of `statistics`, each of the running values of `units`.

    Closed form: of n updates the i-th has weight μ(1−μ)^(n−1−i), and the old value (1−μ)^n.
    """
    one_hot = F.one_hot(units, len(running))
    later = (one_hot.sum(0) - one_hot.cumsum(0)).gather(1, units[:, None])  # updates of the same unit still to come
    running.mul_(((1 - MOMENTUM) ** one_hot.sum(0).to(running))[:, None, None])
    running.index_add_(0, units, statistics * (MOMENTUM * (1 - MOMENTUM) ** later.to(running))[..., None])


@dataclass(frozen=True)
class Classifier:
    """Dense layers with dropout after every hidden one, and after the output where `logit_dropout` is not 0."""

    sizes: tuple[int, ...]
    activation: str = "leaky"
    dropout: float = 0.0
    logit_dropout: float = 0.0

    @cached_property
    def layout(self) -> Layout:
        return Layout(linear_shapes(self.sizes))

    @property
    def rates(self) -> tuple[float, ...]:
        """Dropout rate after each layer."""
        return (self.dropout,) * (len(self.sizes) - 2) + (self.logit_dropout,)

    def apply(
        self,
        weights: Float[Tensor, "S size"],
        x: Float[Tensor, "S B n"],
        draws: Float[Tensor, "S B width"] | None = None,
    ) -> Float[Tensor, "S B n_out"]:
        """Outputs; `draws` in [0, 1), one for every neuron of every layer, decide what dropout leaves (None: all)."""
        tensors, at = self.layout.split(weights), 0
        for i, rate in enumerate(self.rates, 1):
            x = linear(x, tensors[f"W{i}"], tensors[f"b{i}"])
            if i < len(self.rates):
                x = ACTIVATIONS[self.activation](x)
            if draws is not None and rate:
                x = x * ((draws[..., at : at + x.shape[-1]] >= rate).to(x) / (1 - rate))
            at += x.shape[-1]
        return x
