"""Tables of the book: what the paper prints, what is recorded, and what this run gave, side by side."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from unforget.results import ledger, paper

MISSING = "–"


@dataclass(frozen=True)
class Table:
    """Cells as text, a caption, and the name that pages refer to. Without rows there is nothing to show, and a note says
    why: `empty`, or else that nothing is recorded yet."""

    frame: pd.DataFrame | None
    caption: str
    name: str
    kind: str = "numbers"  # how the page sets it: "numbers" never wraps, "prose" does
    empty: str = ""

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """MyST for the book (a numbered table with a caption), HTML for Jupyter."""
        if self.frame is None or not len(self.frame):
            said = self.empty or f"Nothing is recorded yet for this table. {self.caption}"
            return {"text/markdown": f"```{{note}}\n{said}\n```"}
        return {"text/markdown": self.myst(), "text/html": f"<p>{self.caption}</p>" + self.frame.to_html(index=False)}

    def myst(self) -> str:
        """The table as a MyST directive."""
        rows = [list(self.frame.columns), *self.frame.astype(str).values.tolist()]
        lines = ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows]
        lines.insert(1, "|" + " --- |" * len(self.frame.columns))
        return "\n".join([f"```{{table}} {self.caption}", f":name: {self.name}", f":class: {self.kind}", "", *lines, "```"])


def escape(text: str) -> str:
    """Text as it stands, whatever Markdown, maths or table syntax it holds, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>$|#~^])", r"\\\1", " ".join(str(text).split()))


def beside(
    paper_id: str,
    artifact: str,
    recorded: pd.DataFrame,
    this_run: pd.DataFrame,
    this_profile: str,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One line per cell of an artifact: paper, recorded, Δ, verdict, this run. ± is the standard error of the mean.

    `recorded` and `this_run` are frames of `unforget.results.measured`. Only cells that some record or this run fills, or
    that lie in the given rows and columns, are listed.
    """
    table = ledger.ledger(paper.load(), recorded, paper.load_causes())
    table = table[(table.paper == paper_id) & (table.artifact == artifact)]
    now = {(cell.row, cell.column): cell for cell in this_run.itertuples()
           if (cell.paper, cell.artifact) == (paper_id, artifact)}  # fmt: skip
    known = set(zip(table.row, table.column, strict=True))
    lines = []
    for cell in table.itertuples():
        key = (cell.row, cell.column)
        wanted = (rows is None or cell.row in rows) and (columns is None or cell.column in columns)
        if wanted and (rows or columns or key in now or not pd.isna(cell.ours)):
            lines.append(_line(cell, now.get(key), this_profile))
    for key, cell in now.items():
        if key not in known:  # ours alone, and not recorded yet
            lines.append([*key, MISSING, MISSING, MISSING, "not run", number(cell.mean, cell.sd, cell.n, cell.unit)])
    order = list(dict.fromkeys(line[0] for line in lines))
    lines.sort(key=lambda line: order.index(line[0]))
    return pd.DataFrame(lines, columns=["row", "column", "paper", "recorded", "Δ", "verdict", f"this run ({this_profile})"])


def _line(cell, now, profile: str) -> list[str]:
    printed = MISSING if pd.isna(cell.printed) else f"{cell.printed:.{cell.decimals}f}"
    if not pd.isna(cell.error):
        printed += f" ± {cell.error:.{cell.decimals}f}"
    recorded = MISSING
    if not pd.isna(cell.ours):
        sd = cell.our_se * cell.n**0.5 if not pd.isna(cell.our_se) else 0.0
        recorded = number(cell.ours, sd, cell.n, cell.unit)
    delta = MISSING if pd.isna(cell.delta) else f"{cell.delta:+.2f}"
    this = MISSING if now is None else number(now.mean, now.sd, now.n, now.unit)
    return [cell.row, cell.column, printed, recorded, delta, ledger.label(cell), this]


def number(mean: float, sd: float, n: int, unit: str) -> str:
    """A mean with its standard error and number of seeds, as in "87.30 ± 0.41 (20)"; counts as they are."""
    if unit == "parameters":
        return f"{int(mean):,}"
    digits = 2 if unit == "%" else 4
    error = f" ± {sd / n**0.5:.{digits}f}" if n > 1 else ""
    return f"{mean:.{digits}f}{error} ({n})"
