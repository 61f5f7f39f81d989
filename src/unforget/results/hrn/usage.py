"""Which units a hash-routed network uses (arXiv Figure 3, ICLR Figure 4): what the probe "unit usage" counted, as shares."""

import numpy as np

from unforget.errors import UnforgetError, choose
from unforget.records import Record, probe


def counts(record: Record) -> np.ndarray:
    """n[seed, stage, unit]: how often each unit was selected while a stage was trained.

    Raises `UnforgetError` where replicas may differ in their number of units.
    """
    if record["config"]["options"].get("grow_when_full"):
        raise UnforgetError(f"run {record['config']['run']} adds units whenever bases are full: seeds differ in when, so "
                            "that usage cannot be averaged")  # fmt: skip
    return probe(record, "unit usage")


def units(record: Record) -> np.ndarray:
    """How many units there are at each stage: those of the groups, and what was added before it."""
    options = record["config"]["options"]
    grow = [*options["grow"], *[0] * len(record["tests"])][: len(record["tests"])]
    return sum(group[0] for group in options["units"]) + np.cumsum(grow)


def shares(record: Record) -> np.ndarray:
    """Of all selections of a stage, those of each unit: [seed, stage, unit]; 0 for units that are added later."""
    found = counts(record)
    return found / found.sum(-1, keepdims=True)


def percentages(record: Record | None) -> dict[int, np.ndarray]:
    """Per seed, each unit's share of all selections while a task was trained [task, unit], in percent.

    Seeds may have different numbers of units, where these are added automatically; a slot that never held a unit counts as 0.
    """
    shares = {}
    for replica in record["replicas"] if record else ():
        uses = np.array(replica["probes"]["unit usage"], float)
        shares[replica["seed"]] = 100 * uses / uses.sum(1, keepdims=True).clip(1)
    return shares


def metric(record: Record, name: str) -> np.ndarray:
    """One fraction per seed: "uneven", "shift" or "least".

    uneven: the share of selections that would have to move for all units to be used alike, mean over stages. shift: the
    share that moves to other units from one stage to the next, mean over stages. least: the share of the least used unit
    among all selections since it was added.
    """
    return METRICS[choose("metric of unit usage", name, METRICS)](record)


def _uneven(record: Record) -> np.ndarray:
    found, present = shares(record), units(record)
    even = (np.arange(found.shape[-1]) < present[:, None]) / present[:, None]
    return np.abs(found - even).sum(-1).mean(-1) / 2


def _shift(record: Record) -> np.ndarray:
    return np.abs(np.diff(shares(record), axis=1)).sum(-1).mean(-1) / 2


def _least(record: Record) -> np.ndarray:
    found, present = counts(record), units(record)
    since = [int((present <= unit).sum()) for unit in range(found.shape[-1])]  # the stage that a unit was added before
    own = [found[:, stage:, unit].sum(-1) / found[:, stage:].sum((-1, -2)) for unit, stage in enumerate(since)]
    return np.min(own, axis=0)


METRICS = {"uneven": _uneven, "shift": _shift, "least": _least}
