"""Numbers and tables as the commands print them."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unforget.words import count

if TYPE_CHECKING:
    from rich.table import Table

    from unforget.records import Record

ERROR = "± is the standard error over seeds"


def print_whole(table: "Table", below: Sequence[str] = ()) -> None:
    """Print a table as wide as it needs, piped or not: a name or a command that is cut cannot be copied.

    `below` are words under each line of it, the head included, set in a little: what is too long for a column.
    """
    from rich.console import Console

    width = Console(width=10_000).measure(table).maximum
    console = Console(highlight=False, width=max(Console().width, width))
    if not below:
        console.print(table)
        return
    with console.capture() as shown:
        console.print(table)
    for line, words in zip(shown.get().splitlines(), below, strict=True):
        print(f"{line}\n  {words}")


def scanned(record: "Record") -> dict[str, list[int]]:
    """Which replicas have which scanned values: {"": all} where nothing was scanned, else {", lr=0.1": some, ...}."""
    rows: dict[str, list[int]] = {}
    for i, replica in enumerate(record["replicas"]):
        words = "".join(f", {name}={plain(value)}" for name, value in sorted(replica["scan"].items()))
        rows.setdefault(words, []).append(i)
    return rows


def plain(value: Any) -> str:
    """An option as a user would write it: 1e7 rather than 10000000.0."""
    if not isinstance(value, float) or not math.isfinite(value):
        return str(value)
    text = f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return re.sub(r"e\+?(-?)0*", r"e\1", text)


def scaled(values: np.ndarray, view: str) -> np.ndarray:
    """Accuracies as percentages, squared errors as they are."""
    return values if view == "regression" else 100 * values


def number(value: float, view: str) -> str:
    """An accuracy with two decimals, a squared error with three digits; "–" for what is missing."""
    if not math.isfinite(value):
        return "–"
    return f"{value:#.3g}" if view == "regression" else f"{value:.2f}"


def standard_error(values: np.ndarray) -> float:
    """Of the mean over seeds; NaN for one seed."""
    return float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def mean_text(values: np.ndarray, view: str) -> str:
    """Mean ± standard error over seeds, with unit and number of seeds."""
    values = scaled(values, view)
    text = number(float(np.mean(values)), view)
    if len(values) > 1:
        text += f" ± {number(standard_error(values), view)}"
    return f"{text} {'MSE' if view == 'regression' else '%'}  ({count(len(values), 'seed')})"
