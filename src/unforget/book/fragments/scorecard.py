"""Welcome: one card per paper with its numbers by verdict and its claims by outcome."""

import pandas as pd

from unforget.book import pages
from unforget.book.fragments.common import PAPERS, Results, count, gather, has_run, mark
from unforget.experiments import catalogue
from unforget.results import claims

_VERDICTS = ("reproduced", "close", "differs", "not run", "quoted")


@pages.page("scorecard")
def page() -> str:
    return text(gather())


def text(results: Results) -> str:
    printed = results.ledger[results.ledger.status != "ours"]
    begun, judged = int(has_run(printed).sum()), int(printed.verdict.isin(_VERDICTS[:3]).sum())
    said = f"**{begun:,} of {count(len(printed), 'printed number')}** have a recorded run so far"
    if begun:
        said += f"; {'all' if judged == begun else f'{judged:,} of them'} with enough seeds for a verdict"
    recorded = [r for r in results.records if catalogue.label(r["config"]) == "paper"]
    replicas = sum(len(record["replicas"]) for record in recorded)
    done = f"{count(replicas, 'replica')} of {count(len(recorded), 'run')} recorded" if recorded else ""
    said += f". {done or 'Nothing is recorded yet'}."
    outcomes = claims.evaluate(results.printed, results.measured)
    cards = [
        _card(name, printed[printed.paper == name], outcomes[outcomes.paper == name], recorded)
        for name in PAPERS
    ]
    grid = "::::{grid} 1 1 2 2\n:gutter: 3\n:class-container: scorecard"
    return "\n\n".join([said, grid, *cards]) + "\n::::"


def _card(name: str, rows: pd.DataFrame, outcomes: pd.DataFrame, recorded: list) -> str:
    if rows.empty:
        body = f"Not transcribed yet; {count(len(outcomes), 'claim')} listed."
    else:
        verdicts = {verdict: int((rows.verdict == verdict).sum()) for verdict in _VERDICTS}
        filled = {cell.run for cell in catalogue.CELLS if cell.paper == name}
        mine = [len(record["replicas"]) for record in recorded if record["config"]["run"] in filled]
        done = f"{count(sum(mine), 'replica')} of {count(len(mine), 'run')} recorded"
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
