"""Small files of the same form as the real data sets', each with what the catalogue would say of them."""

import gzip
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.io import savemat
from torchvision import datasets

from unforget.data import files, readers
from unforget.data.files import Form, Source

TRAIN, TEST = 20, 10


def samples(image: tuple[int, int, int], classes: int = 10) -> files.Arrays:
    random = np.random.RandomState(1)
    arrays = {}
    for part, n in (("train", TRAIN), ("test", TEST)):
        arrays[f"x_{part}"] = random.randint(0, 256, (n, *image)).astype(np.uint8)
        arrays[f"y_{part}"] = random.randint(0, classes, n).astype(np.uint8)
    return arrays


def no_download(folder: str) -> None:
    raise OSError("no network")


def source(arrays: files.Arrays, folder: Path, paths: list[str], read, **options) -> Source:
    """What the catalogue would say of files that hold just these arrays."""
    form = Form({path: files.md5_of(folder / path) for path in paths}, read, **options)
    shapes = {part: values.shape for part, values in arrays.items()}
    return Source((form,), shapes, files.checksums(arrays), no_download)


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write_idx(folder: Path, arrays: files.Arrays, suffix: str = ".gz") -> list[str]:
    paths = []
    for part, name in (("train", "train"), ("test", "t10k")):
        x, y = arrays[f"x_{part}"][:, 0], arrays[f"y_{part}"]
        for kind, values in (("images-idx3", x), ("labels-idx1", y)):
            header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes()
            content = header + values.tobytes()
            paths.append(f"MNIST/raw/{name}-{kind}-ubyte{suffix}")
            put(folder / paths[-1], gzip.compress(content, mtime=0) if suffix else content)
    return paths


def mnist(folder: Path) -> tuple[files.Arrays, Source]:
    arrays = samples((1, 28, 28))
    paths = write_idx(folder, arrays)
    return arrays, source(arrays, folder, paths, partial(readers.idx, names=paths))


def cifar_binary(folder: Path, coarse: bool = False) -> tuple[files.Arrays, Source]:
    arrays = samples((3, 32, 32), 100 if coarse else 10)

    def records(part: str) -> np.ndarray:
        x, y = arrays[f"x_{part}"].reshape(-1, 3072), arrays[f"y_{part}"][:, None]
        return np.concatenate([*([y // 5] if coarse else []), y, x], 1)

    train, test = ["bin/data_batch_1.bin", "bin/data_batch_2.bin"], ["bin/test_batch.bin"]
    for path, part in zip(train + test, [*np.split(records("train"), 2), records("test")], strict=True):
        put(folder / path, part.tobytes())
    read = partial(readers.cifar_binary, train=train, test=test, label_bytes=1 + coarse)
    return arrays, source(arrays, folder, train + test, read)


def cifar_pickles(folder: Path, coarse: bool = False) -> tuple[files.Arrays, Source]:
    """Pickles, and torchvision's class changed to expect them."""
    arrays = samples((3, 32, 32), 100 if coarse else 10)
    base = "py"

    def write(name: str, content: dict) -> list[str]:
        put(folder / base / name, pickle.dumps(content, protocol=2))
        return [name, files.md5_of(folder / base / name)]

    def batch(part: str, some: slice = slice(None)) -> dict:
        x, y = arrays[f"x_{part}"][some], arrays[f"y_{part}"][some]
        fine_and_coarse = {"fine_labels": y.tolist(), "coarse_labels": (y // 5).tolist()}
        labels = fine_and_coarse if coarse else {"labels": y.tolist()}
        return {"data": x.reshape(len(x), -1)} | labels

    class Small(datasets.CIFAR100 if coarse else datasets.CIFAR10):
        base_folder = base
        train_list = [
            write("data_batch_1", batch("train", slice(None, TRAIN // 2))),
            write("data_batch_2", batch("train", slice(TRAIN // 2, None))),
        ]
        test_list = [write("test_batch", batch("test"))]
        meta = dict(zip(("filename", "md5"), write("meta", {"names": ["a"]}), strict=True)) | {"key": "names"}

    paths = [f"{base}/{name}" for name in ("data_batch_1", "data_batch_2", "test_batch", "meta")]
    read = partial(readers.cifar_pickles, dataset=Small)
    return arrays, source(arrays, folder, paths, read, verify_first=True)


def svhn(folder: Path) -> tuple[files.Arrays, Source]:
    """MATLAB files in which 10 stands for the digit 0; the sha256 of the arrays is not known beforehand."""
    arrays = samples((3, 32, 32))
    for part in ("train", "test"):
        y = arrays[f"y_{part}"]
        y[0] = 0
        content = {"X": arrays[f"x_{part}"].transpose(2, 3, 1, 0), "y": np.where(y == 0, 10, y)[:, None]}
        savemat(folder / f"{part}.mat", content)
    read = partial(readers.svhn, train="train.mat", test="test.mat")
    made = source(arrays, folder, ["train.mat", "test.mat"], read, verify_first=True)
    return arrays, replace(made, checksums={})


FORMATS = {
    "mnist": mnist,
    "cifar10 pickles": cifar_pickles,
    "cifar10 binary": cifar_binary,
    "cifar100 pickles": partial(cifar_pickles, coarse=True),
    "cifar100 binary": partial(cifar_binary, coarse=True),
    "svhn": svhn,
}
