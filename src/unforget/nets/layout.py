"""Named tensors in one flat vector: how a network's weights are declared, generated, trained and counted."""

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unforget import random


class Layout:
    """The shapes of a network's tensors, in order. Weights of S replicas are one tensor [S, size].

    A hypernetwork writes such vectors, an optimiser steps them, a quadratic penalty weighs them; only the network cuts
    them into tensors.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]):
        self.shapes = dict(shapes)
        self.sizes = [math.prod(shape) for shape in self.shapes.values()]
        self.size = sum(self.sizes)

    def split(self, flat: Float[Tensor, "*lead size"]) -> dict[str, Tensor]:
        """Views [*lead, *shape] of `flat`. One split, so that its backward pass is one concatenation."""
        parts = flat.split(self.sizes, -1)
        return {name: part.unflatten(-1, shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def join(self, tensors: Mapping[str, Tensor]) -> Float[Tensor, "*lead size"]:
        """The inverse of `split`: tensors [*lead, *shape] to one [*lead, size]."""
        return torch.cat([tensors[name].flatten(-len(shape)) for name, shape in self.shapes.items()], -1)

    def slice(self, name: str) -> slice:
        """Where tensor `name` lies in the flat vector."""
        at = list(self.shapes).index(name)
        return slice(sum(self.sizes[:at]), sum(self.sizes[: at + 1]))


def linear_shapes(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Shapes of a fully connected stack: W1 [out, in], b1 [out], W2, ..."""
    shapes = {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes), 1):
        shapes |= {f"W{i}": (n_out, n_in), f"b{i}": (n_out,)}
    return shapes


def xavier_uniform(layout: Layout, seeds: Int[Tensor, "S"], stream: str) -> Float[Tensor, "S size"]:
    """Matrices Xavier uniform with gain 1, vectors zero: what hypercl does for every network it trains."""
    return _initial(layout, seeds, stream, lambda n_in, n_out: (6 / (n_in + n_out)) ** 0.5 if n_out else 0.0)


def fan_in_uniform(layout: Layout, seeds: Int[Tensor, "S"], stream: str) -> Float[Tensor, "S size"]:
    """Matrices and biases U(-1/sqrt(fan_in), 1/sqrt(fan_in)): torch's own default, which van de Ven's code keeps."""
    return _initial(layout, seeds, stream, lambda n_in, n_out: n_in**-0.5)


def _initial(layout, seeds, stream, bound) -> Tensor:
    # One stream per tensor: an initial value does not depend on which other tensors the network has.
    tensors, n_in = {}, 1
    for name, shape in layout.shapes.items():
        n_out, area = 0, math.prod(shape[2:])  # a kernel counts once per pixel it covers
        if len(shape) > 1:  # a bias keeps the fan-in of the matrix before it
            n_in, n_out = shape[1] * area, shape[0] * area
        tensors[name] = (2 * random.uniform(seeds, f"{stream}/{name}", 0, shape) - 1) * bound(n_in, n_out)
    return layout.join(tensors)
