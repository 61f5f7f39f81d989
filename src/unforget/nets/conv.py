"""Convolutional encoders and fully connected classifiers as pure functions of their weights, with batch normalisation
and dropout.

Inside, the replicas of a batch lie side by side as channels, [B, S C, H, W], so that a convolution with S groups and one
batch normalisation over S C channels serve all of them. What else a call depends on is handed to it: the running
statistics, which belong to a learner's state and not to its weights, and the random numbers behind dropout.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from unforget.nets.layout import Layout, fan_in_uniform
from unforget.nets.mlp import linear

Activation = Literal["leaky_relu", "relu", "linear"]
ACTIVATIONS = {"leaky_relu": F.leaky_relu, "relu": F.relu, "linear": lambda x: x}
MOMENTUM, EPS = 0.1, 1e-5
"""Of batch normalisation; torch's own, as are the slope of the leaky ReLU (0.01) and the initial weights."""

Statistics = dict[str, Tensor]
"""Running means and variances [S, channels] by name."""


@dataclass(frozen=True)
class Conv:
    """Convolution, batch normalisation, activation, dropout of whole channels; square kernels."""

    filters: int
    kernel: int
    stride: int
    padding: int
    norm: bool = True
    activation: Activation = "leaky_relu"
    dropout: float = 0.0

    def shape(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        side = [(n + 2 * self.padding - self.kernel) // self.stride + 1 for n in inputs[1:]]
        return (self.filters, *side)

    def weights(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        return (self.filters, inputs[0], self.kernel, self.kernel)


@dataclass(frozen=True)
class Dense:
    """Fully connected layer, batch normalisation, activation, dropout."""

    neurons: int
    norm: bool = False
    activation: Activation = "leaky_relu"
    dropout: float = 0.0

    def shape(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        return (self.neurons,)

    def weights(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        return (self.neurons, math.prod(inputs))


@dataclass(frozen=True)
class Network:
    """Layers one after the other, all `Conv` or all `Dense`; outputs are flattened to [S, B, features].

    A bias in front of batch normalisation is subtracted again with the mean. It has its place among the weights, since
    papers count it, but is never computed with: its gradient would be rounding noise, which Adam scales up to full steps.
    """

    input_shape: tuple[int, ...]
    layers: tuple[Conv, ...] | tuple[Dense, ...]

    @cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shape of one sample before every layer, and after the last."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.shape(shapes[-1]))
        return shapes

    @property
    def features(self) -> int:
        """Numbers a sample is turned into."""
        return math.prod(self.shapes[-1])

    @cached_property
    def layout(self) -> Layout:
        shapes = {}
        for i, (layer, before, after) in enumerate(zip(self.layers, self.shapes, self.shapes[1:]), 1):
            shapes |= {f"W{i}": layer.weights(before), f"b{i}": after[:1]}
            if layer.norm:
                shapes |= {f"gamma{i}": after[:1], f"beta{i}": after[:1]}
        return Layout(shapes)

    @property
    def draws(self) -> int:
        """Random numbers that dropout needs for one sample."""
        return sum(after[0] for layer, after in zip(self.layers, self.shapes[1:]) if layer.dropout)

    def initial(self, seeds: Int[Tensor, "S"], stream: str) -> Float[Tensor, "S size"]:
        """Weights and biases by fan-in; batch normalisation as the identity."""
        tensors = self.layout.split(fan_in_uniform(self.layout, seeds, stream))
        fixed = {"gamma": torch.ones_like, "beta": torch.zeros_like}
        return self.layout.join(
            {name: fixed.get(name.rstrip("0123456789"), lambda value: value)(value) for name, value in tensors.items()}
        )

    def fresh_statistics(self, replicas: int, device: torch.device) -> Statistics:
        """Running statistics before any batch: mean 0, variance 1."""
        statistics = {}
        for i, (layer, after) in enumerate(zip(self.layers, self.shapes[1:]), 1):
            if layer.norm:
                statistics[f"mean{i}"] = torch.zeros(replicas, after[0], device=device)
                statistics[f"var{i}"] = torch.ones(replicas, after[0], device=device)
        return statistics

    def apply(
        self,
        weights: Float[Tensor, "S size"],
        x: Float[Tensor, "#S B ..."],
        statistics: Statistics,
        draws: Float[Tensor, "S B n"] | None = None,
    ) -> Float[Tensor, "S B features"]:
        """Outputs for inputs [S, B, *input_shape]; x may have S = 1 to be shared by all replicas.

        With `draws`, uniform numbers in [0, 1), the network trains: dropout acts, batches are normalised by their own
        statistics, and `statistics` follow them in place. Without, running statistics are used and nothing changes.
        """
        tensors, S, used = self.layout.split(weights), len(weights), 0
        x = x.expand(S, *x.shape[1:])
        x = _side_by_side(x) if isinstance(self.layers[0], Conv) else x.flatten(2)
        for i, layer in enumerate(self.layers, 1):
            own = {name: tensors.get(f"{name}{i}") for name in ("W", "b", "gamma", "beta")}
            running = [statistics[f"{name}{i}"].view(-1) for name in ("mean", "var")] if layer.norm else []
            noise = None
            if draws is not None and layer.dropout:
                width = self.shapes[i][0]
                noise = (draws[..., used : used + width] >= layer.dropout) / (1 - layer.dropout)
                used += width
            step = _convolve if isinstance(layer, Conv) else _multiply
            x = step(layer, x, own, running, draws is not None, noise)
        return _apart(x, S).flatten(2) if x.ndim == 4 else x


def _convolve(layer: Conv, x: Tensor, own: dict, running: list[Tensor], training: bool, noise: Tensor | None) -> Tensor:
    """One layer on [B, S C, H, W]."""
    S, W = len(own["W"]), own["W"]
    bias = None if layer.norm else own["b"].flatten()
    x = F.conv2d(x, W.flatten(0, 1), bias, layer.stride, layer.padding, groups=S)
    if layer.norm:
        x = F.batch_norm(x, *running, own["gamma"].flatten(), own["beta"].flatten(), training, MOMENTUM, EPS)
    x = ACTIVATIONS[layer.activation](x)
    return x if noise is None else x * _side_by_side(noise)[..., None, None]


def _multiply(layer: Dense, x: Tensor, own: dict, running: list[Tensor], training: bool, noise: Tensor | None) -> Tensor:
    """One layer on [S, B, n]."""
    if layer.norm:
        x = _side_by_side(torch.bmm(x, own["W"].transpose(1, 2)))
        x = F.batch_norm(x, *running, own["gamma"].flatten(), own["beta"].flatten(), training, MOMENTUM, EPS)
        x = _apart(x, len(own["W"]))
    else:
        x = linear(x, own["W"], own["b"])
    x = ACTIVATIONS[layer.activation](x)
    return x if noise is None else x * noise


def squared_gradients(
    net: Network, weights: Float[Tensor, "S size"], x: Float[Tensor, "S B ..."], statistics: Statistics, loss
) -> Float[Tensor, "S size"]:
    """Sum over samples of squared per-sample gradients of a network in evaluation.

    `loss` maps features [S, B, features] to per-sample losses [S, B]. Every sample is made a replica of its own, so one
    backward pass gives the gradient of each.
    """
    S, B = x.shape[:2]

    def each(tensor: Tensor) -> Tensor:
        return tensor.detach().repeat_interleave(B, 0)

    with torch.enable_grad():
        copies = each(weights).requires_grad_()
        features = net.apply(copies, x.flatten(0, 1).unsqueeze(1), {k: each(v) for k, v in statistics.items()})
        (gradients,) = torch.autograd.grad(loss(features.view(S, B, -1)).sum(), copies)
    return gradients.square().unflatten(0, (S, B)).sum(1)


def _side_by_side(x: Tensor) -> Tensor:
    """[S, B, C, ...] as [B, S C, ...]."""
    return x.transpose(0, 1).flatten(1, 2)


def _apart(x: Tensor, S: int) -> Tensor:
    """The inverse: [B, S C, ...] as [S, B, C, ...], without a copy."""
    return x.unflatten(1, (S, -1)).transpose(0, 1)
