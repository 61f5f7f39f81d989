"""The ledger: artefacts with a recorded number in full, the others as counts, and everything as CSV."""

from collections.abc import Sequence

import pandas as pd

from unforget.book import pages
from unforget.book.fragments.common import PAPERS, Results, escape, gather, has_run, mark, notebook, table
from unforget.results import ledger_export, measured, tables
from unforget.results.ledger import UNEXPLAINED
from unforget.results.tables import title
from unforget.words import count

_KEY = (
    "Values are means ± standard error (seeds); the ± of the paper is as printed. Δ is ours minus the "
    "paper's, and Δ/SE the same in combined standard errors. A run at another profile than `paper` says so "
    "and is not judged; seeds that diverged are named. *Not built yet* are numbers behind which no run is declared."
)


@pages.page("ledger")
def page() -> str:
    return text(gather())


@pages.page("ledger.csv")
def csv() -> str:
    return ledger_export.to_csv(gather().ledger)


def text(results: Results) -> str:
    whole = results.ledger
    printed = whole[whole.status != "ours"]
    begun = int(has_run(printed).sum())
    parts = [f"**{begun} of {count(len(printed), 'printed number')}** have a recorded run so far."]
    parts.append(_KEY if whole.ours.notna().any() else "Nothing is recorded yet.")
    for paper, (name, _) in PAPERS.items():
        own = whole[whole.paper == paper]
        parts.append(f"## `{paper}`: {name}")
        if own.empty:
            parts.append("Not transcribed yet.")
            continue
        rest = []
        for artifact, part in own.groupby("artifact", sort=False):
            if part.ours.notna().any():
                parts += [f"### {escape(title(artifact))}", *_artifact(part, _lost(results))]
            else:
                rest.append((artifact, part))
        if rest:
            shown = len(rest) < own.artifact.nunique()
            parts += [f"### {'Other artefacts' if shown else 'Artefacts'} of `{paper}`", _summary(rest)]
    return "\n\n".join(parts)


def _lost(results: Results) -> dict[tuple[str, str], str]:
    """For runs of which seeds diverged, by run and profile: how many did."""
    told = {(record["config"]["run"], measured.profile(record)): measured.diverged(record) for record in results.records}
    return {run: text for run, text in told.items() if text}


def _artifact(part: pd.DataFrame, lost: dict[tuple[str, str], str]) -> list[str]:
    """What is recorded as a table; what is only ours, and the printed rest, folded away; then in words what a table cannot
    hold: causes of deviations, too few seeds, assumptions.
    """
    printed, ours = part[part.status != "ours"], part[part.status == "ours"]
    filled = printed.ours.notna()
    said = []
    if filled.any():
        header = ("value", "verdict", "paper", "ours", "Δ/SE", "run", "Δ")
        said.append(table(header, _rows(header, printed[filled], lost), "llrrrlr", "numbers ledger full-width"))
    for cells, source, what in ((ours, "ours", "of ours that the paper does not print"), (printed[~filled], "paper", "without a record")):
        if len(cells):
            header = ("value", "verdict", source, "run")
            inner = table(header, _rows(header, cells, lost), "llrl", "numbers ledger")
            said.append(f"````{{dropdown}} {count(len(cells), 'number')} {what}\n{inner}\n````")
    differs = tables.by_cause(printed[printed.verdict == "differs"].itertuples())
    if differs:
        said.append("\n".join(_difference(cause, cells, printed[filled]) for cause, cells in differs.items()))
    for why, cells in printed[printed.verdict == "not comparable"].groupby("why", sort=False):
        columns = ", ".join(f"{column} ({n})" for column, n in cells.column.value_counts(sort=False).items())
        said.append(f"Not comparable: {escape(why)}. Columns (cells): {escape(columns)}. See the notes in `data/paper`.")
    waiting = printed[(printed.verdict == "not run") & filled]
    for why, cells in waiting.groupby("why", sort=False):
        said.append(f"{_sentence(why)} {'; '.join(_cell(cell) for cell in cells.itertuples())}.")
    said += [_sentence(text) for text in printed.assumed.unique() if text]
    return said


def _difference(cause: str, cells: list, whole: pd.DataFrame) -> str:
    """One line for all cells that a cause is given for; how far off each is stands in the table."""
    why = f", {escape(cells[0].why)}" if len(cells) == 1 else ""
    differ = "differs" if len(cells) == 1 else "differ"
    said = _sentence(cause) if cause.startswith(UNEXPLAINED) else f"Cause: {_sentence(cause)}"
    return f"- **{escape(tables.together(cells, whole))}** {differ}{why}. {said}"


def _rows(header: Sequence[str], part: pd.DataFrame, lost: dict[tuple[str, str], str]) -> list[list[str]]:
    """The columns of `header` of formatted rows; `run` is the one that fills the cell, or will."""
    rows = []
    for row, shown in zip(part.itertuples(), ledger_export.readable(part).to_dict("records"), strict=True):
        run = tables.run_of(row)
        printed, own, delta, in_se = (_number(shown[name], row.unit) for name in ("printed", "ours", "Δ", "Δ/SE"))
        if row.unit == "%" and (row.run, row.profile) in lost:
            diverged = lost[row.run, row.profile]
            own = f"{own}, {diverged}" if row.ours else diverged
        texts = {
            "value": _cell(row), "verdict": mark(tables.kind(row), tables.label(row)), "paper": printed, "ours": own,
            "Δ/SE": in_se, "run": notebook(run) if run else "", "Δ": delta,
        }  # fmt: skip
        rows.append([texts[name] for name in header])
    return rows


def _cell(row) -> str:
    return f"{escape(row.row)}, {escape(row.column)}"


def _sentence(text: str) -> str:
    return f"{escape(text[:1].upper() + text[1:])}{'' if text.endswith('.') else '.'}"


def _number(text: str, unit: str) -> str:
    """A formatted number with a real minus sign; a count has no seeds."""
    text = text.removesuffix(" (1)").replace("+0", "0") if unit == "parameters" else text
    return escape(tables.minus(text))


def _summary(rest: list[tuple[str, pd.DataFrame]]) -> str:
    labels = [[tables.label(row) for row in part.itertuples()] for _, part in rest]
    columns = ["not run", tables.NOT_BUILT, "quoted", *(["not comparable"] if "not comparable" in sum(labels, []) else [])]
    rows = [
        (escape(title(artifact)), escape(part.place.iloc[0]), *(str(own.count(name)) for name in columns))
        for (artifact, part), own in zip(rest, labels, strict=True)
    ]
    return table(("artefact", "place", *columns), rows, "ll" + "r" * len(columns), "numbers")
