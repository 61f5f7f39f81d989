"""The rows that MNIST experiments share: baselines of van de Ven & Tolias (2019), HNET+ENT, and all that replay."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from unforget.experiments.spec import Cell, Run

SCENARIOS = ("CL1", "CL2", "CL3")
_NONE: Mapping[str, Any] = MappingProxyType({})
TABLE_1 = {"EWC": "online-ewc", "SI": "si", "fine-tuning": "finetune", "joint": "joint"}
"""Columns of Table 1, and our two bounds, by the run that fills them."""
HNET_ENT = {"CL1": "hnet", "CL2": "hnet-cl2", "CL3": "hnet"}
"""The run of HNET+ENT per scenario: CL1 and CL3 are one training."""


class Strengths(NamedTuple):
    """λ of EWC, (λ, γ) of online EWC and c of SI in one scenario, from the code of van de Ven & Tolias.

    Online EWC's λ belongs to code that multiplies by γ once more in the penalty: λ·γ is the same penalty with γ applied
    once, and what is declared.
    """

    ewc: float
    online_ewc: tuple[float, float]
    si: float


def baselines(scenario: str, strengths: Strengths, common: Mapping[str, Any] | None = None) -> tuple[Run, ...]:
    """Fine-tuning, joint training, EWC, online EWC and SI in a scenario; `common` are options of all."""
    strength, gamma = strengths.online_ewc
    rows = (
        ("finetune", "finetune", {}, "fine-tuning"),
        ("joint", "joint", {}, "joint"),
        ("ewc", "ewc", {"strength": strengths.ewc}, "EWC"),
        ("online-ewc", "online-ewc", {"strength": strength * gamma, "gamma": gamma}, "online EWC"),
        ("si", "si", {"c": strengths.si}, "SI"),
    )
    return tuple(
        Run(f"{name}-{scenario.lower()}", method, scenario, (scenario,), {**(common or {}), **own}, title=f"{title}, {scenario}")
        for name, method, own, title in rows
    )


# --- Bounds of ours. As with HNET+ENT, one training serves CL1 and CL3 ----------------------------------------------------

# What the run's name ends with, the scenario trained, the views scored.
BOTH = (("", "CL1", ("CL1", "CL3")), ("-cl2", "CL2", ("CL2",)))
CL1 = (("", "CL1", ("CL1",)),)

# name -> method, options, row
_BOUNDS = {
    "unprotected": ("hnet", {"beta": 0.0}, "HNET, β = 0"),
    "hnet-joint": ("hnet-joint", {}, "HNET on all tasks at once"),
    "scratch": ("scratch", {}, "from scratch"),
}
BOUNDS = {title: name for name, (_, _, title) in _BOUNDS.items()}
"""Columns of the bounds, and how their runs' names begin."""


def bounds(
    classifier: Mapping[str, Any] = _NONE, hypernetwork: Mapping[str, Any] = _NONE, trainings: Iterable[tuple] = BOTH
) -> tuple[Run, ...]:
    """The hypernetwork without protection and on all tasks at once, and a network for every task. The options given are
    those of what learns; `trainings` is `BOTH`, or `CL1` alone."""
    sizes = {"scratch": classifier}
    return tuple(
        Run(name + suffix, method, scenario, views, {**sizes.get(method, hypernetwork), **own}, title=f"{title}, {' and '.join(views)}")
        for name, (method, own, title) in _BOUNDS.items()
        for suffix, scenario, views in trainings
    )


def bound_cells(experiment: str, rows: str) -> tuple[Cell, ...]:
    """Their numbers in Table 1, in the rows that begin with `rows` (S or P10)."""
    return tuple(
        Cell("hnet", "table-1", f"{rows}-{s}", title, f"{experiment}/{name}{'-cl2' if s == 'CL2' else ''}", s)
        for s in SCENARIOS
        for title, name in BOUNDS.items()
    )


# --- Replay: the rows of Table 2, and the columns of Table 1 that replay ------------------------------------------------

# Run and method, title, where its numbers are printed: (artifact, column) here and the row of Table 2 of the LSTM paper.
_REPLAY = {
    "lwf": ("LwF", (), "LWF"),
    "dgr": ("DGR", (), "DGR"),
    # Both tables here head it DGR; their numbers are those with distillation.
    "dgr-distill": ("DGR with distillation", (("table-1", "DGR"), ("table-2", "DGR")), "DGR+distill"),
    "hnet-r": ("HNET+R", (("table-1", "HNET+R"), ("table-2", "HNET+R")), "HNET+R"),
    "rpl-ub": ("RPL-UB", (("table-2", "RPL-UB"),), None),
}
# One training serves CL1 and CL3, as with HNET; its CL1 is that of HNET+ENT.
_TIR = {"CL2": "hnet-tir-cl2", "CL3": "hnet-tir"}


def replay_runs(common: Mapping[str, Any] = _NONE, **own: Mapping[str, Any]) -> tuple[Run, ...]:
    """HNET+TIR, HNET+R, RPL-UB, LwF and DGR in three scenarios. `own`: options of a method instead of the `common` ones."""
    tir, confusion = own.get("hnet_tir", common), ("task confusion",)
    return (
        Run("hnet-tir", "hnet-tir", "CL3", ("CL1", "CL3"), tir, confusion, "HNET+TIR, CL3"),
        Run("hnet-tir-cl2", "hnet-tir", "CL2", ("CL2",), tir, confusion, "HNET+TIR, CL2"),
        *(
            Run(f"{name}-{s.lower()}", name, s, (s,), own.get(name.replace("-", "_"), common), title=f"{title}, {s}")
            for s in SCENARIOS
            for name, (title, _, _) in _REPLAY.items()
        ),
    )


def replay_cells(experiment: str, rows: str) -> tuple[Cell, ...]:
    """Where Tables 1 to 3 print these runs, in the rows that begin with `rows` (S or P10)."""
    return (
        *(
            Cell("hnet", artifact, f"{rows}-{s}", column, f"{experiment}/{name}-{s.lower()}", s)
            for s in SCENARIOS
            for name, (_, places, _) in _REPLAY.items()
            for artifact, column in places
        ),
        *(Cell("hnet", "table-1", f"{rows}-{s}", "HNET+TIR", f"{experiment}/{run}", s) for s, run in _TIR.items()),
        Cell("hnet", "table-3", f"{rows}-CL1", "HNET+R during", f"{experiment}/hnet-r-cl1", "CL1", "during"),
        Cell("hnet", "table-3", f"{rows}-CL1", "HNET+R after", f"{experiment}/hnet-r-cl1", "CL1"),
    )


def replay_model_cells(run: str, view: str, row: str) -> tuple[Cell, ...]:
    """Sizes of the replay model of a run, beside the printed ones."""
    counts = {"total": "trained", "hypernetwork": "theta", "task embeddings": "task embeddings", "target": "target"}
    return tuple(Cell("hnet", "text-parameters", row, column, run, view, f"count vae {n}") for column, n in counts.items())


def replay_cells_lstm(experiment: str, columns: str) -> tuple[Cell, ...]:
    """The same runs beside the rows of Chandra et al., who quote them."""
    return tuple(
        Cell("lstm", "table-2", row, f"{columns} {s}", f"{experiment}/{name}-{s.lower()}", s)
        for s in SCENARIOS
        for name, (_, _, row) in _REPLAY.items()
        if row
    )
