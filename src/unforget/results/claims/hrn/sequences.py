"""Claims about the sequences of data sets: r01 to r05, r07, r09, r11 and r14."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unforget.results.claims.base import (
    Check,
    Number,
    Numbers,
    Outcome,
    above,
    assumptions,
    combine,
    compare,
)

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
        error = values.std(ddof=1) / math.sqrt(len(values))
        return Number(float(values.mean()), float(error), len(values), tuple(map(float, values)))
    error = math.hypot(*(w * part.sem for w, part in zip(weights, parts, strict=True)))
    mean = float(sum(w * part.mean for w, part in zip(weights, parts, strict=True)))
    return Number(mean, error, assumed=assumptions(parts))


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
    """Very little: less than `LOW` points, beyond the error of the drop."""
    changes = {
        f"{s.name} T{task}": s.change(numbers, "HRN", task) for s in _sequences(numbers) for task in s.tasks[:-1]
    }
    limit = {"the limit": Number(-LOW, 0.0)}
    return combine([*(above(name, change, limit) for name, change in changes.items()), _rises(changes)], every=True)


def _rises(changes: dict[str, Number | None]) -> Check:
    """Whether some task is better at the end; not decided by those that are recorded while others are missing."""
    name, known = "some task rises", {task: change for task, change in changes.items() if change is not None}
    up = [task for task, change in known.items() if compare(change, Number(0.0, 0.0)) == 1]
    if up:
        return Check(name, True, ", ".join(up), assumed=assumptions(known[task] for task in up))
    if len(known) < len(changes):
        return Check(name, None, "none of those recorded" if known else "no number")
    within = [task for task, change in known.items() if change.mean > 0]
    return Check(name, False, ", ".join(within) or "none does", bool(within), assumptions(known.values()))


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
            found = [(s.after_own(numbers, "HRN", t), s.after_own(numbers, rival, t)) for t in s.tasks]
            name = f"{rival} on {s.name}"
            if any(None in pair for pair in found):
                checks += [Check(f"{what} {name}", None, "no number") for what in ("often below", "slightly below")]
                continue
            checks.append(_often(f"often below {name}", found))
            short = [_sum(a, b, weights=(1, -1)) for a, b in found if a.mean < b.mean]
            if short:
                mean = _sum(*short, weights=[1 / len(short)] * len(short))
                checks.append(above(f"slightly below {name}", mean, {"the limit": Number(-SLIGHTLY, 0.0)}))
    return combine(checks)


def _often(name: str, pairs: list[tuple[Number, Number]]) -> Check:
    """Whether the first is lower in at least half of the pairs; undecided where that hangs on differences within error."""
    order = [compare(a, b) for a, b in pairs]
    lower, half = order.count(-1), len(pairs) / 2
    text = f"lower on {lower} of {len(pairs)} tasks, within error on {order.count(0)}"
    tied = lower < half <= lower + order.count(0)
    return Check(name, lower >= half, text, tied, assumptions(one for pair in pairs for one in pair))


def r05(numbers: Numbers) -> Outcome:
    checks = []
    for s in PRINTED:
        for task in s.tasks:
            rivals = {"VC": s.after_own(numbers, "VC", task)}
            longer = s.after_own(numbers, OURS["longer"], task)
            checks.append(above(f"{s.name} T{task}", longer, rivals, or_tied=True))
    return combine(checks)


def r07(numbers: Numbers) -> Outcome:
    checks = []
    for s in (PRINTED[2], WHOLE):
        rows = {row: s.after_own(numbers, row, s.tasks[1]) for row in ("HRN", OURS["fixed"])}
        checks.append(above(f"more plastic on {s.name}", rows["HRN"], {"without": rows[OURS["fixed"]]}))
        rows = {row: s.average(numbers, row, "tasks") for row in ("HRN", OURS["fixed"])}
        name = f"not better in the end on {s.name}"
        checks.append(above(name, rows[OURS["fixed"]], {"with": rows["HRN"]}, or_tied=True))
    return combine(checks)


def r09(numbers: Numbers) -> Outcome:
    checks = []
    for s in PRINTED:
        rows = {row: s.average(numbers, row, "images") for row in ("HRN", OURS["projections"])}
        checks.append(above(s.name, rows["HRN"], {"the projections kept": rows[OURS["projections"]]}, or_tied=True))
    return combine(checks)


def r11(numbers: Numbers) -> Outcome:
    return combine(
        above(
            f"over {over}",
            WHOLE.average(numbers, "HRN", over),
            {rival: WHOLE.average(numbers, rival, over) for rival in RIVALS},
        )
        for over in ("images", "tasks")
    )


def r14(numbers: Numbers) -> Outcome:
    checks = []
    for s in _sequences(numbers):
        rows = {row: s.average(numbers, row, "images") for row in ("HRN", OURS["hash"])}
        checks.append(above(s.name, rows["HRN"], {"the hash alone": rows[OURS["hash"]]}))
    return combine(checks)
