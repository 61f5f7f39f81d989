"""Feature hashing (Weinberger et al. 2009; sections 2 and 3.2.1 of the HRN paper): vectors of any length to length s.

A hash function φ is one table of *slots* in [0, 2s): input j is added to bucket slot mod s, with a minus sign where
the slot is s or more. Bucket and sign are uniform and independent, so that inner products are kept on average.
Shorter inputs use the beginning of the table. Nothing is multiplied by a matrix: the forward pass scatters, the
backward pass gathers.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unforget import random

Run = tuple[int, int, int]
"""Rows start ... stop-1 are hashed by one table: (table, start, stop)."""


def slots(seeds: Int[Tensor, "S"], name: str, n: int, s: int) -> Int[Tensor, "S n"]:
    """The table of the hash function `name` of every replica; the first entries do not depend on `n`."""
    return random.integers(seeds, f"hash/{name}", 0, (n,), 2 * s)


def affine_slots(seeds: Int[Tensor, "S"], name: str, n: int, s: int, number: int = 0) -> Int[Tensor, "S n"]:
    """As `slots`, by the functions of the paper's published code.

    Input j is in bucket ((a j + b) mod p) mod s, with a minus sign where (a' j + b') mod q is odd. p is the prime that
    comes `number` primes after the first one of `published_prime`; the prime q < 3·10⁷ and the factors are random. As p
    is hardly larger than s, buckets fill unevenly, and j and j + p always share one. Computed in exact integers: the
    rounding of the code, which computes in float32, is not copied.
    """
    words, p = random.words(seeds, f"affine hash/{name}", 0, 5), published_prime(s)
    for _ in range(number):
        p = next_prime(p + 1)
    q = torch.tensor([next_prime(3 + (int(word) * (LARGEST - 3) >> 32), -1) for word in words[:, 4]]).to(words)
    below = torch.tensor([p - 1, p]).to(words)
    below = torch.cat((below.expand(len(words), 2), torch.stack((q - 1, q), 1)), 1)
    a, b, a_sign, b_sign = (words[:, :4] * below >> 32).unsqueeze(-1).unbind(1)
    j = torch.arange(n, device=words.device)
    return ((a + 1) * j + b) % p % s + s * (((a_sign + 1) * j + b_sign) % q[:, None] % 2)


LARGEST = 3 * 10**7
PUBLISHED = (881, 4003)
"""The published code's primes of the input's function, where s = 300 and where s = 2800."""


def published_prime(s: int) -> int:
    """The first of the published primes that exceeds s, so that every bucket can be reached; else the next prime."""
    return next((p for p in PUBLISHED if p > s), None) or next_prime(s + 1)


def next_prime(n: int, step: int = 1) -> int:
    """The first prime among n, n + step, n + 2 step, ... (n > 2)."""
    while any(n % d == 0 for d in range(2, math.isqrt(n) + 1)):
        n += step
    return n


def table(family: str, seeds: Int[Tensor, "S"], name: str, number: int, n: int, s: int) -> Int[Tensor, "S n"]:
    """The table of hash function `name`, the `number`th of its network, in a family of functions."""
    return slots(seeds, name, n, s) if family == "random" else affine_slots(seeds, name, n, s, number)


def hashed(
    x: Float[Tensor, "rows n"], tables: Int[Tensor, "G N"], runs: Sequence[Run], s: int
) -> Float[Tensor, "rows s"]:
    """φ(x) of every row, not normalised; `runs` cover the rows without gaps, and N may exceed n."""
    return _SignedScatter.apply(x, tables, tuple(runs), s)


def normalised(h: Float[Tensor, "*lead s"]) -> tuple[Float[Tensor, "*lead s"], Float[Tensor, "*lead"]]:
    """h / ‖h‖ (zero vectors stay zero) and ‖h‖. φ is linear, so Eq. 3's division by ‖x‖∞ cancels here."""
    norm = h.norm(dim=-1)
    return h / torch.where(norm > 0, norm, 1.0).unsqueeze(-1), norm


class _SignedScatter(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, tables, runs, s):
        ctx.tables, ctx.runs = tables, runs
        both = x.new_zeros(len(x), 2 * s)
        for table, start, stop in runs:
            both[start:stop].index_add_(1, tables[table, : x.shape[1]], x[start:stop])
        ctx.n = x.shape[1]
        return both[:, :s] - both[:, s:]

    @staticmethod
    def backward(ctx, gradient):
        both = torch.cat((gradient, -gradient), 1)
        parts = [both[start:stop].index_select(1, ctx.tables[table, : ctx.n]) for table, start, stop in ctx.runs]
        return torch.cat(parts), None, None, None
