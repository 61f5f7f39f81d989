"""The claims of Berjaoui, *Continual learning using hash-routed convolutional neural networks*, 2020.

Row and column names are those of `data/paper/hrn.csv`; rows that are only ours are named in `OURS`. The drop of a task is
its accuracy right after its own training minus that at the end. The function `rNN` judges the claim rNN, stated in
`CLAIMS` below.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from unforget.results.claims.base import (
    Check,
    Claim,
    Number,
    Numbers,
    Outcome,
    above,
    absent,
    at_least,
    at_most,
    combine,
    compare,
    show,
)
from unforget.theory import hashing as theory

RIVALS = ("VC", "EWC", "ELL")
OURS = {
    "longer": "HRN, twice the epochs",
    "fixed": "HRN, no units added",
    "projections": "HRN, projections kept",
    "hash": "HRN, hash only",
}
LOW, SLIGHTLY = 3.0, 5.0  # points: "very low" for a drop, "slightly" for a shortfall


@dataclass(frozen=True)
class _Sequence:
    """A table of accuracies: its artifact, the number its first task bears, and the test images of each task."""

    name: str
    artifact: str
    first: int
    tests: tuple[int, ...]

    @property
    def tasks(self) -> range:
        return range(self.first, self.first + len(self.tests))

    def after_own(self, numbers: Numbers, row: str, task: int) -> Number | None:
        """Right after the task's own training; for the last task that is the end."""
        when = "final" if task == self.tasks[-1] else "first"
        return numbers(self.artifact, row, f"T{task} {when}")

    def change(self, numbers: Numbers, row: str, task: int) -> Number | None:
        """Final minus first: what is lost is negative."""
        final, first = (numbers(self.artifact, row, f"T{task} {when}") for when in ("final", "first"))
        return _sum(final, first, weights=(1, -1))

    def average(self, numbers: Numbers, row: str, over: str) -> Number | None:
        """Final accuracy over all test images, or over tasks whatever their size."""
        weights = np.array(self.tests if over == "images" else [1] * len(self.tests), float)
        found = [numbers(self.artifact, row, f"T{t} final") for t in self.tasks]
        return _sum(*found, weights=tuple(weights / weights.sum()))


WHOLE = _Sequence("SVHN/CIFAR", "table-1a", 0, (26_032, *[1_000] * 10))
PRINTED = (
    WHOLE,
    _Sequence("Pairwise MNIST", "table-1b", 0, (2_115, 2_042, 1_874, 1_986, 1_983)),
    _Sequence("Fashion-MNIST/MNIST", "table-1c", 0, (10_000, 10_000)),
)
ALONE = _Sequence("CIFAR alone", "table-1a-cifar100-alone", 1, (1_000,) * 10)


def _sequences(numbers: Numbers) -> tuple[_Sequence, ...]:
    """The paper's, and CIFAR-100 without SVHN where it has been run."""
    return PRINTED if numbers(ALONE.artifact, "HRN", "T1 final") is None else (*PRINTED, ALONE)


def _sum(*parts: Number | None, weights: Sequence[float]) -> Number | None:
    """A weighted sum. Seeds are added up one by one where all parts have them, else errors count as independent."""
    if None in parts:
        return None
    if len({len(part.values) for part in parts}) == 1 and len(parts[0].values) > 1:
        values = np.tensordot(weights, [part.values for part in parts], 1)
        return Number(values.mean(), values.std(ddof=1) / math.sqrt(len(values)), len(values), tuple(values))
    error = math.hypot(*(w * part.sem for w, part in zip(weights, parts, strict=True)))
    return Number(sum(w * part.mean for w, part in zip(weights, parts, strict=True)), error)


def r01(numbers: Numbers) -> Outcome:
    return combine(
        above(
            f"change of T0, {s.name}",
            s.change(numbers, "HRN", 0),
            {rival: s.change(numbers, rival, 0) for rival in RIVALS},
        )
        for s in PRINTED
    )


def r02(numbers: Numbers) -> Outcome:
    checks, rises = [], []
    for s in _sequences(numbers):
        for task in s.tasks[:-1]:
            change, name = s.change(numbers, "HRN", task), f"{s.name} T{task}"
            checks.append(absent(name, {"HRN": change}) or at_most(name, -change.mean, LOW, "drop"))
            rises += [name] if change and change.mean > 0 else []
    known = [check for check in checks if check.holds is not None]
    some = Check("some task rises", bool(rises) if known else None, ", ".join(rises) or "none does")
    return combine([*checks, some], every=True)


def r03(numbers: Numbers) -> Outcome:
    checks = []
    for s in _sequences(numbers):
        for task in s.tasks[:-1]:
            rivals = {rival: s.change(numbers, rival, task) for rival in RIVALS}
            checks.append(above(f"{s.name} T{task}", s.change(numbers, "HRN", task), rivals))
    return combine(checks)


def r04(numbers: Numbers) -> Outcome:
    """Often: in at least half of the tasks. Slightly: by at most `SLIGHTLY` points where it is lower, on average."""
    checks = []
    for s in _sequences(numbers):
        for rival in RIVALS:
            pairs = [(s.after_own(numbers, "HRN", t), s.after_own(numbers, rival, t)) for t in s.tasks]
            name = f"{rival} on {s.name}"
            if any(None in pair for pair in pairs):
                checks += [Check(f"{what} {name}", None, "no number") for what in ("often below", "slightly below")]
                continue
            short = [b.mean - a.mean for a, b in pairs if a.mean < b.mean]
            checks.append(at_least(f"often below {name}", len(short) / len(pairs), 0.5, "share of tasks"))
            if short:
                checks.append(at_most(f"slightly below {name}", sum(short) / len(short), SLIGHTLY, "shortfall"))
    return combine(checks)


def r05(numbers: Numbers) -> Outcome:
    checks = []
    for s in PRINTED:
        for task in s.tasks:
            rivals = {"VC": s.after_own(numbers, "VC", task)}
            longer = s.after_own(numbers, OURS["longer"], task)
            checks.append(above(f"{s.name} T{task}", longer, rivals, or_tied=True))
    return combine(checks)


ABLATION = "table-b1"


def _plasticity(numbers: Numbers, row: str) -> Number | None:
    """First accuracies averaged over tasks (ours); the paper prints a column that it calls maximal."""
    return numbers(ABLATION, row, "First accuracy") or numbers(ABLATION, row, "Max task accuracy")


def r06(numbers: Numbers) -> Outcome:
    without, base, strong = "Low residue constraint", "Baseline", "High residue constraint"
    stable = {row: numbers(ABLATION, row, "T0 accuracy") for row in (without, base, strong)}
    plastic = {row: _plasticity(numbers, row) for row in (without, base, strong)}
    return combine(
        [
            above("λ = 10 is more stable", stable[strong], {"baseline": stable[base]}),
            above("λ = 0 is less stable", stable[base], {"λ = 0": stable[without]}),
            above("λ = 10 is less plastic", plastic[base], {"λ = 10": plastic[strong]}),
            above("λ = 0 is more plastic", plastic[without], {"baseline": plastic[base]}),
        ]
    )


def r07(numbers: Numbers) -> Outcome:
    checks = []
    for s in (PRINTED[2], WHOLE):
        rows = {row: s.after_own(numbers, row, s.tasks[1]) for row in ("HRN", OURS["fixed"])}
        checks.append(above(f"more plastic on {s.name}", rows["HRN"], {"without": rows[OURS["fixed"]]}))
        rows = {row: s.average(numbers, row, "tasks") for row in ("HRN", OURS["fixed"])}
        name = f"not better in the end on {s.name}"
        checks.append(above(name, rows[OURS["fixed"]], {"with": rows["HRN"]}, or_tied=True))
    return combine(checks)


USED = ("SVHN, then CIFAR-100", "Fashion-MNIST, then MNIST", "Pairwise MNIST", "CIFAR-100 in ten tasks")
NOTABLE, HARDLY = 10.0, 2.0  # percent of all selections of units


def r08(numbers: Numbers) -> Outcome:
    """Printed as a figure only. Uneven, and shifting: at least `NOTABLE` percent of the selections would have to move, or
    do move. Hardly used: at most `HARDLY` percent of the selections since the unit is there."""
    checks = []
    for name in USED:
        cells = {column: numbers("figure-4", name, column) for column in ("Uneven", "Shift", "Least used unit")}
        if None in cells.values():
            continue
        uneven, shift, least = (cell.mean for cell in cells.values())
        checks += [
            at_least(f"uneven on {name}", uneven, NOTABLE, "percent from even use"),
            at_least(f"shifts on {name}", shift, NOTABLE, "percent from task to task"),
            at_most(f"one hardly used on {name}", least, HARDLY, "percent for the least used"),
        ]
    return combine(checks or [Check("use of units", None, "no number")])


def r09(numbers: Numbers) -> Outcome:
    checks = []
    for s in PRINTED:
        rows = {row: s.average(numbers, row, "images") for row in ("HRN", OURS["projections"])}
        order = None if None in rows.values() else compare(rows[OURS["projections"]], rows["HRN"])
        text = "no number" if order is None else " against ".join(show(n.mean) for n in rows.values())
        checks.append(Check(s.name, None if order is None else order <= 0, text))
    return combine(checks)


def r10(numbers: Numbers) -> Outcome:
    """Printed: an epoch takes at least five times as long as without routing. Ours: whether exact batches at least
    double the samples per second."""
    checks = []
    for column in ("SVHN, 1 epoch", "CIFAR-100, 1 epoch"):
        cells = {row: numbers("table-d14", f"{row} training", column) for row in ("HRN", "VC")}
        if None not in cells.values():
            ratio = cells["HRN"].mean / cells["VC"].mean
            checks.append(at_least(f"slow on {column.split(',')[0]}", ratio, 5, "times VC's time"))
    cells = {column: numbers("routing-speed", "HRN", column) for column in ("batched", "one by one")}
    if None not in cells.values():
        ratio = cells["batched"].mean / cells["one by one"].mean
        checks.append(at_most("batches do not help", ratio, 2, "speed-up by exact batches"))
    return combine(checks or [Check("speed of the routing", None, "measured where the book is made, not recorded")])


def r11(numbers: Numbers) -> Outcome:
    return combine(
        above(
            f"over {over}",
            WHOLE.average(numbers, "HRN", over),
            {rival: WHOLE.average(numbers, rival, over) for rival in RIVALS},
        )
        for over in ("images", "tasks")
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
            checks.append(Check(name, agree, f"marked {MARKS[int(mark.mean)]}, {show(before)} to {show(after)}"))
    return combine(checks, every=True)


MARKS = {2: "++", 1: "+", 0: "=", -1: "−", -2: "−−"}


def agrees(mark: int, before: float, after: float, column: str) -> bool:
    """Whether a mark says what a change of a column's number says; less training time is better."""
    better = before - after if column == "Training time" else after - before
    return abs(better) <= UNCHANGED * before if mark == 0 else better * mark > 0


HASHED = (100, 300, 2800)  # lengths of hash vectors: the ablations, two sequences, the colour images
CHANCE, ABOVE, FALLS = 4.0, 0.005, -0.9  # standard errors; probability; power of s that passes for 1/s


@cache
def hashing() -> dict[tuple[str, str, str], Number]:
    """What is measured over randomly drawn hash functions (`unforget.theory.hashing`): nothing is trained for it."""
    cells = {("hashing", "all", "power"): Number(theory.exponent(), 0.0, theory.FUNCTIONS)}
    for s in HASHED:
        for column, value in vars(theory.findings(s)).items():
            cells["hashing", f"s = {s}", column] = Number(value, 0.0, theory.FUNCTIONS)
    return cells


def r13(numbers: Numbers) -> Outcome:
    """On average: within `CHANCE` standard errors for every pair of images. Bounds: no measured tail lies more than `ABOVE`
    above them. The text says that the error is O(1/s); what falls like that is the variance."""
    checks = []
    for s in HASHED:
        found = {c: numbers("hashing", f"s = {s}", c) for c in ("bias", "orthogonal_bias", "beyond_eq1", "beyond_eq2")}
        if None in found.values():
            continue
        kept, apart, eq1, eq2 = (number.mean for number in found.values())
        checks += [
            at_most(f"products kept at s = {s}", kept, CHANCE, "standard errors off"),
            at_most(f"orthogonal at s = {s}", apart, CHANCE, "standard errors off"),
            at_most(f"Eq. 1 at s = {s}", eq1, ABOVE, "above the bound by"),
            at_most(f"Eq. 2 at s = {s}", eq2, ABOVE, "above the bound by"),
        ]
    power = numbers("hashing", "all", "power")
    if power is not None:
        checks.append(at_most("the error falls as 1/s", power.mean, FALLS, "power of s"))
    return combine(checks or [Check("hash functions", None, "no number")])


def r14(numbers: Numbers) -> Outcome:
    checks = []
    for s in _sequences(numbers):
        rows = {row: s.average(numbers, row, "images") for row in ("HRN", OURS["hash"])}
        checks.append(above(s.name, rows["HRN"], {"the hash alone": rows[OURS["hash"]]}))
    return combine(checks)


def r15(numbers: Numbers) -> Outcome:
    """Measured rows where there are any, else the marks of the arXiv version."""
    checks = []
    for row, measured, better in (
        ("No basis update", "No basis update", False),
        ("High hashed-feature vector size", "High embedding size", True),
        ("High depth", "High depth", True),
    ):
        cells = {name: numbers(ABLATION, name, "Global accuracy") for name in ("Baseline", measured)}
        mark = numbers("table-2", row, "Long-term accuracy")
        if None not in cells.values():
            high, low = (measured, "Baseline") if better else ("Baseline", measured)
            checks.append(above(row.lower(), cells[high], {low.lower(): cells[low]}))
        elif mark is not None:
            right = mark.mean > 0 if better else mark.mean < 0
            checks.append(Check(row.lower(), right, f"marked {MARKS[int(mark.mean)]}"))
        else:
            checks.append(Check(row.lower(), None, "no number"))
    return combine(checks)


def _claim(id: str, where: str, text: str, evaluate: Callable[[Numbers], Outcome] | None = None) -> Claim:
    return Claim(id, "hrn", where, text, evaluate)


CLAIMS = (
    _claim("r01", "5.2, Fig. 2", "The first task is more stable than with the other methods.", r01),
    _claim("r02", "5.2", "Accuracy drops very little on any task, and sometimes rises.", r02),
    _claim("r03", "5.2, Fig. 3", "The other methods forget more; forgetting is almost absent here.", r03),
    _claim("r04", "5.2, Fig. 3", "Accuracy right after a task is often a little below that of the others.", r04),
    _claim("r05", "5.2, 5.4", "Training longer makes up for the lower first accuracy.", r05),
    _claim("r06", "5.2, 5.4", "The weight of the l1 term trades stability for plasticity and matters in the "
           "long term.", r06),
    _claim("r07", "5.2, 5.3", "More units make the network more plastic, without necessarily making it "
           "better.", r07),
    _claim("r08", "5.3, Fig. 4", "Units are used unevenly, usage shifts from task to task, and one is hardly used.", r08),
    _claim("r09", "5.4", "Using the projections in the output brings nothing.", r09),
    _claim("r10", "4, App. C", "The routing hardly allows batches, so a graphics card is used poorly.", r10),
    _claim("r11", "Fig. 2", "Best overall accuracy on SVHN and CIFAR.", r11),
    _claim("r12", "arXiv Tab. 2, ICLR Tab. 1", "The two versions' ablation tables agree.", r12),
    _claim("r13", "2, Eq. 1-2", "Hashed features keep inner products on average, with an error of O(1/s), and are nearly "
           "orthogonal.", r13),
    _claim("r14", "(ours)", "The trained units add to what a fixed hash of the image already gives.", r14),
    _claim("r15", "arXiv Tab. 2, App. B", "Updating the bases, a longer hash and depth all matter.", r15),
)  # fmt: skip
