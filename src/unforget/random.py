"""Stateless randomness: every draw is a function of (seed, stream name, step).

One counter-based generator, Philox 4x32-10 (Salmon et al., SC 2011), in integer tensor operations, so that the same
integers come out on CPU and CUDA, whatever trains beside a replica and however often a run was interrupted. The 128-bit
counter holds (block, step, 64-bit hash of the stream name); the 64-bit key holds the seed.

`seeds` is an int64 tensor [S] on the device where the numbers are wanted; `step` an int or an int64 tensor without axes.
"""

import hashlib
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

_MASK = 0xFFFFFFFF
_ROUND = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)


def philox(counter: tuple, key: tuple) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Four 32-bit words (as int64 tensors) per counter: Philox 4x32 with ten rounds.

    `counter` is four and `key` two broadcastable int64 tensors or ints below 2**32.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * _ROUND[0], c2 * _ROUND[1]  # int64 wraps; the mask below makes the high word right all the same
        c0, c1, c2, c3 = (p1 >> 32) & _MASK ^ c1 ^ k0, p1 & _MASK, (p0 >> 32) & _MASK ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return c0, c1, c2, c3


def words(seeds: Int[Tensor, "S"], stream: str, step, n: int) -> Int[Tensor, "S n"]:
    """`n` uniform integers in [0, 2**32) per replica. The first words do not depend on `n`."""
    name = int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "big")
    block = torch.arange(-(-n // 4), device=seeds.device)
    counter = (block, step & _MASK, torch.full_like(block, name >> 32), torch.full_like(block, name & _MASK))
    key = ((seeds & _MASK)[:, None], ((seeds >> 32) & _MASK)[:, None])
    return torch.stack(torch.broadcast_tensors(*philox(counter, key)), -1).flatten(1)[:, :n]


def uniform(seeds: Int[Tensor, "S"], stream: str, step, shape: tuple[int, ...]) -> Float[Tensor, "S ..."]:
    """Uniform numbers in [0, 1) with 24 bits, shape [S, *shape]."""
    draws = words(seeds, stream, step, math.prod(shape))
    return ((draws >> 8).float() * 2.0**-24).reshape(len(seeds), *shape)


def normal(seeds: Int[Tensor, "S"], stream: str, step, shape: tuple[int, ...]) -> Float[Tensor, "S ..."]:
    """Standard normal numbers (Box-Muller, 32 bits each), shape [S, *shape]; equal across devices to rounding."""
    n = math.prod(shape)
    pairs = (words(seeds, stream, step, 2 * -(-n // 2)).float() + 0.5) * 2.0**-32
    radius, angle = (-2 * pairs[:, 0::2].log()).sqrt(), (2 * math.pi) * pairs[:, 1::2]
    draws = torch.stack((radius * angle.cos(), radius * angle.sin()), -1).flatten(1)[:, :n]
    return draws.reshape(len(seeds), *shape)


def integers(seeds: Int[Tensor, "S"], stream: str, step, shape: tuple[int, ...], high: int) -> Int[Tensor, "S ..."]:
    """Integers in [0, high), `high` below 2**31, shape [S, *shape]."""
    draws = words(seeds, stream, step, math.prod(shape))
    return ((draws * high) >> 32).reshape(len(seeds), *shape)


def permutation(seeds: Int[Tensor, "S"], stream: str, step, n: int) -> Int[Tensor, "S n"]:
    """A random order of 0..n-1 per replica."""
    return words(seeds, stream, step, n).argsort(dim=1, stable=True)
