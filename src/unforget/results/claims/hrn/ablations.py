"""Claims about the ablations and the two tables of them: r06, r12 and r15."""

from unforget.results.claims.base import Check, Number, Numbers, Outcome, above, absent, combine, show

ABLATION = "table-b1"


def _plasticity(numbers: Numbers, row: str) -> Number | None:
    """First accuracies averaged over tasks (ours); in print, where nothing else speaks of it, a column that is called the
    maximum over tasks and cannot be (`unforget.results.hrn.ablations.below`)."""
    return numbers(ABLATION, row, "First accuracy") or numbers(ABLATION, row, "Max task accuracy")


def r06(numbers: Numbers) -> Outcome:
    without, base, strong = "Low residue constraint", "Baseline", "High residue constraint"
    stable = {row: numbers(ABLATION, row, "T0 accuracy") for row in (without, base, strong)}
    plastic = {row: _plasticity(numbers, row) for row in (without, base, strong)}
    in_print = any(numbers(ABLATION, row, "First accuracy") is None and plastic[row] is not None for row in plastic)
    return combine(
        [
            above("λ = 10 is more stable", stable[strong], {"baseline": stable[base]}),
            above("λ = 0 is less stable", stable[base], {"λ = 0": stable[without]}),
            above("λ = 10 is less plastic", plastic[base], {"λ = 10": plastic[strong]}),
            above("λ = 0 is more plastic", plastic[without], {"baseline": plastic[base]}),
        ],
        note="Plasticity is read from the printed column Max task accuracy, which cannot be what it is called" if in_print else "",
    )


SAME_ROW = {
    "No gradient regularization": "Gradient update",
    "No residue constraint": "Low residue constraint",
    "High aging rate": "High aging rate",
    "Low basis size": "Low basis size",
    "High hashed-feature vector size": "High embedding size",
}
SAME_COLUMN = {"Long-term accuracy": "T0 accuracy", **{name: name for name in ("Max task accuracy", "Training time")}}
UNCHANGED = 0.02  # of the baseline's value
MARKS = {2: "++", 1: "+", 0: "=", -1: "−", -2: "−−"}

def agrees(mark: int, before: float, after: float, column: str) -> bool:
    """Whether a mark says what a change of a column's number says; less training time is better."""
    better = before - after if column == "Training time" else after - before
    return abs(better) <= UNCHANGED * before if mark == 0 else better * mark > 0


def r12(numbers: Numbers) -> Outcome:
    """A mark agrees with a change of its direction, however small, and = with one of at most `UNCHANGED`."""
    checks = []
    for row, other in SAME_ROW.items():
        for column, same in SAME_COLUMN.items():
            mark, name = numbers("table-2", row, column), f"{row.lower()}, {column.lower()}"
            cells = {"baseline": numbers(ABLATION, "Baseline", same), other: numbers(ABLATION, other, same)}
            gone = absent(name, {"the mark": mark, **cells})
            if gone:
                checks.append(gone)
                continue
            before, after = (cell.mean for cell in cells.values())
            agree = agrees(int(mark.mean), before, after, same)
            checks.append(Check(name, bool(agree), f"marked {MARKS[int(mark.mean)]}, {show(before)} to {show(after)}"))
    return combine(checks, every=True)


def r15(numbers: Numbers) -> Outcome:
    """On the long-term accuracy, which is that on the first task as the arXiv caption says: in print by its marks, since the
    ICLR table has only one of the rows; ours as measured."""
    checks = []
    for row, measured, better in (
        ("No basis update", "No basis update", False),
        ("High hashed-feature vector size", "High embedding size", True),
        ("High depth", "High depth", True),
    ):
        mark = numbers("table-2", row, "Long-term accuracy")
        if mark is not None:
            right = mark.mean > 0 if better else mark.mean < 0
            checks.append(Check(row.lower(), bool(right), f"marked {MARKS[int(mark.mean)]}"))
            continue
        cells = {name: numbers(ABLATION, name, SAME_COLUMN["Long-term accuracy"]) for name in ("Baseline", measured)}
        high, low = (measured, "Baseline") if better else ("Baseline", measured)
        checks.append(above(row.lower(), cells[high], {low.lower(): cells[low]}))
    return combine(checks)
