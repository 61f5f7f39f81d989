"""Every claim of the four papers, judged on the papers' own printed numbers and on our records.

evaluate(paper.load(), measured, profile="paper")   # one row per claim
"""

import math
from collections.abc import Sequence

import pandas as pd

from unforget.errors import choose
from unforget.results import verdict
from unforget.results.claims import dynamos, hnet, hrn, lstm
from unforget.results.claims.base import NOT_JUDGED, NOT_RUN, OUTCOMES, Claim, Number, Numbers, Outcome
from unforget.results.claims.hrn import routing

__all__ = [
    "CLAIMS",
    "OUTCOMES",
    "Claim",
    "Number",
    "Numbers",
    "Outcome",
    "evaluate",
    "find",
    "judge",
    "ours",
    "theirs",
]

CLAIMS: tuple[Claim, ...] = (*hnet.CLAIMS, *lstm.CLAIMS, *dynamos.CLAIMS, *hrn.CLAIMS)
DERIVED = {"lstm": lstm.published_sizes}  # what follows from a paper's settings, though it does not print it
COMPUTED = {"hashing": routing.hashing, "routing-speed": routing.speed}  # artifacts without records of runs
JUDGED = ("paper", "lite")


def find(id: str) -> Claim:
    """The claim with this id; `UnforgetError` naming the nearest one if there is none."""
    choose("claim", id, [claim.id for claim in CLAIMS])
    return next(claim for claim in CLAIMS if claim.id == id)


def theirs(printed: pd.DataFrame, paper: str) -> Numbers:
    """Look-up of what `paper` prints (`paper.load()`); standard errors by `verdict.paper_error`."""
    cells = dict(DERIVED[paper]()) if paper in DERIVED else {}
    for cell in printed[printed.paper == paper].itertuples():
        n = None if pd.isna(cell.n) else int(cell.n)
        error, _ = verdict.paper_error(cell.error, cell.error_kind, n, cell.decimals)
        cells[cell.artifact, cell.row, cell.column] = Number(cell.mean, error, n)
    return lambda artifact, row, column: cells.get((artifact, row, column))


def ours(measured: pd.DataFrame, paper: str, profile: str = "paper") -> Numbers:
    """Look-up of what our records of one profile measured for `paper`, and of what is computed without records. Of what
    varies from seed to seed, numbers with fewer than `verdict.MIN_SEEDS` are left out, as in the ledger."""
    cells = {}
    for cell in measured[(measured.paper == paper) & (measured.profile == profile)].itertuples():
        varies = cell.unit not in (*verdict.EXACT, "ratio")
        if varies and cell.n < verdict.MIN_SEEDS:
            continue
        error = cell.sd / math.sqrt(cell.n) if cell.n > 1 else math.nan
        cells[cell.artifact, cell.row, cell.column] = Number(cell.mean, error, cell.n, tuple(cell.values))

    def number(artifact: str, row: str, column: str) -> Number | None:
        return (COMPUTED[artifact]() if artifact in COMPUTED else cells).get((artifact, row, column))

    return number


def judge(claim: Claim, numbers: Numbers, profile: str = "paper") -> Outcome:
    """The outcome of one claim on these numbers; `not judged` for a profile that trains on stand-in data or
    with other settings, `not run` while the evaluation is not written.
    """
    if profile not in JUDGED:
        return Outcome(NOT_JUDGED, f"profile {profile} does not follow the paper's protocol")
    if claim.evaluate is None:
        return Outcome(NOT_RUN, "no evaluation is written for this claim yet")
    return claim.evaluate(numbers)


def evaluate(
    printed: pd.DataFrame, measured: pd.DataFrame, profile: str = "paper", ids: Sequence[str] = ()
) -> pd.DataFrame:
    """All claims, or those with these ids, one row each: id, paper, where, claim, `printed` and `printed_reason` (the
    outcome on the paper's own numbers), `ours` and `ours_reason` (on our records of `profile`).
    """
    rows = []
    for claim in sorted(map(find, ids), key=CLAIMS.index) or CLAIMS:
        on_paper = judge(claim, theirs(printed, claim.paper))
        on_ours = judge(claim, ours(measured, claim.paper, profile), profile)
        rows.append((claim.id, claim.paper, claim.where, claim.text, on_paper.verdict, on_paper.reason,
                     on_ours.verdict, on_ours.reason))  # fmt: skip
    columns = ["id", "paper", "where", "claim", "printed", "printed_reason", "ours", "ours_reason"]
    return pd.DataFrame(rows, columns=columns)
