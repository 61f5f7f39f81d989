"""Claims as code: what a claim is, how numbers are compared, and how single checks make an outcome.

A claim is judged from numbers alone, so the same code runs on our records and on what the paper prints.
Where a claim names no threshold, two means differ when their difference exceeds twice its combined standard
error. What was assumed to get such an error goes with the number into the reason of the outcome.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

HELD, HELD_SO_FAR, IN_PART, UNDECIDED = "held", "held so far", "held in part", "undecided"
NOT_HELD_SO_FAR, NOT_HELD, OPEN, NOT_JUDGED = "not held so far", "not held", "open", "not judged"
OUTCOMES = (HELD, HELD_SO_FAR, IN_PART, UNDECIDED, NOT_HELD_SO_FAR, NOT_HELD, OPEN, NOT_JUDGED)
COUNTS_FROM = 2  # combined standard errors


@dataclass(frozen=True)
class Number:
    """A mean over `n` seeds with its standard error (NaN if unknown), in the unit of its cell, the values and whose they
    are, and in words what was assumed to get that error, and of which artifact."""

    mean: float
    sem: float = math.nan
    n: int | None = None
    values: tuple[float, ...] = ()
    assumed: tuple[tuple[str, str], ...] = ()
    seeds: tuple[int, ...] = ()


Numbers = Callable[[str, str, str], Number | None]  # (artifact, row, column) -> the number, if there is one


@dataclass(frozen=True)
class Check:
    """One part of a claim. `holds` is None while a number for it is missing; `text` is made from numbers.

    `tied` marks a part that fails because the error leaves it open, not by the contrary; `assumed` says
    what was assumed about the errors it was judged by. Raises `TypeError` for a `holds` that is not True, False or None:
    numpy's own truth values are none of these, and would be lost where checks are counted.
    """

    name: str
    holds: bool | None
    text: str
    tied: bool = False
    assumed: tuple[tuple[str, str], ...] = ()

    def __post_init__(self):
        if not any(self.holds is value for value in (True, False, None)):
            raise TypeError(f"check {self.name!r} holds {self.holds!r}; True, False or None is needed")


@dataclass(frozen=True)
class Outcome:
    """One of `OUTCOMES`, the reason in words, and the checks behind it."""

    verdict: str
    reason: str
    cells: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A statement of a paper (`where` in it), in our words, and the code that judges it, if written yet. One `of_print` is
    about printed numbers alone, so that no record could judge it."""

    id: str
    paper: str
    where: str
    text: str
    evaluate: Callable[[Numbers], Outcome] | None = None
    of_print: bool = False


def listed(paper: str, *lines: tuple) -> tuple[Claim, ...]:
    """The claims of a paper from lines of (id, where, text) or, where it is written, (id, where, text, evaluate); True behind
    that for one that is `of_print`."""
    return tuple(Claim(id, paper, *rest) for id, *rest in lines)


def combine(checks: Iterable[Check], every: bool = False, note: str = "") -> Outcome:
    """The outcome of several checks, its parts.

    - held, held so far: all parts hold; all that have a number hold, others are missing.
    - held in part: some hold and some do not.
    - undecided: none holds and none fails; the error leaves it open.
    - not held, not held so far: some fail and none holds; the same while others are missing. Where a claim speaks of
      every case (`every`), one part that fails suffices.
    - open: none has a number.

    `note` is added to the reason.
    """
    checks = tuple(checks)
    yes, no, missing = ([c for c in checks if c.holds is value] for value in (True, False, None))
    against, tied = [c for c in no if not c.tied], [c for c in no if c.tied]
    if not yes and not no:
        verdict = OPEN
    elif against and (every or not yes):
        verdict = NOT_HELD if every or not missing else NOT_HELD_SO_FAR
    elif not yes:
        verdict = UNDECIDED
    elif no:
        verdict = IN_PART
    else:
        verdict = HELD_SO_FAR if missing else HELD
    said = [f"Judged on {len(checks) - len(missing)} of {len(checks)} parts"] if missing else []
    groups = (("Fails for", against), ("Left open by the error for", tied), ("Holds for", yes))
    said += [f"{words} {_listed(group)}" for words, group in (*groups, ("Without a number:", missing)) if group]
    return Outcome(verdict, ". ".join([*said, *([note] if note else []), *_assumed(checks)]) + ".", checks)


def _listed(checks: list[Check]) -> str:
    """Names and texts of a few checks, only the names of many."""
    return "; ".join(c.name if len(checks) > 6 else f"{c.name} ({c.text})" for c in checks)


def _assumed(checks: Sequence[Check]) -> list[str]:
    """What was assumed, each with the artifacts it concerns."""
    where: dict[str, list[str]] = {}
    for text, artifact in assumptions(checks):
        where.setdefault(text, []).append(artifact.replace("-", " "))
    return [f"{text[:1].upper()}{text[1:]} ({', '.join(artifacts)})" for text, artifacts in where.items()]


def assumptions(found: Iterable[Number | Check | None]) -> tuple[tuple[str, str], ...]:
    """What was assumed about any of these, once each."""
    return tuple(dict.fromkeys(one for thing in found if thing is not None for one in thing.assumed))


def compare(a: Number, b: Number) -> int | None:
    """1, 0 or -1 as a is above, within error of, or below b; None where a standard error is unknown."""
    apart, error = a.mean - b.mean, COUNTS_FROM * math.hypot(a.sem, b.sem)
    if math.isnan(error):
        return None
    return 0 if abs(apart) <= error + 1e-12 else int(math.copysign(1, apart))


def difference(a: Number, b: Number) -> tuple[float, float]:
    """a minus b and its standard error: over the seeds that both have, where they are known, for these share samples and
    initial weights."""
    first, second = (dict(zip(number.seeds, number.values, strict=bool(number.seeds))) for number in (a, b))
    gaps = [first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())]
    if len(gaps) > 1:
        return statistics.fmean(gaps), statistics.stdev(gaps) / math.sqrt(len(gaps))
    return a.mean - b.mean, math.hypot(a.sem, b.sem)


def absent(name: str, numbers: Mapping[str, Number | None]) -> Check | None:
    """A check without a result that names what is missing, or None if every number is there."""
    gone = [label for label, number in numbers.items() if number is None]
    return Check(name, None, "no number for " + ", ".join(gone)) if gone else None


def above(name: str, a: Number | None, rivals: Mapping[str, Number | None], or_tied: bool = False) -> Check:
    """Whether a is above each rival (with `or_tied`: above or within error). Text: a and the rivals that
    fail, or the strongest one. A rival that is not beaten decides even while others are missing.
    """
    if a is None:
        return Check(name, None, "no number")
    known = {label: rival for label, rival in rivals.items() if rival is not None}
    order = {label: compare(a, rival) for label, rival in known.items()}
    words = {1: "above", 0: "within error of", -1: "below"}
    failed = [label for label, o in order.items() if o is not None and o < (0 if or_tied else 1)]
    if failed:
        said = []
        for label in failed:
            word = "equal to" if a.mean == known[label].mean else words[order[label]]
            said.append(f"{word} {label} {show(known[label].mean)}")
        tied = all(order[label] == 0 for label in failed)
        return Check(name, False, f"{show(a.mean)} {', '.join(said)}", tied, assumptions([a, *known.values()]))
    missing = [label for label in rivals if label not in known]
    unsure = [label for label in known if order[label] is None]
    if missing or unsure:
        said = [f"no number for {', '.join(missing)}"] if missing else []
        said += [f"no standard error of the difference from {', '.join(unsure)}"] if unsure else []
        return Check(name, None, ", ".join(said))
    best = max(known, key=lambda label: known[label].mean)
    text = f"{show(a.mean)} {words[order[best]]} {best} {show(known[best].mean)}"
    return Check(name, True, text, assumed=assumptions([a, *known.values()]))


def at_most(name: str, value: float, limit: float, text: str) -> Check:
    """Whether a value computed from numbers stays within a declared limit."""
    return Check(name, bool(value <= limit + 1e-9), f"{text} {show(value)}, limit {show(limit)}")


def at_least(name: str, value: float, limit: float, text: str) -> Check:
    """Whether a value computed from numbers reaches a declared limit."""
    return Check(name, bool(value >= limit - 1e-9), f"{text} {show(value)}, at least {show(limit)} expected")


def show(value: float) -> str:
    """A number for a sentence: two decimals, with a real minus sign."""
    return f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")
