"""What the fragments share: the results they are made from, and a little MyST.

Every fragment is a function of `Results`. Text from data goes through `escape`, so that no cell is read as
markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from unforget.data.files import project_root
from unforget.errors import UnforgetError
from unforget.experiments import catalogue
from unforget.records import Record
from unforget.results import ledger as ledgers
from unforget.results import measured as measure
from unforget.results import paper
from unforget.results.myst import directive
from unforget.results.tables import escape

PAPERS = {  # short name -> title, key in references.bib
    "hnet": ("Continual learning with hypernetworks", "vonoswald2020"),
    "lstm": ("Continual learning with dependency preserving hypernetworks", "chandra2023"),
    "dynamos": ("Dynamically modular and sparse general continual learning", "varma2023"),
    "hrn": ("Continual learning using hash-routed convolutional neural networks", "berjaoui2020"),
}


@dataclass(frozen=True)
class Results:
    """Printed numbers, records, the cells that these fill (`measured.COLUMNS`), and the ledger of both."""

    printed: pd.DataFrame
    records: tuple[Record, ...]
    measured: pd.DataFrame
    ledger: pd.DataFrame


def gather(results: Path | None = None) -> Results:
    """Everything recorded in `results` (default: this project's).

    Raises `UnforgetError` naming a damaged record.
    """
    printed, found = paper.load(), tuple(measure.recorded(results))
    cells = measure.from_records(found)
    return Results(printed, found, cells, ledgers.ledger(printed, cells, paper.load_causes()))


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], align: str, kind: str, caption: str = ""
) -> str:
    """A table of cells that are already MyST; `align` has l or r per column, `kind` names classes of
    custom.css.
    """
    marks = {"l": ":---", "r": "---:"}
    lines = [header, [marks[letter] for letter in align], *rows]
    body = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return directive("table", caption, f":class: {kind}\n\n{body}")


def mark(outcome: str, text: str = "") -> str:
    """A verdict or outcome with its coloured dot; `text` replaces the word but not the colour."""
    return f'<span class="outcome outcome-{outcome.replace(" ", "-")}">{text or outcome}</span>'


def notebook(run: str, text: str = "") -> str:
    """A link to the notebook that regenerates a run such as "split-mnist/hnet"; plain text without one."""
    text = text or run
    try:
        experiment = catalogue.of(run)[0]
    except UnforgetError:  # a record of an experiment that is no longer declared
        return escape(text)
    page = f"notebooks/{experiment.page or experiment.id}"
    return f"{{doc}}`{text} </{page}>`" if (project_root() / f"{page}.ipynb").exists() else escape(text)


def has_run(table: pd.DataFrame) -> pd.Series:
    """Which rows of a ledger have a recorded run of the paper's own protocol, however few seeds."""
    return (table.profile == "paper") & table.ours.notna()
