"""Decoding the file formats of the data sets; each reader takes a data folder and returns `files.Arrays`.

torchvision is imported where it is used: it takes seconds, and the embedded data do without.
"""

import gzip
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from unforget.data.files import Arrays


def idx(folder: Path, names: list[str]) -> Arrays:
    """MNIST's format. `names`: train images, train labels, test images, test labels; gzipped or not."""
    from torchvision.datasets.mnist import read_image_file, read_label_file

    x_train, y_train, x_test, y_test = (
        _unpacked(folder / name, read)
        for name, read in zip(names, (read_image_file, read_label_file) * 2, strict=True)
    )
    return {"x_train": x_train[:, None], "y_train": y_train, "x_test": x_test[:, None], "y_test": y_test}


def _unpacked(path: Path, read) -> np.ndarray:
    if path.suffix != ".gz":
        return read(str(path)).numpy()
    # not beside the file: the data folder may be read-only, or in use by another process
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / path.stem
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        return read(str(plain)).numpy()


def cifar_binary(folder: Path, train: list[str], test: list[str], label_bytes: int) -> Arrays:
    """The makers' binary version: records of `label_bytes` labels (the last one counts) and 3072 pixels."""

    def read(paths: list[str]) -> tuple[np.ndarray, np.ndarray]:
        length = label_bytes + 3 * 32 * 32
        records = np.concatenate([np.fromfile(folder / path, np.uint8).reshape(-1, length) for path in paths])
        images = np.ascontiguousarray(records[:, label_bytes:])
        return images.reshape(-1, 3, 32, 32), records[:, label_bytes - 1]

    (x_train, y_train), (x_test, y_test) = read(train), read(test)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def cifar_pickles(folder: Path, dataset: type) -> Arrays:
    """The pickles, through torchvision's class `dataset`, which compares md5s before it unpickles."""
    arrays = {}
    for part, train in (("train", True), ("test", False)):
        data = dataset(str(folder), train=train, download=False)
        arrays[f"x_{part}"] = np.ascontiguousarray(data.data.transpose(0, 3, 1, 2))
        arrays[f"y_{part}"] = np.array(data.targets)
    return arrays


def svhn(folder: Path, train: str, test: str) -> Arrays:
    """MATLAB files with X [32, 32, 3, n] and y [n, 1], where the label 10 means the digit 0."""
    arrays = {}
    for part, name in (("train", train), ("test", test)):
        mat = loadmat(folder / name, variable_names=("X", "y"))
        arrays[f"x_{part}"] = np.ascontiguousarray(mat["X"].transpose(3, 2, 0, 1))
        arrays[f"y_{part}"] = mat["y"].reshape(-1) % 10
    return arrays
