"""The ledger: artefacts with a recorded number in full, the others as counts, and everything as CSV."""

import pandas as pd

from unforget.book import pages
from unforget.book.fragments.common import (
    PAPERS,
    Results,
    count,
    declared,
    escape,
    gather,
    has_run,
    mark,
    notebook,
    table,
    title,
)
from unforget.results import ledger, ledger_export

_KEY = (
    "Values are means ± standard error (seeds); the ± of the paper is as printed. Δ is ours minus the "
    "paper's, and Δ/SE the same in combined standard errors. A run at another profile than `paper` says so "
    "and is not judged."
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
                parts += [f"### {escape(title(artifact))}", *_artifact(part)]
            else:
                rest.append((artifact, part))
        if rest:
            shown = len(rest) < own.artifact.nunique()
            parts += [f"### {'Other artefacts' if shown else 'Artefacts'} of `{paper}`", _summary(rest)]
    return "\n\n".join(parts)


def _artifact(part: pd.DataFrame) -> list[str]:
    """What is recorded as a table and the rest folded away; then in words what a table cannot hold: causes of
    deviations, too few seeds, assumptions.
    """
    filled = part.ours.notna()
    header = ("value", "verdict", "paper", "ours", "Δ", "Δ/SE", "run")
    said = [table(header, _rows(part[filled]), "llrrrrl", "numbers ledger")]
    if not filled.all():
        rows = [(cell, verdict, paper, run) for cell, verdict, paper, _, _, _, run in _rows(part[~filled])]
        rest = table(("value", "verdict", "paper", "run"), rows, "llrl", "numbers ledger")
        said.append(f"````{{dropdown}} {count(len(rows), 'number')} without a record\n{rest}\n````")
    differs = [
        f"- **{_cell(row)}** differs, {escape(row.why)}. {_sentence(row.cause)}"
        for row in part[part.verdict == "differs"].itertuples()
    ]
    if differs:
        said.append("\n".join(differs))
    waiting = part[(part.verdict == "not run") & filled]
    for why, cells in waiting.groupby("why", sort=False):
        said.append(f"{_sentence(why)} {'; '.join(_cell(cell) for cell in cells.itertuples())}.")
    said += [_sentence(text) for text in part.assumed.unique() if text]
    return said


def _rows(part: pd.DataFrame) -> list[tuple[str, ...]]:
    """Formatted rows: cell, verdict, paper, ours, Δ, Δ/SE, the run that fills the cell (or will)."""
    runs, rows = declared(), []
    readable = ledger_export.readable(part).itertuples(index=False)
    for row, shown in zip(part.itertuples(), readable, strict=True):
        run = row.run or runs.get((row.paper, row.artifact, row.row, row.column), "")
        numbers = (_number(value, row.unit) for value in shown[4:8])
        rows.append(
            (_cell(row), mark(row.verdict, ledger.label(row)), *numbers, notebook(run) if run else "")
        )
    return rows


def _cell(row) -> str:
    return f"{escape(row.row)}, {escape(row.column)}"


def _sentence(text: str) -> str:
    return f"{escape(text[:1].upper() + text[1:])}{'' if text.endswith('.') else '.'}"


def _number(text: str, unit: str) -> str:
    """A formatted number with a real minus sign; a count has no seeds."""
    text = text.removesuffix(" (1)").replace("+0", "0") if unit == "parameters" else text
    return escape(f"−{text[1:]}" if text.startswith("-") else text)


def _summary(rest: list[tuple[str, pd.DataFrame]]) -> str:
    rows = [
        (
            escape(title(artifact)),
            escape(part.place.iloc[0]),
            *(str(int((part.verdict == name).sum())) for name in ("not run", "quoted")),
        )
        for artifact, part in rest
    ]
    return table(("artefact", "place", "not run", "quoted"), rows, "llrr", "numbers")
