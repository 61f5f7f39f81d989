"""Permuted streams: the same images in every task, their pixels in another order each time."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from unforget.data import images
from unforget.data.streams import Samples, Stage, Stream, unit_range


def permuted(image_set: str, tasks: int, padding: int = 2, permutation_seed: int = 42) -> Stream:
    """All classes in every task, the zero-padded pixels in another fixed order each time; task 1 keeps its order.

    The orders come from numpy's `RandomState(permutation_seed)` and do not depend on a run's seed, as in hypercl.
    """
    data, classes = images.load(image_set), images.describe(image_set).classes
    x_train, x_test = (F.pad(x, (padding,) * 4).flatten(1) for x in (data.x_train, data.x_test))
    rng, pixels = np.random.RandomState(permutation_seed), x_train.shape[1]
    orders = torch.stack([torch.arange(pixels)] + [torch.from_numpy(rng.permutation(pixels)) for _ in range(tasks - 1)])
    on_device: dict[torch.device, Tensor] = {}

    def reorder(x: Tensor, y: Tensor) -> Tensor:
        if x.device not in on_device:
            on_device[x.device] = orders.to(x.device)
        return unit_range(x.gather(-1, on_device[x.device][y // classes]), y)

    def part(x: Tensor, y: Tensor, t: int) -> Samples:
        return Samples(x, y + t * classes, reorder)

    return Stream(
        title=f"Permuted {data.title}", classes=classes, input_shape=(pixels,),
        stages=tuple(Stage(f"task {t + 1}", (t,), part(x_train, data.y_train, t)) for t in range(tasks)),
        tests=tuple(part(x_test, data.y_test, t) for t in range(tasks)), checksums=data.checksums,
    )  # fmt: skip
