"""The three one-dimensional regression tasks of the HNET paper (Fig. 2): curves on neighbouring intervals."""

import hashlib

import numpy as np
import torch

from unforget.data.streams import Samples, Stage, Stream

CURVES = (
    (-4.0, -2.0, lambda x: x + 3),
    (-1.0, 1.0, lambda x: 2 * x**2 - 1),
    (2.0, 4.0, lambda x: (x - 3) ** 3),
)
TASKS = len(CURVES)


def task(t: int, train: int = 100, test: int = 50, noise: float = 0.05, seed: int = 42) -> tuple[np.ndarray, ...]:
    """x_train [100, 1] uniform with noisy y_train, x_test [50, 1] equidistant with noiseless y_test; float32.

    The same data seed serves every task and every run, as in the published code.
    """
    low, high, curve = CURVES[t]
    rng = np.random.RandomState(seed)
    x_train = rng.uniform(low, high, (train, 1))
    x_test = np.linspace(low, high, test)[:, None]
    y_train = curve(x_train) + rng.normal(0, noise, (train, 1))
    return tuple(part.astype(np.float32) for part in (x_train, y_train, x_test, curve(x_test)))


def toy_regression() -> Stream:
    """The three curves to fit one after the other."""
    tasks = [task(t) for t in range(TASKS)]
    digest = hashlib.sha256(b"".join(part.tobytes() for parts in tasks for part in parts)).hexdigest()
    samples = [[Samples(*map(torch.from_numpy, pair)) for pair in (parts[:2], parts[2:])] for parts in tasks]
    return Stream(
        title="toy regression", classes=0, input_shape=(1,),
        stages=tuple(Stage(f"task {t + 1}", (t,), train) for t, (train, _) in enumerate(samples)),
        tests=tuple(test for _, test in samples), checksums={"all arrays": digest},
    )  # fmt: skip
