"""What several claims of von Oswald et al. look up in the same way."""

from unforget.results.claims.base import (
    Check,
    Number,
    Numbers,
    absent,
    at_most,
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


def alike(what: str, by_value: dict[str, Number | None]) -> Check:
    """Whether accuracies differ by at most half a point, whatever the value."""
    gone = absent(what, by_value)
    if gone:
        return gone
    means = [number.mean for number in by_value.values()]
    return at_most(what, max(means) - min(means), 0.5, f"largest minus smallest accuracy for {', '.join(by_value)}:")
