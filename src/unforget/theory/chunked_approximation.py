"""Proposition 1 of von Oswald et al. (2020, appendix E), in numbers: chunked networks approximate any weight map.

The proposition: for a continuous f from a compact set into R^n, n = r·N_C, and any ε there are a network h and chunk
embeddings c_1 ... c_NC with ‖[h(e, c_1), ..., h(e, c_NC)] − f(e)‖ < ε everywhere. It says nothing about sizes.

Here f is a smooth random curve of n weights over e in [-1, 1]; h has one wide hidden layer with random, fixed weights and
an output layer that is solved for by least squares. That is one way to a network, not the smallest one, but it is a
`ChunkedHypernet` like any other, and it needs no training: a wider layer is all that a smaller ε takes.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from unforget import random
from unforget.errors import UnforgetError
from unforget.hyper.chunked import ChunkedHypernet
from unforget.nets.layout import Layout

WEIGHTS, WAVES, CHUNK_EMBEDDING = 48, 4, 3
FITTED_ON, TESTED_ON = 201, 2001  # points of [-1, 1]; the second grid lies ten times as dense
STEEPNESS = 4.0  # of the hidden units: how finely they can resolve the interval
WIDEST = 1024


def curve(e: Float[Tensor, "points"], seed: int = 0) -> Float[Tensor, "points weights"]:
    """f(e): every weight is a sum of `WAVES` sines with random phases and falling amplitudes, of size about 1."""
    draws = np.random.RandomState(seed).uniform(0, 2 * np.pi, (WEIGHTS, WAVES))
    wave = torch.arange(1, WAVES + 1, dtype=torch.float64)
    return ((wave * e[:, None, None] + torch.from_numpy(draws)).sin() / wave).sum(-1)


@dataclass(frozen=True)
class Fit:
    """A fitted network: its size and its largest error over the dense grid, max over e of ‖h(e) − f(e)‖."""

    chunks: int
    width: int
    parameters: int
    error: float


def fit(chunks: int, width: int, seed: int = 0) -> Fit:
    """The chunked network with `width` hidden units whose output layer fits f best.

    Raises `UnforgetError` where the weights cannot be cut into that many equal chunks.
    """
    if chunks < 1 or WEIGHTS % chunks:
        raise UnforgetError(f"{WEIGHTS} weights cannot be cut into {chunks} equal chunks")
    net = ChunkedHypernet(
        Layout({"weights": (WEIGHTS,)}), (width,), 1, CHUNK_EMBEDDING, WEIGHTS // chunks, activation="sigmoid"
    )
    theta = _random_hidden_layer(net, seed)
    e = torch.linspace(-1, 1, FITTED_ON, dtype=torch.float64)
    A, _, _ = net.last_hidden(theta, e.view(1, -1, 1))  # one row per (chunk, e), e fastest
    A = torch.cat((A[0], torch.ones_like(A[0, :, :1])), 1)
    wanted = curve(e).unflatten(1, (chunks, -1)).transpose(0, 1).flatten(0, 1)
    # Truncated singular values: the hidden units are nearly dependent, and tiny residuals must not cost huge weights.
    solved = torch.linalg.lstsq(A, wanted, rcond=1e-13, driver="gelsd").solution
    theta[0, net.layout.slice("W2")] = solved[:-1].T.flatten()
    theta[0, net.layout.slice("b2")] = solved[-1]
    dense = torch.linspace(-1, 1, TESTED_ON, dtype=torch.float64)
    residual = net.generate(theta, dense.view(1, -1, 1))[0] - curve(dense)
    return Fit(chunks, width, net.layout.size, float(residual.norm(dim=1).max()))


def smallest(chunks: int, epsilon: float, seed: int = 0) -> Fit:
    """The first of widths 4, 8, 16, ... whose largest error is below ε. Raises `UnforgetError` where none up to `WIDEST` is."""
    width = 4
    while width <= WIDEST:
        found = fit(chunks, width, seed)
        if found.error < epsilon:
            return found
        width *= 2
    raise UnforgetError(f"no network with up to {WIDEST} hidden units reaches {epsilon:g}; the last one reached {found.error:.2g}")


def _random_hidden_layer(net: ChunkedHypernet, seed: int) -> Float[Tensor, "1 theta"]:
    """Directions and centres of the hidden units at random, chunk embeddings N(0, 1), the output layer still zero."""
    seeds = torch.tensor([seed])
    theta = torch.zeros(1, net.layout.size, dtype=torch.float64)
    W = STEEPNESS * random.normal(seeds, "W1", 0, net.layout.shapes["W1"]).double()
    c = random.normal(seeds, "c", 0, net.layout.shapes["c"]).double()
    # Each unit's centre is a random point among the inputs, so that all of them bend somewhere on the way.
    at = torch.cat((2 * random.uniform(seeds, "e", 0, (net.hidden[0], 1)).double() - 1,
                    c[:, random.integers(seeds, "j", 0, (net.hidden[0],), net.chunks)[0]]), -1)  # fmt: skip
    theta[:, net.layout.slice("W1")] = W.flatten(1)
    theta[:, net.layout.slice("b1")] = -(W * at).sum(-1)
    theta[:, net.layout.slice("c")] = c.flatten(1)
    return theta
