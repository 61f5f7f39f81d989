"""Claims about units, batches and hash functions: r08, r10 and r13."""

from collections.abc import Sequence
from functools import cache

import pandas as pd

from unforget.results import speeds
from unforget.results.claims.base import (
    Check,
    Number,
    Numbers,
    Outcome,
    at_least,
    at_most,
    combine,
    show,
)
from unforget.results.hrn import speed as recorded
from unforget.theory import hashing as theory
from unforget.words import count

USED = ("SVHN, then CIFAR-100", "Fashion-MNIST, then MNIST", "Pairwise MNIST", "CIFAR-100 in ten tasks")
NOTABLE, HARDLY = 10.0, 2.0  # percent of all selections of units


def r08(numbers: Numbers) -> Outcome:
    """Printed as a figure only. Uneven, and shifting: at least `NOTABLE` percent of the selections would have to move, or
    do move, on the mean over seeds. Hardly used: at most `HARDLY` percent of the selections since the unit is there, in more
    than half of the seeds; which unit it is differs from seed to seed."""
    checks = []
    for name in USED:
        cells = {column: numbers("figure-4", name, column) for column in ("Uneven", "Shift", "Least used unit")}
        parts = [f"{part} on {name}" for part in ("uneven", "shifts", "one hardly used")]
        if None in cells.values():
            checks += [Check(part, None, "no number") for part in parts]
            continue
        uneven, shift, least = cells.values()
        checks += [
            at_least(parts[0], uneven.mean, NOTABLE, "percent from even use"),
            at_least(parts[1], shift.mean, NOTABLE, "percent from task to task"),
            _in_most(parts[2], idle(least.values), len(least.values)),
        ]
    return combine(checks)


def idle(least: Sequence[float]) -> int:
    """In how many seeds the least used unit, with these percentages of all selections, is hardly used."""
    return sum(bool(share <= HARDLY) for share in least)


def hardly_used(cells: pd.DataFrame) -> str:
    """In how many recorded seeds of each sequence some unit is, as a sentence for a page; `cells` is a frame of
    `unforget.results.measured`."""
    own = cells[(cells.paper == "hrn") & (cells.artifact == "figure-4") & (cells.column == "Least used unit") & (cells.profile == "paper")]
    found = [f"in {idle(cell.values)} of {count(cell.n, 'seed')} on {cell.row}" for cell in own.itertuples()]
    if not found:
        return "How units are used is not recorded yet."
    return f"Some unit is hardly used, with at most {HARDLY:g} percent of the selections since it is there, {', '.join(found)}."


def _in_most(name: str, found: int, seeds: int) -> Check:
    return Check(name, found > seeds / 2, f"at most {show(HARDLY)} percent in {found} of {count(seeds, 'seed')}")


SLOW, HELPS = 5.0, 2.0  # times another method's time; times as many samples per second
DEVICES = {"cpu": "on a CPU", "cuda": "on a graphics card"}
BESIDE_VC = "training time over VC's"
TIMED = {
    f"{scenario} {work}": f"{work} with the units of {title}"
    for scenario, title in (("pairwise-mnist", "Pairwise MNIST"), ("svhn-cifar", "SVHN and CIFAR-100"))
    for work in ("training", "inference")
}


def r10(numbers: Numbers) -> Outcome:
    """Used poorly: HRN takes at least `SLOW` times VC's time, on both sides. Ours also by how many times as many samples per
    second exact batches make, which the paper did not try: they hardly help up to `HELPS`. On a CPU that says whether
    batches are possible, on a graphics card also how well it is used."""
    printed = []
    for column in ("SVHN, 1 epoch", "CIFAR-100, 1 epoch"):
        cells = {row: numbers("table-d14", f"{row} training", column) for row in ("HRN", "VC")}
        if None not in cells.values():
            printed.append(_slow(column.split(",")[0], Number(cells["HRN"].mean / cells["VC"].mean)))
    if printed:
        return combine(printed)
    checks = [_slow(f"SVHN {place}", numbers("routing-speed", BESIDE_VC, device)) for device, place in DEVICES.items()]
    for device, place in DEVICES.items():
        for what, title in TIMED.items():
            gain, name = numbers("routing-speed", what, device), f"{title} {place}"
            gone = Check(name, None, "no speed recorded") if gain is None else None
            checks.append(gone or at_most(name, gain.mean, HELPS, "times as fast in batches"))
    return combine(checks)


def _slow(where: str, ratio: Number | None) -> Check:
    name = f"slow on {where}"
    return Check(name, None, "no speed recorded") if ratio is None else at_least(name, ratio.mean, SLOW, "times VC's time")


def speed() -> dict[tuple[str, str, str], Number]:
    """How many times as many samples per second one seed makes in exact batches as one by one, by what is timed and the
    kind of device: recorded by the benchmark "hrn", the smaller one of both readings of the depth. And how many times VC's
    time HRN takes to train on SVHN, as Algorithm 1 reads."""
    cells: dict[tuple[str, str, str], Number] = {}
    for device, record in speeds.load("hrn").items():
        for row in recorded.rows_of_routing(record):
            key, gain = ("routing-speed", f"{row['scenario']} {row['what']}", device), row["naive / batched"]
            if row["seeds"] == 1 and (key not in cells or gain < cells[key].mean):
                cells[key] = Number(gain)
        rates = recorded.recorded_methods(device).query("work == 'training'").set_index("method")["samples per second"]
        if {"HRN", "VC"} <= set(rates.index):
            cells["routing-speed", BESIDE_VC, device] = Number(rates["VC"] / rates["HRN"])
    return cells


HASHED = (100, 300, 2800)  # lengths of hash vectors: the ablations, two sequences, the colour images
CHANCE, ABOVE, FALLS = 4.0, 0.5, -0.9  # standard errors; probability in percent; power of s that passes for 1/s


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
    percent above them. The text says that the error is O(1/s); what falls like that is the variance."""
    checks = []
    for s in HASHED:
        found = {c: numbers("hashing", f"s = {s}", c) for c in ("bias", "orthogonal_bias", "beyond_eq1", "beyond_eq2")}
        if None in found.values():
            continue
        kept, apart, eq1, eq2 = (number.mean for number in found.values())
        checks += [
            at_most(f"products kept at s = {s}", kept, CHANCE, "standard errors off"),
            at_most(f"orthogonal at s = {s}", apart, CHANCE, "standard errors off"),
            at_most(f"Eq. 1 at s = {s}", 100 * eq1, ABOVE, "percent above the bound:"),
            at_most(f"Eq. 2 at s = {s}", 100 * eq2, ABOVE, "percent above the bound:"),
        ]
    power = numbers("hashing", "all", "power")
    if power is not None:
        checks.append(at_most("the error falls as 1/s", power.mean, FALLS, "power of s"))
    return combine(checks or [Check("hash functions", None, "no number")])
