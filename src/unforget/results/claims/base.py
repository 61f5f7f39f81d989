"""Claims as code: what a claim is, how numbers are compared, and how single checks make an outcome.

A claim is judged from numbers alone, so the same code runs on our records and on what the paper prints.
Where a claim names no threshold, two means differ when their difference exceeds twice its combined standard
error.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

HELD, IN_PART, NOT_HELD, NOT_RUN, NOT_JUDGED = "held", "held in part", "not held", "not run", "not judged"
OUTCOMES = (HELD, IN_PART, NOT_HELD, NOT_RUN, NOT_JUDGED)
COUNTS_FROM = 2  # combined standard errors


@dataclass(frozen=True)
class Number:
    """A mean over `n` seeds with its standard error (NaN if unknown), in the unit of its cell."""

    mean: float
    sem: float = math.nan
    n: int | None = None
    values: tuple[float, ...] = ()


Numbers = Callable[[str, str, str], Number | None]  # (artifact, row, column) -> the number, if there is one


@dataclass(frozen=True)
class Check:
    """One part of a claim. `holds` is None while a number for it is missing; `text` is made from numbers.

    `tied` marks a part that fails because no difference beyond the error is seen, not by the contrary.
    """

    name: str
    holds: bool | None
    text: str
    tied: bool = False


@dataclass(frozen=True)
class Outcome:
    """One of `OUTCOMES`, the reason in words, and the checks behind it."""

    verdict: str
    reason: str
    cells: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A statement of a paper (`where` in it), in our words, and the code that judges it, if written yet."""

    id: str
    paper: str
    where: str
    text: str
    evaluate: Callable[[Numbers], Outcome] | None = None


def listed(paper: str, *lines: tuple) -> tuple[Claim, ...]:
    """The claims of a paper from lines of (id, where, text) or, where it is written, (id, where, text, evaluate)."""
    return tuple(Claim(id, paper, *rest) for id, *rest in lines)


def combine(checks: Iterable[Check], every: bool = False, note: str = "") -> Outcome:
    """The outcome of several checks.

    Held needs all of them. With some failed or missing and some passed a claim is held in part, unless it
    speaks of every case (`every`): then one counterexample suffices. `note` is added to the reason.
    """
    checks = tuple(checks)
    yes, no, missing = ([c for c in checks if c.holds is value] for value in (True, False, None))
    if not yes and not no:
        verdict = NOT_RUN
    elif not no and not missing:
        verdict = HELD
    elif no and (every or not yes):
        verdict = NOT_HELD
    else:
        verdict = IN_PART
    against, tied = [c for c in no if not c.tied], [c for c in no if c.tied]
    groups = (("Fails for", against), ("No difference beyond the error for", tied), ("Holds for", yes))
    said = [
        f"{words} {_listed(group)}" for words, group in (*groups, ("Without a number:", missing)) if group
    ]
    return Outcome(verdict, ". ".join([*said, note] if note else said) + ".", checks)


def _listed(checks: list[Check]) -> str:
    """Names and texts of a few checks, only the names of many."""
    if len(checks) > 6:
        return ", ".join(c.name for c in checks)
    return "; ".join(f"{c.name} ({c.text})" for c in checks)


def compare(a: Number, b: Number) -> int | None:
    """1, 0 or -1 as a is above, within error of, or below b; None where a standard error is unknown."""
    difference, error = a.mean - b.mean, COUNTS_FROM * math.hypot(a.sem, b.sem)
    if math.isnan(error):
        return None
    return 0 if abs(difference) <= error + 1e-12 else int(math.copysign(1, difference))


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
        return Check(name, False, f"{show(a.mean)} {', '.join(said)}", tied)
    missing = [label for label in rivals if order.get(label) is None]
    if missing:
        return Check(name, None, f"no number with a standard error for {', '.join(missing)}")
    best = max(known, key=lambda label: known[label].mean)
    return Check(name, True, f"{show(a.mean)} {words[order[best]]} {best} {show(known[best].mean)}")


def at_most(name: str, value: float, limit: float, text: str) -> Check:
    """Whether a value computed from numbers stays within a declared limit."""
    return Check(name, value <= limit + 1e-9, f"{text} {show(value)}, limit {show(limit)}")


def at_least(name: str, value: float, limit: float, text: str) -> Check:
    """Whether a value computed from numbers reaches a declared limit."""
    return Check(name, value >= limit - 1e-9, f"{text} {show(value)}, at least {show(limit)} expected")


def show(value: float) -> str:
    """A number for a sentence: two decimals, or three significant digits where those would hide it (rounding aside)."""
    return f"{value:.2f}" if abs(value) >= 0.1 or abs(value) < 1e-4 else f"{value:.3g}"
