"""Figure 4 from records: what the probes of `unforget.probes.embedding` counted, as accuracies."""

import re

import numpy as np

from unforget.errors import UnforgetError
from unforget.records import Record, probe

SOLVED = 0.9
"""From this accuracy on a point of the plane counts as solving a task."""


def exchange(record: Record) -> np.ndarray:
    """acc[seed, task, embedding_of]: test accuracy of a task with the network of another task's embedding."""
    return probe(record, "embedding exchange") / np.array(record["tests"])[None, :, None]


def plane(record: Record) -> np.ndarray:
    """acc[seed, first or last task, i, j] at e = (axis[i], axis[j])."""
    return probe(record, "embedding plane") / np.array(record["tests"])[[0, -1]][None, :, None, None]


def positions(record: Record) -> np.ndarray:
    """e[seed, task, 2] after the last task."""
    return probe(record, "embeddings")


def metric(record: Record, name: str) -> np.ndarray:
    """One fraction per seed: "task N at K" (task N with the embedding of task K) or "plane N" (the share of the plane that
    solves task N, the first or the last)."""
    if match := re.fullmatch(r"task (\d+) at (\d+)", name):
        return exchange(record)[:, int(match[1]) - 1, int(match[2]) - 1]
    if match := re.fullmatch(r"plane (\d+)", name):
        at = {1: 0, len(record["tests"]): 1}
        if int(match[1]) in at:
            return (plane(record)[:, at[int(match[1])]] >= SOLVED).mean((1, 2))
    raise UnforgetError(f"unknown metric of embeddings {name!r}; use task N at K, or plane N for the first or last task")
