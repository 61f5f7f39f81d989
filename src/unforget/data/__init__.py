"""Image sets and the task streams built from them. `KINDS` names the streams as experiments do."""

import inspect
from importlib import import_module
from typing import Any

from unforget.errors import UnforgetError, choose

KINDS = {
    "split": "unforget.data.split:split",
    "dealt": "unforget.data.dealt:dealt",
    "permuted": "unforget.data.permuted:permuted",
    "toy regression": "unforget.data.toy:toy_regression",
    "pairwise": "unforget.data.sequences:pairwise",
    "fashion then mnist": "unforget.data.sequences:fashion_then_mnist",
    "cifar100 in ten tasks": "unforget.data.sequences:cifar100_in_ten",
    "svhn then cifar100": "unforget.data.sequences:svhn_then_cifar100",
}
"""Kinds of stream by name. An entry may point outside the package: add yours to train on it. One that takes the keyword `seed`
is different for every seed, and its replicas train one at a time."""


def complete(kind: str, **parameters) -> dict[str, Any]:
    """A stream's declaration with every default spelt out; misspelt names are refused with the nearest valid one."""
    signature = inspect.Signature([each for name, each in _parameters(kind).items() if name != "seed"])
    for name in parameters:
        choose(f"parameter of stream {kind!r}", name, signature.parameters)
    bound = signature.bind(**parameters)
    bound.apply_defaults()
    return {"kind": kind, **bound.arguments}


def build(kind: str, seed: int | None = None, **parameters):
    """The stream that an experiment declares, as in `build("split", image_set="mnist", classes=2, tasks=5)`; `seed` matters
    where every seed has its own, and must be given there."""
    if by_seed(kind) and seed is None:
        raise UnforgetError(f"stream {kind!r} differs from seed to seed; say which, as in seed=0")
    return _find(kind)(**parameters, **({"seed": seed} if by_seed(kind) else {}))


def by_seed(kind: str) -> bool:
    """Whether every seed has a stream of its own."""
    return "seed" in _parameters(kind)


def _parameters(kind: str):
    return inspect.signature(_find(kind)).parameters


def _find(kind: str):
    module, _, function = KINDS[choose("stream", kind, KINDS)].partition(":")
    return getattr(import_module(module), function)
