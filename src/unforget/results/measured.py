"""From records to numbers: one row per cell that a record fills, ready to stand beside what the papers print."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from unforget import records
from unforget.errors import UnforgetError, choose
from unforget.experiments import catalogue
from unforget.experiments.spec import Cell
from unforget.records import Record
from unforget.results import embedding
from unforget.results.hrn import usage
from unforget.results.myst import NOT_RECORDED
from unforget.results.paper import CELL

FEW = 3  # so many runs are named one by one
COLUMNS = [*CELL, "mean", "sd", "n", "profile", "unit", "run", "values", "seeds"]


def recorded(results: Path | None = None) -> list[Record]:
    """All records below the results folder, in order of their paths. Raises `UnforgetError` naming a damaged one."""
    folder = results or records.results_folder()
    return [records.load(path) for path in sorted(folder.glob("**/*.json"))]


def measured() -> pd.DataFrame:
    """Every cell that the recorded runs fill (columns `COLUMNS`); `values` holds one number per seed, sd has ddof 1."""
    return from_records(recorded())


def recorded_at(found: Mapping[str, Record]) -> str:
    """What a caption says of recorded runs, by title: that they follow the paper, which of them are shorter, or that there are none."""
    lite = [title for title, record in found.items() if profile(record) != "paper"]
    if not found:
        return NOT_RECORDED
    if len(lite) == len(found):
        return "Recorded with less training (profile lite)"
    if not lite:
        return "Recorded at the paper's protocol"
    which = f": {', '.join(lite)}" if len(lite) <= FEW else f" are {len(lite)} of {len(found)}"
    return f"Recorded; with less training (profile lite){which}"


def profile(record: Record) -> str:
    """The profile whose configuration a record has; paper, where lite is the same."""
    return catalogue.label(record["config"])


def diverged(record: Record) -> str:
    """How many seeds ended without finite weights, in words; empty where none did. Their accuracy counts as zero."""
    lost = sum(not replica["finite"] for replica in record["replicas"])
    return f"{lost} of {len(record['replicas'])} seeds diverged" if lost else ""


def from_records(found: Iterable[Record]) -> pd.DataFrame:
    """Cells filled by these records; accuracies in %, parameters counted, squared errors as they are."""
    rows = []
    for record in found:
        for cell in catalogue.CELLS:
            if cell.run == record["config"]["run"] and _has(record, cell):
                values = cell_values(record, cell)
                rows.append(
                    {
                        "paper": cell.paper, "artifact": cell.artifact, "row": cell.row, "column": cell.column,
                        "mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
                        "n": len(values), "profile": "custom" if cell.variant else profile(record), "unit": unit(cell), "run": cell.run,
                        "values": tuple(float(v) for v in values), "seeds": _seeds(record, len(values)),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _seeds(record: Record, n: int) -> tuple[int, ...]:
    """Whose values they are; empty for a count, which is that of all seeds."""
    seeds = tuple(replica["seed"] for replica in record["replicas"] if not replica["scan"])
    return seeds if len(seeds) == n else ()


def _has(record: Record, cell: Cell) -> bool:
    """Whether the record's stream has the task that the cell speaks of; at smoke it may be shorter."""
    kind, _, number = cell.metric.removeprefix(FULL_BATCHES).partition(" ")
    return kind not in ("task", "first") or int(number) <= len(record["tests"])


def unit(cell: Cell) -> str:
    """The unit a cell is measured in."""
    if cell.metric == "ratio":
        return "ratio"
    return "parameters" if cell.metric.startswith("count ") else "MSE" if cell.view == "regression" else "%"


def cell_values(record: Record, cell: Cell) -> np.ndarray:
    """A cell's number for every replica of the declared hyperparameters, in the cell's unit."""
    plain = np.array([not replica["scan"] for replica in record["replicas"]])
    if cell.metric.startswith("count "):
        name = cell.metric.removeprefix("count ")
        counts = [replica["counts"] for replica in record["replicas"]]
        return np.unique([count[choose("parameter count", name, count)] for count in counts]).astype(float)
    if cell.metric == "ratio":
        return np.unique([replica["counts"]["trained"] / replica["counts"]["target"] for replica in record["replicas"]])
    for prefix, function in PROBED.items():
        if cell.metric.startswith(prefix):
            return 100 * function(record, cell.metric.removeprefix(prefix))[plain]
    scores, name = records.scores(record, cell.view)[plain], cell.metric
    if name.startswith(FULL_BATCHES):
        scores, name = scores * full_batches(record), name.removeprefix(FULL_BATCHES)
    return metric(scores, name, record["tests"]) * (100 if unit(cell) == "%" else 1)


FULL_BATCHES = "full batches: "
"""How metrics begin that count images of an incomplete last test batch as wrong, as the published code of HRN does."""


def full_batches(record: Record) -> np.ndarray:
    """The share of each task's test images that are in full batches, the size of a batch being that of training."""
    tests = np.array(record["tests"])
    return 1 - tests % record["config"]["options"]["batch"] / tests


def recognised(record: Record, task: str) -> np.ndarray:
    """The share of a task's replayed images that a classifier of real ones recognises, one per seed."""
    return records.probe(record, "replay recognition")[:, 0, int(task) - 1]


PROBED = {"embedding: ": embedding.metric, "recognised: task ": recognised, "usage: ": usage.metric}
"""Metrics that are read from probes, as fractions, by the beginning of their names."""


def final_by_seed(record: Record, view: str) -> dict[int, float]:
    """Accuracy in percent after the last task, mean over tasks, by seed."""
    return dict(zip(records.seeds(record), 100 * metric(records.scores(record, view), "final"), strict=True))


def metric(scores: np.ndarray, name: str, tests: Sequence[int] = ()) -> np.ndarray:
    """One number per seed from scores[seed, after_stage, on_task]: "final", "global", "during", "task N", "first N",
    "best first" or "forgetting".

    final: mean over tasks after the last stage; global: over test samples, of which `tests` has the number per task.
    during: mean over tasks of each right after its own stage; first N: that of one task, best first: the highest. forgetting: mean over all but
    the last task of the best earlier score minus the final one (Chaudhry et al. 2018).
    """
    if name == "final":
        return scores[:, -1].mean(-1)
    if name == "best first":
        return np.diagonal(scores, axis1=1, axis2=2).max(-1)
    if name == "global":
        return scores[:, -1] @ np.array(tests) / sum(tests)
    if name == "during":
        stages = scores.shape[1]
        return scores[:, -1].mean(-1) if stages == 1 else np.diagonal(scores, axis1=1, axis2=2).mean(-1)
    if name == "forgetting":
        return (np.nanmax(scores[:, :-1, :-1], axis=1) - scores[:, -1, :-1]).mean(-1)
    if name.startswith("task "):
        return scores[:, -1, int(name.removeprefix("task ")) - 1]
    if name.startswith("first "):
        task = int(name.removeprefix("first ")) - 1
        return scores[:, task, task]
    raise UnforgetError(f"unknown metric {name!r}; use final, global, during, forgetting, task N, first N or best first")
