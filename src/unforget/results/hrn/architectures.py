"""The tables of layers and settings that Berjaoui (ICLR version, Tables 2 to 13) prints, made from the configuration of a
run."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from unforget import data, methods
from unforget.data import images
from unforget.experiments.spec import Experiment
from unforget.methods.base import options
from unforget.methods.hrn import method as hrn
from unforget.methods.vc import networks
from unforget.nets.conv import Conv, Dense, Network

NAMES = {"leaky_relu": "LeakyReLU", "relu": "ReLU", "linear": "None"}
ACTIVATIONS = {"leaky": "leaky_relu", "relu": "relu"}
"""HRN's names for the activations of `unforget.nets.conv`."""
SETTINGS = {
    "batch": "batch size", "epochs": "epochs", "lr": "learning rate", "images": "Fisher matrix samples", "strength": "λ",
    "codes": "Codes length", "temperature": "Temperature", "stabilisation_epochs": "Stabilization epochs",
    "stabilisation_lr": "Stabilization learning rate", "grow": "extra units", "n_res": "residues", "m": "m", "s": "s",
    "tau_d": "τ_d", "tau_empty": "τ_empty", "tau_expand": "τ_expand", "alpha": "α", "rho": "ρ", "lam": "λ",
}  # fmt: skip
"""Options that the paper prints, and its names for them."""


def layers(config: Mapping[str, Any]) -> pd.DataFrame:
    """One line per layer of encoder and classifier, of HRN of the classifier: number, type, parameters, in the paper's words."""
    rows = [line for network in _networks(config) for layer in network.layers for line in _lines(layer)]
    return pd.DataFrame([(i, *row) for i, row in enumerate(rows, 1)], columns=["Layer", "Type", "Parameters"])


def units(config: Mapping[str, Any]) -> pd.DataFrame:
    """One line per layer of every group of HRN's equal units: how many of them, type, parameters."""
    rows = []
    for number, filters, kernel, stride, padding, norm, activation, dropout in _options(config).units:
        lines = _lines(Conv(filters, kernel, stride, padding, norm, ACTIVATIONS[activation], dropout))
        rows += [(str(number) if i == 0 else "", *line) for i, line in enumerate(lines)]
    return pd.DataFrame(rows, columns=["Units Quantity", "Unit Layers", "Parameters"])


def networks_of(experiment: Experiment, runs: Sequence[str]) -> pd.DataFrame:
    """The layers of several runs at `paper`, one below the other; equal ones are shown once, under all their names."""
    groups: dict[tuple, list[str]] = {}
    for name in runs:
        lines = tuple(layers(experiment.resolve(experiment.run(name), "paper")).itertuples(index=False, name=None))
        groups.setdefault(lines, []).append(experiment.run(name).title)
    rows = [(", ".join(titles), *line) for lines, titles in groups.items() for line in lines]
    return pd.DataFrame(rows, columns=["method", "Layer", "Type", "Parameters"])


def settings_of(experiment: Experiment, runs: Sequence[str]) -> pd.DataFrame:
    """Hyper-parameters of several runs at `paper`, one column each."""
    columns = {}
    for name in runs:
        columns[experiment.run(name).title] = settings(experiment.resolve(experiment.run(name), "paper"))
    names = list(dict.fromkeys(key for column in columns.values() for key in column))
    rows = [[name, *(_text(column.get(name)) for column in columns.values())] for name in names]
    return pd.DataFrame(rows, columns=["Hyperparameter", *columns])


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters by the paper's names; those of methods that the configuration does not use are not there."""
    found = {SETTINGS[name]: value for name, value in vars(_options(config)).items() if name in SETTINGS}
    if "Codes length" in found:
        found["Embedding Size"] = _networks(config)[0].features
    return found


def _lines(layer: Conv | Dense) -> list[tuple[str, str]]:
    dropped = (f"DropOut{' 2D' if isinstance(layer, Conv) else ''}", f"dropProb: {layer.dropout}")
    return [_line(layer), *([dropped] if layer.dropout else [])]


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


def _networks(config: Mapping[str, Any]) -> tuple[Network, ...]:
    o = _options(config)
    if isinstance(o, hrn.Options):
        sizes = [*((n, ACTIVATIONS[o.activation], o.dropout) for n in o.hidden), (o.outputs, "linear", o.logit_dropout)]
        return (Network((o.s,), tuple(Dense(n, False, activation, p) for n, activation, p in sizes)),)
    stream = data.complete(**config["stream"])
    return networks(o, images.describe(stream.get("image_set") or stream["first"]).shape)
