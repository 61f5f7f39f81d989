"""Claims about units, batches and hash functions: r08, r10 and r13."""

from functools import cache

from unforget.results import speeds
from unforget.results.claims.base import (
    Check,
    Number,
    Numbers,
    Outcome,
    at_least,
    at_most,
    combine,
)
from unforget.results.hrn import speed as recorded
from unforget.theory import hashing as theory

USED = ("SVHN, then CIFAR-100", "Fashion-MNIST, then MNIST", "Pairwise MNIST", "CIFAR-100 in ten tasks")
NOTABLE, HARDLY = 10.0, 2.0  # percent of all selections of units


def r08(numbers: Numbers) -> Outcome:
    """Printed as a figure only. Uneven, and shifting: at least `NOTABLE` percent of the selections would have to move, or
    do move. Hardly used: at most `HARDLY` percent of the selections since the unit is there."""
    checks = []
    for name in USED:
        cells = {column: numbers("figure-4", name, column) for column in ("Uneven", "Shift", "Least used unit")}
        parts = [f"{part} on {name}" for part in ("uneven", "shifts", "one hardly used")]
        if None in cells.values():
            checks += [Check(part, None, "no number") for part in parts]
            continue
        uneven, shift, least = (cell.mean for cell in cells.values())
        checks += [
            at_least(parts[0], uneven, NOTABLE, "percent from even use"),
            at_least(parts[1], shift, NOTABLE, "percent from task to task"),
            at_most(parts[2], least, HARDLY, "percent for the least used"),
        ]
    return combine(checks)


SLOW, HELPS = 5.0, 2.0  # times another method's time; times as many samples per second
DEVICES = {"cpu": "on a CPU", "cuda": "on a graphics card"}
TIMED = {
    f"{scenario} {work}": f"{work} with the units of {title}"
    for scenario, title in (("pairwise-mnist", "Pairwise MNIST"), ("svhn-cifar", "SVHN and CIFAR-100"))
    for work in ("training", "inference")
}


def r10(numbers: Numbers) -> Outcome:
    """Printed: an epoch takes at least `SLOW` times as long as without routing. Ours: by how much exact batches raise the
    recorded samples per second, on every kind of device; they hardly help up to `HELPS`. On a CPU that says whether
    batches are possible, on a graphics card also how well it is used."""
    checks = []
    for column in ("SVHN, 1 epoch", "CIFAR-100, 1 epoch"):
        cells = {row: numbers("table-d14", f"{row} training", column) for row in ("HRN", "VC")}
        if None not in cells.values():
            ratio = cells["HRN"].mean / cells["VC"].mean
            checks.append(at_least(f"slow on {column.split(',')[0]}", ratio, SLOW, "times VC's time"))
    gains = {
        f"{title} {place}": numbers("routing-speed", what, device)
        for device, place in DEVICES.items()
        for what, title in TIMED.items()
    }
    if not checks:  # what is timed here is not printed, and the other way round
        for name, gain in gains.items():
            gone = Check(name, None, "no speed recorded") if gain is None else None
            checks.append(gone or at_most(name, gain.mean, HELPS, "times as fast in batches"))
    return combine(checks)


def speed() -> dict[tuple[str, str, str], Number]:
    """How many times as many samples per second one seed makes in exact batches as one by one, by what is timed and the
    kind of device: recorded by the benchmark "hrn", the smaller one of both readings of the depth. Other methods are left
    out."""
    cells: dict[tuple[str, str, str], Number] = {}
    for device, record in speeds.load("hrn").items():
        for row in recorded.rows_of_routing(record):
            key, gain = ("routing-speed", f"{row['scenario']} {row['what']}", device), row["naive / batched"]
            if row["seeds"] == 1 and (key not in cells or gain < cells[key].mean):
                cells[key] = Number(gain)
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
