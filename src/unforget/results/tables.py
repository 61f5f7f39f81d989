"""Tables of the book: what the paper prints, what is recorded, and what this run gave, side by side."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from unforget.experiments import catalogue
from unforget.results import ledger, paper
from unforget.results.myst import directive, nothing

MISSING = "–"
NOT_BUILT = "not built yet"
FEW = 3  # so many cells are named one by one
ROOM, GAP = 94, 3  # characters that the text of a page is wide, and that two columns stand apart


@dataclass(frozen=True)
class Table:
    """Cells as text, a caption, and the name that pages refer to. Without rows there is nothing to show, and a note says
    why: `empty`, or else that nothing is recorded yet. `reason` says the same as `empty` without naming the table."""

    frame: pd.DataFrame | None
    caption: str
    name: str
    kind: str = "numbers"  # how the page sets it: "numbers" never wraps, "prose" does
    empty: str = ""
    commands: str = ""  # the column that holds commands, set as code
    reason: str = field(default="", repr=False)

    @property
    def rows(self) -> int:
        """How many there are."""
        return 0 if self.frame is None else len(self.frame)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """MyST for the book (a numbered table with a caption), HTML for Jupyter."""
        if not self.rows:
            return {"text/markdown": directive("note", "", self.empty) if self.empty else nothing("table", self.caption)}
        return {"text/markdown": self.myst(), "text/html": f"<p>{self.caption}</p>" + self.frame.to_html(index=False)}

    def myst(self) -> str:
        """The table as a MyST directive."""
        columns = {name: self.frame[name].astype(str) for name in self.frame}
        shown = {name: [f"`{cell}`" if name == self.commands else escape(cell) for cell in cells] for name, cells in columns.items()}
        rows = [map(escape, shown), *zip(*shown.values(), strict=True)]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        lines.insert(1, "|" + " --- |" * len(self.frame.columns))
        kind = f"{self.kind} full-width" if self.kind == "numbers" and self._width() > ROOM else self.kind
        return directive("table", self.caption, "\n".join([f":name: {self.name}", f":class: {kind}", "", *lines]))

    def _width(self) -> int:
        """About how many characters wide the table is when nothing wraps."""
        return sum(GAP + max(len(str(text)) for text in (name, *self.frame[name])) for name in self.frame)


@dataclass(frozen=True)
class Several:
    """Tables under one another; of those without rows one note says why, each reason once where nothing else is shown."""

    tables: tuple[Table, ...]

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        filled, empty = [table for table in self.tables if table.rows], [table for table in self.tables if not table.rows]
        said = [table.empty for table in empty] if filled else dict.fromkeys(table.reason or table.empty for table in empty)
        parts = [table._repr_mimebundle_() for table in filled]
        note = [directive("note", "", " ".join(said))] if empty else []
        bundle = {"text/markdown": "\n\n".join([part["text/markdown"] for part in parts] + note)}
        return bundle | ({"text/html": "".join(part["text/html"] for part in parts)} if parts else {})


def escape(text: str) -> str:
    """Text as it stands, whatever Markdown, maths or table syntax it holds, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>$|#~^])", r"\\\1", " ".join(str(text).split()))


def title(artifact: str) -> str:
    """An artefact's name for a reader: "Table 1", "Figure A2b", "Text: training time"."""
    kind, _, rest = artifact.partition("-")
    if kind == "text":
        return f"Text: {rest.replace('-', ' ')}"
    return f"{kind.capitalize()} {rest[:1].upper()}{rest[1:]}"


def beside(
    paper_id: str,
    artifact: str,
    recorded: pd.DataFrame,
    this_run: pd.DataFrame,
    this_profile: str,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One line per cell of an artifact: paper, recorded (what profile lite recorded says so), this run, verdict, Δ. ± is the
    standard error of the mean.

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
            lines.append(_line(cell, now.get(key)))
    for key, cell in now.items():
        if key not in known:  # ours alone, and not recorded yet
            lines.append([*key, MISSING, MISSING, number(cell.mean, cell.sd, cell.n, cell.unit), "not run", MISSING])
    order = list(dict.fromkeys(line[0] for line in lines))
    lines.sort(key=lambda line: order.index(line[0]))
    return pd.DataFrame(lines, columns=["row", "column", "paper", "recorded", f"this run ({this_profile})", "verdict", "Δ"])


def _line(cell, now) -> list[str]:
    recorded = MISSING
    if not pd.isna(cell.ours):
        sd = cell.our_se * cell.n**0.5 if not pd.isna(cell.our_se) else 0.0
        recorded = number(cell.ours, sd, cell.n, cell.unit) + (", lite" if cell.profile == "lite" else "")
    this = MISSING if now is None else number(now.mean, now.sd, now.n, now.unit)
    return [cell.row, cell.column, printed(cell), recorded, this, label(cell), signed(cell.delta, 0 if cell.unit == "parameters" else 2)]


def run_of(cell) -> str:
    """The run that fills a row of the ledger, or will; empty where none is declared."""
    return cell.run or catalogue.filling().get((cell.paper, cell.artifact, cell.row, cell.column), "")


def kind(cell) -> str:
    """The verdict of a row of the ledger; what nobody could run is told from what merely awaits its run."""
    return cell.verdict if cell.verdict != "not run" or run_of(cell) else NOT_BUILT


def label(cell) -> str:
    """The same as shown to a reader."""
    return NOT_BUILT if kind(cell) == NOT_BUILT else ledger.label(cell)


def printed(cell) -> str:
    """The paper's number in a row of the ledger, with its decimals and ±."""
    if pd.isna(cell.printed):
        return MISSING
    error = "" if pd.isna(cell.error) else f" ± {cell.error:.{cell.decimals}f}"
    return minus(f"{cell.printed:,.{cell.decimals}f}{error}")


def number(mean: float, sd: float, n: int, unit: str) -> str:
    """A mean with its standard error and number of seeds, as in "87.30 ± 0.41 (20)"; counts as they are."""
    if unit == "parameters":
        return f"{int(mean):,}"
    digits = 2 if unit == "%" else 4
    error = f" ± {sd / n**0.5:.{digits}f}" if n > 1 else ""
    return minus(f"{mean:.{digits}f}{error} ({n})")


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign, as in "+1.20"; a dash where there is none."""
    return MISSING if pd.isna(value) else minus(f"{value:+,.{digits}f}")


def compared(difference: float, chance: float) -> str:
    """What `verdict.paired` finds, as in "+1.20 (p = 0.004)"; a dash where there are too few seeds."""
    return f"{signed(difference)} (p {'< 0.001' if chance < 0.001 else f'= {chance:.3f}'})" if chance == chance else MISSING


def minus(text: str) -> str:
    """A formatted number with a minus sign in place of a hyphen."""
    return f"−{text[1:]}" if text.startswith("-") else text


def by_cause(cells: Iterable) -> dict[str, list]:
    """Rows of the ledger by their cause, in order, so that a sentence that several share is said once."""
    found: dict[str, list] = {}
    for cell in cells:
        found.setdefault(cell.cause, []).append(cell)
    return found


def together(cells: Sequence, whole: pd.DataFrame) -> str:
    """What a group of cells is called: "EWC, all recorded cells but T0 first" where they are most of many of their row in
    `whole`, which holds what is recorded; else one by one."""
    rows: dict[str, list[str]] = {}
    for cell in cells:
        rows.setdefault(cell.row, []).append(cell.column)
    names = []
    for row, columns in rows.items():
        left = [column for column in whole[whole.row == row].column if column not in columns]
        but = f" but {', '.join(left)}" if left else ""
        names.append(f"{row}, " + (f"all recorded cells{but}" if len(left) < len(columns) > FEW else ", ".join(columns)))
    return "; ".join(names)
