"""Claims: each with its outcome on the paper's own numbers and on our records, as cards that fit a phone."""

from unforget.book import pages
from unforget.book.fragments.common import PAPERS, Results, escape, gather, mark
from unforget.results import claims
from unforget.results.claims.base import OPEN
from unforget.words import count


@pages.page("claims")
def page() -> str:
    return text(gather())


def text(results: Results) -> str:
    outcomes = claims.evaluate(results.printed, results.measured)
    parts = []
    parts.append(
        f"{mark(OPEN)} stands where no part of a claim has a number: the paper prints none, or ours are not recorded yet. "
        "Numbers in brackets are those that decided."
    )
    if not (results.measured.profile == "paper").any():
        parts.append("Nothing is recorded yet, so that no claim is judged on our records.")
    for paper, (name, _) in PAPERS.items():
        rows = [row for row in outcomes.itertuples() if row.paper == paper]
        parts.append(f"## `{paper}`: {name}")
        parts += [_card(row) for row in rows if claims.find(row.id).evaluate]
        waiting = [row for row in rows if not claims.find(row.id).evaluate]
        if waiting:
            parts.append(f"{count(len(waiting), 'claim')} without an evaluation yet:")
            parts.append("\n".join(f"- {_head(row)}" for row in waiting))
    return "\n\n".join(parts)


def _head(row) -> str:
    return f'**{escape(row.id)}** {escape(row.claim)} <span class="where">{escape(row.where)}</span>'


def _card(row) -> str:
    printed, ours = _said(row.printed, row.printed_reason), _said(row.ours, row.ours_reason)
    return f":::{{div}} claim\n{_head(row)}\n\nPaper's numbers\n: {printed}\n\nOur records\n: {ours}\n:::"


def _said(outcome: str, reason: str) -> str:
    return f"{mark(outcome)} {escape(reason)}"
