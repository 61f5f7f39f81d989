"""When a printed number counts as reproduced: the one rule of the ledger, and its margins.

Let Δ be ours minus the paper's mean, SE the combined standard error (root of the sum of both squares), and
m the margin of the artifact and unit. For accuracies m is a share of the error rate, 100 minus the printed
accuracy, so it shrinks near 100 %; it is capped, and never finer than half the last printed digit.

- reproduced: |Δ| ≤ m; or |Δ| ≤ 2 SE, if our own standard error is at most m or twice the paper's.
- close: |Δ| ≤ 3 m; or |Δ| ≤ 3 SE with our error as small as above; or |Δ| ≤ 2 SE where it is larger, since
  agreement that comes from our own uncertainty shows nothing.
- differs: anything else, in either direction: a better number is a deviation too.
- not comparable: no number of ours is the same quantity, since what is printed cannot be what it is called (the note of
  the cell says why), is a time on the paper's own machine, or a mark whose measure is not stated. Ours stands beside the
  first; a ratio or a direction, which can be compared, on the page that shows the others.
- not run: no record of the paper's own protocol, or fewer than 3 seeds of it where the paper has more.
- quoted: the paper copied the number from another one and we have not run it. Where we have, it is judged
  like any other and stays marked as quoted.
- ours: a number of ours that the paper does not print.

Where a paper prints no ± but says of how many runs its number is, often of one, these are taken to spread as our
seeds do. That is an assumption, so |Δ| ≤ 2 SE is then close at most; beyond it, and beyond 3 m, the number differs.

Counts of parameters and marks in a table of marks must be equal.

A cause counts if a recorded run in which nothing else was changed moved the number beyond chance: the same
seeds (at least 3) compared pair by pair, two-sided t-test at 5 %.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy import stats

from unforget.errors import choose
from unforget.words import count

VERDICTS = ("reproduced", "close", "differs", "not comparable", "not run", "quoted", "ours")
AGREE_SE, CLOSE_SE, CLOSE_MARGINS, OWN_ERROR, MIN_SEEDS = 2, 3, 3, 2, 3
EXACT = ("parameters",)
_TIME = "a time on the paper's own machine"
INCOMPARABLE = {"h": _TIME, "min": _TIME, "s": _TIME, "sign": "a mark whose measure is not stated"}
"""Units in which no number of ours is the same quantity, and why."""
CHANCE = 0.05
MOVED = f"paired by seed, at least {MIN_SEEDS}, t-test at {CHANCE:.0%}"


def rule() -> str:
    """The rule as text for a page: this module's docstring without its first line."""
    return __doc__.partition("\n")[2].strip()


@dataclass(frozen=True)
class Margin:
    """How far from the printed mean still counts as the same.

    `share` is a fraction of 100 minus the printed value for `%`, of the value itself for other units; `cap`
    is in the unit. `*` stands for every paper and artifact without a line of its own.
    """

    paper: str
    artifact: str
    unit: str
    share: float
    cap: float
    reason: str


# `ledger.margins` sets each against the spread between seeds, the papers' and ours; tests hold them below it.
MARGINS = (
    Margin("*", "*", "%", 0.02, 0.2,
           "half the median spread between the paper's seeds on permuted MNIST, the less noisy of the MNIST "
           "streams, in error-rate terms; the cap is two standard errors of the rows near chance, with a "
           "large error rate and little spread, and leaves other low accuracies to their standard errors"),
    Margin("hnet", "table-5", "%", 0.02, 0.5,
           "half the median spread between the paper's seeds on the two CIFAR networks, in error-rate terms"),
    Margin("lstm", "table-3", "%", 0.02, 0.5,
           "no ± is printed: that of HNET Table 5, whose ResNet-32 experiment this table repeats"),
    Margin("*", "*", "points", 0.05, 0.5, "a difference of two accuracies, printed as a round number"),
    Margin("*", "*", "ratio", 0.0, 0.0, "arithmetic: only the rounding of the last digit is allowed"),
    Margin("*", "*", "parameters", 0.0, 0.0, "counted, not measured"),
)  # fmt: skip


def margin(paper: str, artifact: str, unit: str) -> Margin:
    """The margin that applies to a cell: the artifact's own line, else the one for every artifact of this
    unit.
    """
    declared = {(m.paper, m.artifact, m.unit): m for m in MARGINS}
    if (paper, artifact, unit) in declared:
        return declared[paper, artifact, unit]
    choose("unit with a margin", unit, {m.unit for m in MARGINS if m.paper == "*"})
    return declared["*", "*", unit]


def width(rule: Margin, mean: float, decimals: int) -> float:
    """The margin m in the cell's unit, for a printed mean with this many decimals."""
    scale = 100 - mean if rule.unit == "%" else abs(mean)
    return max(0.5 * 10.0**-decimals, min(rule.cap, rule.share * scale))


def paper_error(
    error: float, kind: str, n: int | None, decimals: int, our_sd: float = math.nan
) -> tuple[float, str]:
    """Standard error of a printed mean, and in words what was assumed to get it (empty if nothing).

    `our_sd`, the standard deviation between our seeds, stands in where the paper prints none but n. `unstated`
    is read as a standard error because the tables that leave it open copy rows whose ± is known to be one; as
    a standard deviation it could not be converted, for they do not give the number of seeds either.
    """
    if kind == "SEM":
        return error, ""
    if kind == "STD":
        if n:
            return error / math.sqrt(n), ""
        return error, "± is a standard deviation of an unknown number of seeds, taken undivided"
    if kind == "unstated":
        return error, "the paper does not say what its ± is; taken as a standard error"
    if n and our_sd > 0:
        said = f"the paper prints no ±; taken to spread as our seeds do, over {count(n, 'run')}"
        return our_sd / math.sqrt(n), said
    return 10.0**-decimals / math.sqrt(12), "the paper prints no ±; only its rounding is counted"


def in_standard_errors(delta: float, paper_se: float, our_se: float) -> float:
    """Δ divided by the combined standard error; NaN where ours is unknown (one seed) or both are 0."""
    combined = math.hypot(paper_se, our_se)
    return delta / combined if combined else math.nan


def paired(variant: Mapping[int, float], base: Mapping[int, float]) -> tuple[float, float]:
    """Mean difference over the seeds that both have, and how likely so large a one is by chance (two-sided t-test); the
    same seed draws the same samples and initial weights. The latter is NaN for fewer than `MIN_SEEDS` seeds.
    """
    common = sorted(variant.keys() & base.keys())
    ours, theirs = ([values[seed] for seed in common] for values in (variant, base))
    difference = sum(ours) / len(ours) - sum(theirs) / len(theirs) if common else math.nan
    return difference, float(stats.ttest_rel(ours, theirs).pvalue) if len(common) >= MIN_SEEDS else math.nan


def judge(
    delta: float,
    paper_se: float,
    our_se: float,
    seeds: int,
    paper_seeds: int | None,
    m: float,
    unit: str = "%",
    stated: bool = True,
) -> tuple[str, str]:
    """Verdict and its reason in words, for Δ and both standard errors in `unit`; `our_se` is NaN for one
    seed. `stated` is False where the paper prints none but the number of runs, so that ours has to stand in.
    """
    size = abs(delta) - 1e-9  # a difference of two decimals is not exactly on the margin
    if unit in EXACT:
        return ("reproduced", "equal") if size <= 0 else ("differs", f"off by {abs(delta):,.0f}")
    if seeds < min(MIN_SEEDS, paper_seeds if paper_seeds and stated else MIN_SEEDS):
        return "not run", f"{seeds} of {paper_seeds or 'several'} seeds are too few to judge"
    if size <= m:
        return "reproduced", f"within the margin of {m:.2g}"
    se = math.hypot(paper_se, our_se)
    times, of = (abs(delta) / se, "combined standard errors") if se > 0 else (abs(delta) / m, "margins")
    apart = f"{times:.2f} {of}" if times < 10 else f"{times:.0f} {of}"  # 2.02 is more than 2
    sharp = our_se <= max(m, OWN_ERROR * paper_se if stated else 0)
    if size <= AGREE_SE * se:
        if sharp:
            return "reproduced", f"within {AGREE_SE} combined standard errors"
        weak = f"but our own, {our_se:.2g}, is too large to tell" if stated else "the paper's by our spread"
        return "close", f"within {AGREE_SE} combined standard errors, {weak}"
    if size <= CLOSE_MARGINS * m:
        return "close", f"within {CLOSE_MARGINS} margins of {m:.2g}"
    if sharp and size <= CLOSE_SE * se:
        return "close", f"{apart} apart"
    return "differs", f"{apart} apart"
