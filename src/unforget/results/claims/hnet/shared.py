"""What several claims of von Oswald et al. look up in the same way."""

import math

from unforget.results.claims.base import (
    COUNTS_FROM,
    Check,
    Number,
    Numbers,
    absent,
    at_most,
    difference,
    show,
)

SPLIT, PERMUTED = ("S-CL1", "S-CL2", "S-CL3"), ("P10-CL1", "P10-CL2", "P10-CL3")
RELATED = ("EWC", "SI", "DGR")
LONG_RELATED = ("SI", "DGR+distill", "Online EWC")  # as the figures on P100 name them


def row_of(numbers: Numbers, artifact: str, row: str, columns) -> dict[str, Number | None]:
    return {column: numbers(artifact, row, column) for column in columns}


def gap(name: str, numbers: dict[str, Number | None], limit: float, absolute: bool = False) -> Check:
    """First number minus second at most `limit`."""
    if gone := absent(name, numbers):
        return gone
    (first, a), (second, b) = numbers.items()
    value = abs(a.mean - b.mean) if absolute else a.mean - b.mean
    return at_most(name, value, limit, f"{first} {show(a.mean)}, {second} {show(b.mean)}, difference")


def alike(name: str, base: Number | None, others: dict[str, Number | None], limit: float = 0.5) -> Check:
    """Whether every other number lies within `limit` points of the base. Two standard errors of a difference must leave no
    doubt, else the part is tied."""
    if gone := absent(name, {"the base": base, **others}):
        return gone
    said, nearest, farthest = [], 0.0, 0.0
    for label, number in others.items():
        value, error = difference(number, base)
        if math.isnan(error):
            return Check(name, None, f"no standard error of the difference from {label}")
        doubt = COUNTS_FROM * error
        nearest, farthest = max(nearest, abs(value) - doubt), max(farthest, abs(value) + doubt)
        said.append(f"{label} {'+' if value >= 0 else ''}{show(value)} ± {show(error)}")
    return Check(name, bool(farthest <= limit), f"{', '.join(said)}, limit {show(limit)}", bool(nearest <= limit < farthest))
