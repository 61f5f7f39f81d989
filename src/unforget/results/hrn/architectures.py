"""The tables of layers and settings that Berjaoui (ICLR version, Tables 2 to 13) prints, made from the configuration of a
run, and beside them what is printed."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import pandas as pd

from unforget import data, methods
from unforget.data import images
from unforget.data.normalised import CONSTANTS
from unforget.experiments.spec import Experiment
from unforget.methods.base import options
from unforget.methods.hrn import method as hrn
from unforget.methods.vc import networks
from unforget.nets.conv import Conv, Dense, Network
from unforget.results import paper
from unforget.results.tables import MISSING

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
TABLES = {
    "hrn/pairwise-mnist": {"vc": 2, "ewc": 3, "ell": 4, "hrn": 5},
    "hrn/fashion-mnist": {"vc": 6, "ewc": 7, "ell": 8, "hrn": 9},
    "hrn/svhn-cifar100": {"vc": 10, "ewc": 11, "ell": 12, "hrn": 13},
    "hrn/cifar100": {"vc": 10, "ewc": 11, "ell": 12, "hrn": 13},
}
"""The printed table of a run. CIFAR-100 alone has the networks of the whole sequence."""
BESIDE = ("printed", "from the configuration", "same")


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


def inputs(experiment: Experiment) -> str:
    """How images are normalised at `paper`, which labels there are, and how many outputs a classifier has, as sentences."""
    configs = [_config(experiment, name) for name in TABLES[experiment.id]]
    (stream,) = {tuple(data.complete(**config["stream"]).items()) for config in configs}
    sets = [value for name, value in stream if name in ("image_set", "first", "second")]
    (outputs,) = {_networks(config)[-1].layers[-1].neurons for config in configs}
    shifts = [f"{images.describe(name).title} by mean {_channels(CONSTANTS[name][0])} and standard deviation "
              f"{_channels(CONSTANTS[name][1])}"
              for name in sets]  # fmt: skip
    return (
        f"Pixels, as numbers between 0 and 1, are normalised with the constants of the published code: {'; '.join(shifts)}. "
        f"Labels stay those of the data sets, whatever the task: every classifier has {outputs} outputs, "
        "one for each label of the sequence."
    )


def _channels(values: Sequence[float]) -> str:
    """One number where all channels have the same."""
    return f"{values[0]:g}" if len(set(values)) == 1 else f"({', '.join(f'{v:g}' for v in values)})"


def printed(table: int, part: str) -> pd.DataFrame:
    """The lines of a part ("layers", "units", "settings") of a printed table: columns number, name, value, note."""
    lines = paper.load_networks()
    return lines[(lines.table == table) & (lines.part == part)].drop(columns=["table", "part"]).reset_index(drop=True)


def networks_beside(experiment: Experiment, runs: Sequence[str]) -> pd.DataFrame:
    """The layers of several runs at `paper` as printed and as configured, one below the other; where both are equal for
    several runs they are shown once, under all their names."""
    groups: dict[tuple, list[str]] = {}
    for name in runs:
        table = TABLES[experiment.id][name]
        lines = _beside(printed(table, "layers"), layers(_config(experiment, name)))
        groups.setdefault(tuple(lines), []).append(f"{experiment.run(name).title} (Table {table})")
    rows = [(", ".join(titles), *line) for lines, titles in groups.items() for line in lines]
    return pd.DataFrame(rows, columns=["method", "layer", *BESIDE])


def units_beside(experiment: Experiment) -> pd.DataFrame:
    """The units of HRN at `paper` as printed and as configured."""
    lines = _beside(printed(TABLES[experiment.id]["hrn"], "units"), units(_config(experiment, "hrn")))
    return pd.DataFrame(lines, columns=["units", *BESIDE])


def settings_beside(experiment: Experiment, runs: Sequence[str]) -> pd.DataFrame:
    """Hyper-parameters of several runs at `paper`, two columns each: as printed, and of the configuration.

    The last column names the runs where both are there and differ. All are trained by Adam, as printed; that is no setting
    of ours and left out.
    """
    columns, differ = {}, {}
    for name in runs:
        title, table = experiment.run(name).title, TABLES[experiment.id][name]
        lines = printed(table, "settings")
        theirs = dict(zip(lines.name, lines.value, strict=True))
        ours = settings(_config(experiment, name))
        columns |= {f"{title} (Table {table})": theirs, f"{title}, ours": {key: _text(value) for key, value in ours.items()}}
        for key in ours.keys() & theirs.keys():
            if not same(theirs[key], ours[key]):
                differ.setdefault(key, []).append(title)
    names = list(dict.fromkeys(key for column in columns.values() for key in column if key != "Optimizer"))
    rows = [[name, *(column.get(name, MISSING) for column in columns.values()), ", ".join(differ.get(name, []))] for name in names]
    return pd.DataFrame(rows, columns=["Hyperparameter", *columns, "differs"])


def same(theirs: str, ours: Any) -> bool:
    """Whether a printed setting says what ours does: one number stands for that of every task, and where nothing is said of
    the last tasks no units are added."""
    numbers = tuple(map(float, theirs.split(",")))
    full = (*ours, *(0,) * (len(numbers) - len(ours))) if isinstance(ours, tuple) else (ours,) * len(numbers)
    return numbers == full


def _beside(theirs: pd.DataFrame, ours: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """Number, printed line, configured line, and whether they are the same, for every line of the longer one."""
    lines = []
    pairs = zip_longest(theirs[["number", "name", "value"]].itertuples(index=False), ours.itertuples(index=False))
    for one, other in pairs:
        number = str((one or other)[0])
        texts = [MISSING if line is None else f"{line[1]}, {line[2]}" for line in (one, other)]
        lines.append((number, *texts, "yes" if one and other and tuple(map(str, one)) == tuple(map(str, other)) else "no"))
    return lines


def _text(value: Any) -> str:
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


def _config(experiment: Experiment, run: str) -> dict[str, Any]:
    return experiment.resolve(experiment.run(run), "paper")


def _options(config: Mapping[str, Any]):
    return options(methods.find(config["method"]).Options, config["options"], config["method"])


def _networks(config: Mapping[str, Any]) -> tuple[Network, ...]:
    o = _options(config)
    if isinstance(o, hrn.Options):
        sizes = [*((n, ACTIVATIONS[o.activation], o.dropout) for n in o.hidden), (o.outputs, "linear", o.logit_dropout)]
        return (Network((o.s,), tuple(Dense(n, False, activation, p) for n, activation, p in sizes)),)
    stream = data.complete(**config["stream"])
    return networks(o, images.describe(stream.get("image_set") or stream["first"]).shape)
