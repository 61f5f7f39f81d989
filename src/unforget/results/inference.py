"""How well the task of an image is inferred: what the probes "task confusion" and "certainty" of records say.

Counts are [seed, true task, inferred task], over all test images, of the networks that were believed.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from unforget import records
from unforget.records import Record
from unforget.results import measured, verdict
from unforget.results.tables import compared, signed

MANY = 5
"""Seeds that a correlation over seeds needs."""


def confusion(record: Record) -> np.ndarray:
    """n[seed, true task, inferred task]."""
    return records.probe(record, "task confusion")


def rightly(counts: np.ndarray) -> np.ndarray:
    """Percent of all test images that the right network gets, one per seed."""
    return 100 * counts.diagonal(axis1=1, axis2=2).sum(-1) / counts.sum((1, 2))


def given(counts: np.ndarray) -> np.ndarray:
    """Percent of all test images that each task's network gets: [seed, task]."""
    return 100 * counts.sum(1) / counts.sum((1, 2))[:, None]


def three_seeds(record: Record | None) -> dict[str, np.ndarray]:
    """Counts of the seeds whose right networks get the fewest, a median and the most images, by what a panel is called."""
    if not record:
        return {}
    counts, seeds = confusion(record), records.seeds(record)
    share = rightly(counts)
    order = share.argsort(kind="stable")
    places = {"fewest": order[0], "median": order[len(order) // 2], "most": order[-1]}
    return {f"{name} (seed {seeds[i]}): {share[i]:.1f} %": counts[[i]] for name, i in places.items()}


def shares(found: Mapping[tuple[str, str], Record], base: str = "") -> pd.DataFrame | None:
    """Per training (its name and scenario): which share of the images each network gets, and the right one; by how much the
    last task's differs from its share in the training named `base`, seed by seed (`verdict.paired`); and how the right
    network's share goes, over seeds, with the largest of a single network (from `MANY` seeds on)."""
    rows, tasks = [], 0
    last = {name: dict(zip(records.seeds(record), given(confusion(record))[:, -1], strict=True)) for name, record in found.items()}
    for (title, scenario), record in found.items():
        counts = confusion(record)
        right, each, tasks = rightly(counts), given(counts), counts.shape[1]
        together = np.corrcoef(each.max(1), right)[0, 1] if len(counts) >= MANY else np.nan
        other = {} if title == base else last.get((base, scenario), {})
        change = compared(*verdict.paired(last[title, scenario], other))
        rows.append((title, scenario, len(counts), *each.mean(0).round(1), change, right.mean().round(1), signed(together)))
    numbered = (f"task {t + 1}" for t in range(tasks))
    columns = ["training", "scenario", "seeds", *numbered, "last task, change", "right network", "correlation"]
    return pd.DataFrame(rows, columns=columns) if rows else None


def surest(found: Mapping[str, Record]) -> pd.DataFrame | None:
    """Per training and true task: how many images have a surer wrong network, and the entropies and logit ranges (means over
    images and seeds) of the right network and of the surest wrong one."""
    rows = []
    for title, record in found.items():
        entropy, span = records.probe(record, "certainty").mean(0).swapaxes(0, 1)
        counts = confusion(record)
        share = (100 * counts / counts.sum(-1, keepdims=True)).mean(0)
        for t in range(len(entropy)):
            others = [k for k in range(len(entropy)) if k != t]
            sure, believed = min(others, key=lambda k: entropy[t, k]), max(others, key=lambda k: share[t, k])
            rows.append((title, t + 1, f"{100 - share[t, t]:.1f} %", f"task {believed + 1}, {share[t, believed]:.1f} %",
                         f"{entropy[t, t]:.3f}", f"{entropy[t, sure]:.3f} (task {sure + 1})", f"{span[t, t]:.1f}", f"{span[t, sure]:.1f}"))
    columns = ["training", "true task", "images with a surer wrong network", "most often that of", "entropy, right network",
               "entropy, surest wrong network", "logit range, right", "logit range, wrong"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns) if rows else None


def twice(first: Record | None, again: Record | None) -> pd.DataFrame | None:
    """Seeds that both records of one training hold: how many seeds trained together each time, and the final accuracies."""
    if not (first and again):
        return None
    both, views = (first, again), first["config"]["views"]
    ended = [[measured.final_by_seed(record, view) for record in both] for view in views]
    rows = [
        (seed, *(_together(record)[seed] for record in both), *(f"{values[seed]:.2f}" for pair in ended for values in pair))
        for seed in sorted(set(records.seeds(first)) & set(records.seeds(again)))
    ]
    columns = [f"{what}, {when}" for what in ("together", *views) for when in ("first", "again")]
    return pd.DataFrame(rows, columns=["seed", *columns]) if rows else None


def _together(record: Record) -> dict[int, int]:
    """How many seeds trained together with each, itself included."""
    return {seed: len(block["replicas"]) for block in record["run"] for seed, *_ in block["replicas"]}
