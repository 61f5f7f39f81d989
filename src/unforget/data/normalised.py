"""Pixels shifted and scaled by the mean and the spread of each channel, on the device, as a batch is drawn."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from unforget.errors import choose

_HALVES, _CIFAR100 = ((0.5,) * 3, (0.5,) * 3), ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))
CONSTANTS = {
    "mnist": ((0.1307,), (0.3081,)),
    "fashion-mnist": ((0.5,), (0.5,)),
    "svhn": _HALVES,
    "cifar10": _HALVES,
    "cifar100": _CIFAR100,
    # stand-ins: those of the sets they stand in for
    "digits": ((0.1307,), (0.3081,)),
    "colour-digits": _HALVES,
    "colour-digits-100": _CIFAR100,
}
"""Mean and standard deviation per channel, of pixels between 0 and 1, as the published code of Berjaoui (2020) has them
(CIFAR-10, which it does not use, like SVHN)."""


@cache
def normalise(image_set: str) -> Callable[[Tensor, Tensor], Tensor]:
    """What `Samples` of an image set call: (x uint8 [S, B, C, H, W], y) to float32 of the same shape.

    One function per image set, so that stages of it can be merged. Raises `UnforgetError` for a set without constants.
    """
    mean, spread = CONSTANTS[choose("image set with normalisation constants", image_set, CONSTANTS)]
    on_device: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def prepare(x: Tensor, y: Tensor) -> Tensor:
        if x.device not in on_device:
            on_device[x.device] = tuple(torch.tensor(v, device=x.device).view(-1, 1, 1) for v in (mean, spread))
        m, s = on_device[x.device]
        return (x.float() / 255).sub_(m).div_(s)

    return prepare
