"""How to read: the rule behind the verdicts, and its margins beside the spreads that they are taken from."""

import re

import pandas as pd

from unforget.book import pages
from unforget.book.fragments.common import Results, escape, gather, table
from unforget.results import ledger, verdict
from unforget.results.tables import MISSING, title

_QUANTITY = {"%": "accuracies", "points": "differences of accuracies", "ratio": "ratios", "parameters": "numbers of parameters"}


@pages.page("verdict-rule")
def page() -> str:
    return text(gather())


def text(results: Results) -> str:
    names = "|".join(verdict.VERDICTS)
    rule = re.sub(rf"^- ({names}):", r"- **\1**:", verdict.rule(), flags=re.MULTILINE)
    margins = ledger.margins(results.printed, results.measured)
    rows = [
        (_applies(m), _width(m), _spread(m.printed_spread), _spread(m.spread), escape(m.reason))
        for m in margins.itertuples()
    ]
    header = ("Margin for", "m", "Spread, paper", "Spread, ours", "Reason")
    return "\n\n".join(
        [
            rule,
            "The margins are declared, each from a spread that can be checked. A spread is the median "
            "standard deviation between seeds on the same scale as its margin: for accuracies the error "
            "rate, else the value.",
            table(header, rows, "llrrl", "prose wide"),
        ]
    )


def _applies(margin) -> str:
    quantity = _QUANTITY[margin.unit]
    if margin.paper == "*":
        return quantity
    return f"{quantity} of `{margin.paper}`, {escape(title(margin.artifact))}"


def _width(margin) -> str:
    if margin.unit in verdict.EXACT:
        return "none"
    if not margin.share:
        return "half the last digit"
    scale, unit = ("error rate", "points") if margin.unit == "%" else ("value", margin.unit)
    return f"{100 * margin.share:g} % of the {scale}, at most {margin.cap:g} {unit}"


def _spread(value: float) -> str:
    return MISSING if pd.isna(value) else f"{100 * value:.1f} %"
