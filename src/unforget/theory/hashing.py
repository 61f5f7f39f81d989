"""Section 2 of Berjaoui (2020), in numbers: what feature hashing keeps of inner products, and how far it strays.

Many hash functions φ are drawn (the package's own, `unforget.nets.hashing`), and what the paper states for all of them is
measured over them: E[φ(a)ᵀφ(b)] = aᵀb; E[φ(a)ᵀφ'(b)] = 0 for two different functions; and the bounds on |vᵀφ'(x)|, v in the
image of φ, of Eq. 1 and Eq. 2. The vectors are embedded digits, the images that the book's short runs learn.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from unforget.data import images
from unforget.errors import UnforgetError
from unforget.nets import hashing

SIZES = (50, 100, 300, 1000, 2800)
"""Lengths s of hash vectors: those of the paper's experiments, and what lies between."""
FUNCTIONS, IMAGES = 400, 6
AT_ONCE = 100  # functions whose hash vectors are held together


def digits(n: int = IMAGES) -> Float[Tensor, "n pixels"]:
    """The first training images of the first n digits, grey values in [0, 1]."""
    data = images.load("digits")
    first = [int((data.y_train == digit).nonzero()[0, 0]) for digit in range(n)]
    return data.x_train[first].flatten(1).double() / 255


def bounded(x: Float[Tensor, "n pixels"]) -> Float[Tensor, "n pixels"]:
    """x / ‖x‖∞, as Eq. 3 has it before hashing."""
    return x / x.abs().amax(1, keepdim=True)


def unit(x: Float[Tensor, "n pixels"]) -> Float[Tensor, "n pixels"]:
    """x / ‖x‖."""
    return x / x.norm(dim=1, keepdim=True)


def hash_vectors(x: Float[Tensor, "n pixels"], s: int, name: str, functions: int = FUNCTIONS, first: int = 0) -> Float[Tensor, "T n s"]:
    """φ(x) of all x by T hash functions; `name` tells families of functions apart. Raises `UnforgetError` for s < 1."""
    if s < 1:
        raise UnforgetError(f"hash vectors have at least one number, not {s}")
    tables = hashing.slots(torch.arange(first, first + functions), name, x.shape[1], s)
    runs = [(t, t * len(x), (t + 1) * len(x)) for t in range(functions)]
    return hashing.hashed(x.repeat(functions, 1), tables, runs, s).unflatten(0, (functions, -1))


def products(x: Float[Tensor, "n pixels"], s: int, second: str = "phi", functions: int = FUNCTIONS) -> Float[Tensor, "T n n"]:
    """φ(a)ᵀφ'(b) of all pairs by T pairs of functions; φ' is φ itself unless `second` names another family."""
    found = []
    for first in range(0, functions, AT_ONCE):
        number = min(AT_ONCE, functions - first)
        a = hash_vectors(x, s, "phi", number, first)
        b = a if second == "phi" else hash_vectors(x, s, second, number, first)
        found.append(a @ b.mT)
    return torch.cat(found)


def spread(a: Float[Tensor, "pixels"], b: Float[Tensor, "pixels"], s: int) -> float:
    """Standard deviation of φ(a)ᵀφ(b) over hash functions, in closed form (Weinberger et al. 2009, lemma 2)."""
    shared = float((a * a * b * b).sum())
    return math.sqrt((float(a @ a) * float(b @ b) - shared + float(a @ b) ** 2 - shared) / s)


# --- The tails ------------------------------------------------------------------------------------------------------


def bound(epsilon: np.ndarray, s: int, v: Float[Tensor, "s"], x: Float[Tensor, "pixels"]) -> np.ndarray:
    """Eq. 1: at most so often |vᵀφ'(x)| > ε over φ'."""
    return _bernstein(epsilon, float(v @ v) * float(x @ x) / s, float(v.abs().max()) * float(x.abs().max()))


def free_bound(epsilon: np.ndarray, s: int, pixels: int) -> np.ndarray:
    """Eq. 2: the same for any v with ‖v‖ = 1 and any x of so many pixels with ‖x‖∞ = 1."""
    return _bernstein(epsilon, pixels / s, 1.0)


def _bernstein(epsilon: np.ndarray, variance: float, largest: float) -> np.ndarray:
    return np.minimum(1.0, 2 * np.exp(-(epsilon**2) / 2 / (variance + largest * epsilon / 3)))


@dataclass(frozen=True)
class Tails:
    """How often |vᵀφ'(x)| > ε: measured over φ' and over pairs (v, x), and the means of the bounds over the same pairs."""

    s: int
    functions: int
    epsilon: np.ndarray
    measured: np.ndarray
    eq1: np.ndarray
    eq2: np.ndarray


def tails(x: Float[Tensor, "n pixels"], s: int, epsilon: np.ndarray, functions: int = FUNCTIONS) -> Tails:
    """v is the normalised hash of every other image by one function, x an image with ‖x‖∞ = 1, φ' another function."""
    x = bounded(x)
    v, _ = hashing.normalised(hash_vectors(x, s, "fixed", 1)[0])
    found = []
    for first in range(0, functions, AT_ONCE):
        found.append(hash_vectors(x, s, "phi", min(AT_ONCE, functions - first), first) @ v.T)
    size = torch.cat(found).abs().numpy()  # [T, x, v]
    pairs = [(i, j) for i in range(len(x)) for j in range(len(x)) if i != j]
    measured = np.mean([[(size[:, i, j] > e).mean() for e in epsilon] for i, j in pairs], 0)
    eq1 = np.mean([bound(epsilon, s, v[j], x[i]) for i, j in pairs], 0)
    return Tails(s, functions, epsilon, measured, eq1, free_bound(epsilon, s, x.shape[1]))


# --- What the claim needs -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Findings:
    """What was measured for one s; errors in standard errors of the mean over hash functions, the largest of all pairs."""

    s: int
    bias: float
    orthogonal_bias: float
    spread: float  # root of the mean square of cosines between hash vectors of two functions
    beyond_eq1: float
    beyond_eq2: float  # how far a measured tail lies above its bound at most, as a probability


@cache
def findings(s: int, functions: int = FUNCTIONS) -> Findings:
    """Everything that section 2 states, measured at one length of the hash vectors."""
    x = unit(digits())
    one, two = products(x, s, functions=functions), products(x, s, "phi'", functions)
    a, b = torch.triu_indices(len(x), len(x), 1)  # pairs of different images
    tail = tails(digits(), s, np.linspace(0.05, 3, 60) * math.sqrt(x.shape[1] / s), functions)
    return Findings(
        s, _bias(one[:, a, b], (x @ x.T)[a, b]), _bias(two[:, a, b], torch.zeros(len(a)).double()),
        float(two[:, a, b].square().mean().sqrt()),
        float((tail.measured - tail.eq1).max()), float((tail.measured - tail.eq2).max()),
    )  # fmt: skip


def _bias(measured: Float[Tensor, "T pairs"], wanted: Float[Tensor, "pairs"]) -> float:
    error = measured.std(0) / math.sqrt(len(measured))
    return float(((measured.mean(0) - wanted).abs() / error).max())


def exponent(functions: int = FUNCTIONS) -> float:
    """p of the power s^p by which the spread falls with the length s, fitted over `SIZES`."""
    spreads = [findings(s, functions).spread for s in SIZES]
    return float(np.polyfit(np.log(SIZES), np.log(spreads), 1)[0])
