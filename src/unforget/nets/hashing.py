"""Feature hashing (Weinberger et al. 2009; sections 2 and 3.2.1 of the HRN paper): vectors of any length to length s.

A hash function φ is one table of *slots* in [0, 2s): input j is added to bucket slot mod s, with a minus sign where
the slot is s or more. Bucket and sign are uniform and independent, so that inner products are kept on average.
Shorter inputs use the beginning of the table. Nothing is multiplied by a matrix: the forward pass scatters, the
backward pass gathers.
"""

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
