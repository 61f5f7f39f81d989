"""Random numbers for many steps drawn in one go: a step then costs a look-up, and gets the same numbers in any case."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unforget import random

BLOCK_WORDS = 2**16
MOST_STEPS = 256


class Ahead:
    """Uniform numbers in [0, 1) of `shape` per replica and step; callable as (step) -> [S, *shape].

    They are a function of (seed, name, step) and the shape alone.
    """

    def __init__(self, seeds: Int[Tensor, "S"], name: str, shape: tuple[int, ...]):
        self.seeds, self.name, self.shape = seeds, name, shape
        self.steps = max(1, min(MOST_STEPS, BLOCK_WORDS // max(1, math.prod(shape))))
        self._block: tuple[int, Tensor] = (-1, torch.empty(0))

    def __call__(self, step: int) -> Float[Tensor, "S ..."]:
        number, at = divmod(step, self.steps)
        if self._block[0] != number:
            self._block = number, random.uniform(self.seeds, self.name, number, (self.steps, *self.shape))
        return self._block[1][:, at]
