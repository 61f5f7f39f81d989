"""Numbers as the commands print them."""

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from unforget.records import Record


def scanned(record: "Record") -> dict[str, list[int]]:
    """Which replicas have which scanned values: {"": all} where nothing was scanned, else {", lr=0.1": some, ...}."""
    rows: dict[str, list[int]] = {}
    for i, replica in enumerate(record["replicas"]):
        words = "".join(f", {name}={value:g}" for name, value in sorted(replica["scan"].items()))
        rows.setdefault(words, []).append(i)
    return rows


def scaled(values: np.ndarray, view: str) -> np.ndarray:
    """Accuracies as percentages, squared errors as they are."""
    return values if view == "regression" else 100 * values


def number(value: float, view: str) -> str:
    """An accuracy with two decimals, a squared error with three digits; "–" for what is missing."""
    if not math.isfinite(value):
        return "–"
    return f"{value:#.3g}" if view == "regression" else f"{value:.2f}"


def mean_text(values: np.ndarray, view: str) -> str:
    """Mean ± standard deviation over seeds (ddof 1), with unit and number of seeds."""
    values = scaled(values, view)
    text = number(float(np.mean(values)), view)
    if len(values) > 1:
        text += f" ± {number(float(np.std(values, ddof=1)), view)}"
    return f"{text} {'MSE' if view == 'regression' else '%'}  ({len(values)} seed{'' if len(values) == 1 else 's'})"
