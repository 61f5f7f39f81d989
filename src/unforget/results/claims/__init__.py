"""Every claim of the four papers, judged on the papers' own printed numbers and on our records.

evaluate(paper.load(), measured, profile="paper")   # one row per claim
"""

import math
from collections.abc import Sequence

import pandas as pd

from unforget.errors import choose
from unforget.results import verdict
from unforget.results.claims import dynamos, hnet, hrn, lstm
from unforget.results.claims.base import NOT_JUDGED, OPEN, OUTCOMES, Claim, Number, Numbers, Outcome
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
OF_PRINT = Outcome(NOT_JUDGED, "It compares what is printed with what is printed: no record could judge it.")


def find(id: str) -> Claim:
    """The claim with this id; `UnforgetError` naming the nearest one if there is none."""
    choose("claim", id, [claim.id for claim in CLAIMS])
    return next(claim for claim in CLAIMS if claim.id == id)


def theirs(printed: pd.DataFrame, paper: str, measured: pd.DataFrame | None = None) -> Numbers:
    """Look-up of what `paper` prints (`paper.load()`); standard errors by `verdict.paper_error`.

    Where the paper prints no ± but says of how many runs a number is, often of one, the spread between our seeds of that
    cell in `measured` stands in, so that a difference counts only beyond what it allows.
    """
    cells = dict(DERIVED[paper]()) if paper in DERIVED else {}
    spread = {} if measured is None else {_key(cell): cell.sd for cell in _usable(measured, paper, "paper")}
    for cell in printed[printed.paper == paper].itertuples():
        n, our_sd = None if pd.isna(cell.n) else int(cell.n), spread.get(_key(cell), math.nan)
        error, assumed = verdict.paper_error(cell.error, cell.error_kind, n, cell.decimals, our_sd)
        if n and cell.error_kind == "none" and not our_sd > 0:
            assumed += ", for lack of seeds of ours that would show a spread"
        said = ((assumed, cell.artifact),) if assumed and _varies(cell.unit) else ()
        cells[_key(cell)] = Number(cell.mean, error, n, assumed=said)
    return lambda artifact, row, column: cells.get((artifact, row, column))


def ours(measured: pd.DataFrame, paper: str, profile: str = "paper") -> Numbers:
    """Look-up of what our records of one profile measured for `paper`, and of what is computed without records. Of what
    varies from seed to seed, numbers with fewer than `verdict.MIN_SEEDS` are left out, as in the ledger."""
    cells = {}
    for cell in _usable(measured, paper, profile):
        error = cell.sd / math.sqrt(cell.n) if cell.n > 1 else math.nan
        cells[_key(cell)] = Number(cell.mean, error, cell.n, tuple(cell.values), seeds=tuple(cell.seeds))

    def number(artifact: str, row: str, column: str) -> Number | None:
        return (COMPUTED[artifact]() if artifact in COMPUTED else cells).get((artifact, row, column))

    return number


def _usable(measured: pd.DataFrame, paper: str, profile: str) -> list:
    """Our cells of one paper and profile, without those of too few seeds."""
    found = measured[(measured.paper == paper) & (measured.profile == profile)].itertuples()
    return [cell for cell in found if cell.n >= verdict.MIN_SEEDS or not _varies(cell.unit)]


def _key(cell) -> tuple[str, str, str]:
    return cell.artifact, cell.row, cell.column


def _varies(unit: str) -> bool:
    """Whether a quantity varies from run to run: counts, marks and ratios of counts do not."""
    return unit not in (*verdict.EXACT, "ratio")


def judge(claim: Claim, numbers: Numbers, profile: str = "paper") -> Outcome:
    """The outcome of one claim on these numbers; `not judged` for a profile that trains on stand-in data or
    with other settings, `open` while the evaluation is not written.
    """
    if profile not in JUDGED:
        return Outcome(NOT_JUDGED, f"profile {profile} does not follow the paper's protocol")
    if claim.evaluate is None:
        return Outcome(OPEN, "no evaluation is written for this claim yet")
    return claim.evaluate(numbers)


def evaluate(
    printed: pd.DataFrame, measured: pd.DataFrame, profile: str = "paper", ids: Sequence[str] = ()
) -> pd.DataFrame:
    """All claims, or those with these ids, one row each: id, paper, where, claim, `printed` and `printed_reason` (the
    outcome on the paper's own numbers), `ours` and `ours_reason` (on our records of `profile`).
    """
    rows, papers = [], {claim.paper for claim in CLAIMS}
    on_paper = {paper: theirs(printed, paper, measured) for paper in papers}
    on_ours = {paper: ours(measured, paper, profile) for paper in papers}
    for claim in sorted(map(find, ids), key=CLAIMS.index) or CLAIMS:
        first = judge(claim, on_paper[claim.paper])
        second = OF_PRINT if claim.of_print else judge(claim, on_ours[claim.paper], profile)
        printed_reason = _reason(claim, first, "The paper prints no numbers that would tell.")
        ours_reason = _reason(claim, second, f"The numbers it needs are not recorded yet, or of fewer than {verdict.MIN_SEEDS} seeds.")
        rows.append((claim.id, claim.paper, claim.where, claim.text, first.verdict, printed_reason,
                     second.verdict, ours_reason))  # fmt: skip
    columns = ["id", "paper", "where", "claim", "printed", "printed_reason", "ours", "ours_reason"]
    return pd.DataFrame(rows, columns=columns)


def _reason(claim: Claim, outcome: Outcome, missing: str) -> str:
    """The reason of an outcome; where no part of a claim has a number, a plain sentence and not a list of the parts."""
    return missing if outcome.verdict == OPEN and claim.evaluate else outcome.reason
