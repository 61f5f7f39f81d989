"""The tables of layers and settings that Berjaoui (ICLR version, Tables 2 to 4, 6 to 8, 10 to 12) prints for the
baselines, made from the configuration of a run."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from unforget import data, methods
from unforget.data import images
from unforget.methods.base import options
from unforget.methods.vc import networks
from unforget.nets.conv import Conv, Dense, Network

NAMES = {"leaky_relu": "LeakyReLU", "relu": "ReLU", "linear": "None"}
SETTINGS = {
    "batch": "batch size", "epochs": "epochs", "lr": "learning rate", "images": "Fisher matrix samples", "strength": "λ",
    "codes": "Codes length", "temperature": "Temperature", "stabilisation_epochs": "Stabilization epochs",
    "stabilisation_lr": "Stabilization learning rate",
}  # fmt: skip
"""Options that the paper prints, and its names for them."""


def layers(config: Mapping[str, Any]) -> pd.DataFrame:
    """One line per layer of encoder and classifier: number, type, parameters, in the paper's words."""
    rows = []
    for network in _networks(config):
        for layer in network.layers:
            rows.append(_line(layer))
            if layer.dropout:
                rows.append((f"DropOut{' 2D' if isinstance(layer, Conv) else ''}", f"dropProb: {layer.dropout}"))
    return pd.DataFrame([(i, *row) for i, row in enumerate(rows, 1)], columns=["Layer", "Type", "Parameters"])


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters by the paper's names; those of methods that the configuration does not use are not there."""
    found = {SETTINGS[name]: value for name, value in vars(_options(config)).items() if name in SETTINGS}
    if "Codes length" in found:
        found["Embedding Size"] = _networks(config)[0].features
    return found


def _line(layer: Conv | Dense) -> tuple[str, str]:
    norm, activation = layer.norm, f"Activation: {NAMES[layer.activation]}"
    if isinstance(layer, Dense):
        return "Dense", ", ".join([f"Neurons: {layer.neurons}", *(["BatchNorm"] if norm else []), activation])
    parts = [f"Filters: {layer.filters}", *(f"{name}: {_square(getattr(layer, name.lower()))}" for name in _SIDES)]
    return "Conv 2D", ", ".join([*parts, *(["BatchNorm2D"] if norm else []), activation])


_SIDES = ("Kernel", "Stride", "Padding")


def _square(side: int) -> str:
    return f"{side} × {side}" if side else "0"


def _options(config: Mapping[str, Any]):
    return options(methods.find(config["method"]).Options, config["options"], config["method"])


def _networks(config: Mapping[str, Any]) -> tuple[Network, Network]:
    stream = data.complete(**config["stream"])
    return networks(_options(config), images.describe(stream.get("image_set") or stream["first"]).shape)
