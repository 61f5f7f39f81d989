"""Welcome: one card per paper with its numbers by verdict and its claims by outcome."""

from collections.abc import Sequence

import pandas as pd

from unforget.book import pages
from unforget.book.fragments.common import PAPERS, Results, gather, has_run, mark
from unforget.experiments import catalogue
from unforget.records import Record
from unforget.results import claims, measured, tables
from unforget.words import count

_VERDICTS = ("reproduced", "close", "differs", "not comparable", "not run", tables.NOT_BUILT, "quoted")


@pages.page("scorecard")
def page() -> str:
    return text(gather())


def text(results: Results) -> str:
    printed = results.ledger[results.ledger.status != "ours"]
    begun, judged = int(has_run(printed).sum()), int(printed.verdict.isin(_VERDICTS[:3]).sum())
    said = f"**{begun:,} of {count(len(printed), 'printed number')}** have a recorded run so far"
    if begun:
        other = int((has_run(printed) & (printed.verdict == "not comparable")).sum())
        said += f"; {'all' if judged == begun else f'{judged:,} of them'} with enough seeds for a verdict"
        said += f", {other:,} not comparable" if other else ""
    recorded = [r for r in results.records if measured.profile(r) == "paper"]
    others = [r for r in results.records if measured.profile(r) != "paper"]
    said += f". {_done(recorded, others) or 'Nothing is recorded yet'}."
    outcomes = claims.evaluate(results.printed, results.measured)
    cards = [
        _card(name, printed[printed.paper == name], outcomes[outcomes.paper == name], recorded)
        for name in PAPERS
    ]
    grid = "::::{grid} 1 1 2 2\n:gutter: 3\n:class-container: scorecard"
    return "\n\n".join([said, grid, *cards]) + "\n::::"


def _done(recorded: Sequence[Record], others: Sequence[Record]) -> str:
    """What is recorded at the paper's protocol, how much besides, and why the cards do not add up to it."""
    if not recorded:
        return ""
    said = f"{_counted(recorded)} recorded at the paper's protocol"
    if others:
        said += f", {_counted(others)} at others"
    served: dict[str, set[str]] = {}
    for cell in catalogue.CELLS:
        served.setdefault(cell.run, set()).add(cell.paper)
    papers = [len(served.get(record["config"]["run"], ())) for record in recorded]
    shared, alone = papers.count(2), papers.count(0)
    why = [f"{count(shared, 'run')} for two papers counted with both"] if shared else []
    why += [f"{count(alone, 'run')} for no number of a paper with none"] if alone else []
    return said + (f" (on the cards below, {' and '.join(why)})" if why else "")


def _counted(found: Sequence[Record]) -> str:
    return f"{count(sum(len(record['replicas']) for record in found), 'replica')} of {count(len(found), 'run')}"


def _card(name: str, rows: pd.DataFrame, outcomes: pd.DataFrame, recorded: list) -> str:
    if rows.empty:
        body = f"Not transcribed yet; {count(len(outcomes), 'claim')} listed."
    else:
        kinds = [tables.kind(row) for row in rows.itertuples()]
        verdicts = {verdict: kinds.count(verdict) for verdict in _VERDICTS}
        filled = {cell.run for cell in catalogue.CELLS if cell.paper == name}
        mine = [record for record in recorded if record["config"]["run"] in filled]
        done = f"{_counted(mine)} recorded"
        body = "\n\n".join(
            [
                f"**{len(rows)} printed numbers**",
                f"{_bar(verdicts)}\n\n{_counts(verdicts)}",
                f"**{len(outcomes)} claims** on our records",
                _counts(_outcomes(outcomes.ours)),
                "and on the paper's own numbers",
                _counts(_outcomes(outcomes.printed)),
                done if mine else "Nothing recorded yet",
            ]
        )  # fmt: skip
    return f":::{{grid-item-card}} `{name}`: {{cite:t}}`{PAPERS[name][1]}`\n{body}\n:::"


def _outcomes(found: pd.Series) -> dict[str, int]:
    """How many claims have which outcome."""
    return {outcome: int((found == outcome).sum()) for outcome in claims.OUTCOMES}


def _counts(numbers: dict[str, int]) -> str:
    return " ".join(mark(name, f"{name} <strong>{n}</strong>") for name, n in numbers.items() if n)


def _bar(numbers: dict[str, int]) -> str:
    """One row of coloured lengths; the counts below it say the same in words."""
    parts = "".join(
        f'<span class="outcome-{name.replace(" ", "-")}" style="flex-grow: {n}"></span>'
        for name, n in numbers.items()
        if n
    )
    return f'<div class="bar" aria-hidden="true">{parts}</div>'
