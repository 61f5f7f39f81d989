"""Image sets by name: `load("mnist")`."""

from dataclasses import dataclass
from functools import cache, partial

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from unforget.data import embedded, files
from unforget.data.catalogue import DESCRIPTIONS, Description
from unforget.errors import UnforgetError, choose

EMBEDDED = {
    "digits": embedded.digits,
    "colour-digits": partial(embedded.colour_digits, classes=10),
    "colour-digits-100": partial(embedded.colour_digits, classes=100),
}


@dataclass(frozen=True)
class ImageSet:
    """Images and labels in their makers' order, on the CPU; shared by all who load them, so read-only.

    `checksums` maps the names of the four tensors to their sha256 (see `unforget.data.files`).
    """

    name: str
    title: str
    x_train: UInt8[Tensor, "n C H W"]
    y_train: Int64[Tensor, "n"]
    x_test: UInt8[Tensor, "m C H W"]
    y_test: Int64[Tensor, "m"]
    checksums: dict[str, str]


def names() -> list[str]:
    """All image sets, the embedded ones first."""
    return list(DESCRIPTIONS)


def describe(name: str) -> Description:
    """What an image set is and where it comes from, without loading it. Raises `UnforgetError` if unknown."""
    return DESCRIPTIONS[choose("image set", name, DESCRIPTIONS)]


def available(name: str) -> bool:
    """Whether `load` would find all files without a download; their contents are not looked at."""
    about = describe(name)
    try:
        return about.source is None or files.find(about.source) is not None
    except UnforgetError:  # the folder that the environment names does not exist
        return False


@cache
def load(name: str) -> ImageSet:
    """An image set, verified and kept for the whole process; downloaded first if need be (see `files`).

    Raises `UnforgetError` for an unknown name, a missing file that cannot be downloaded, or a damaged one.
    """
    about = describe(name)
    if about.source is None:
        arrays = EMBEDDED[name]()
        checksums = files.checksums(arrays)
    else:
        arrays, checksums = files.load(about.title, about.source)
    x_train, x_test = (torch.from_numpy(arrays[part]) for part in ("x_train", "x_test"))
    y_train, y_test = (torch.from_numpy(arrays[part].astype("int64")) for part in ("y_train", "y_test"))
    return ImageSet(name, about.title, x_train, y_train, x_test, y_test, checksums)
