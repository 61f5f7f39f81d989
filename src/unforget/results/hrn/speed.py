"""How many samples a second hash-routed networks make, in batches and one by one: measured here, never kept.

"one by one" is the same learner with the order "sample": every sample goes through all levels alone, and bases change
before the next one starts. Both make one Adam step per batch.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch

from unforget.data.streams import Stream
from unforget.methods.base import Replicas, options
from unforget.methods.hrn.method import HRN, Options
from unforget.methods.hrn.scenarios import READINGS, SCENARIOS
from unforget.results import paper

PUBLISHED = {"SVHN, 1 epoch": (73_257, 26_032), "CIFAR-100, 1 epoch": (5_000, 1_000)}
"""Training and test images behind a column of ICLR Table 14."""
ORDERS = {"batches": "deferred", "one by one": "sample"}


def samples_per_second(
    stream: Stream, seeds: Sequence[int], device: str = "cpu", readings: Sequence[str] = ("algorithm1", "figure1"),
    warm_up: int = 20, steps: int = 10, turns: int = 3,
) -> pd.DataFrame:  # fmt: skip
    """Training samples per second and seed on the stream's first task, by reading and number of seeds trained together.

    Candidates take turns of `steps` steps, so that a change of the machine's load hits all; the median turn counts.
    Columns: reading, seeds, work, samples per second.
    """
    rows, device = [], torch.device(device)
    for reading in readings:
        candidates = {}
        for work, order in ORDERS.items():
            for own in {1: seeds[:1], len(seeds): seeds}.values() if work == "batches" else (seeds[:1],):
                candidates[work, len(own)] = _steps(_learner(stream, own, device, reading, order), warm_up, steps)
        for (work, number), seconds in _paired(candidates, turns, device).items():
            rows.append((reading, number, work, number * steps * Options.batch / seconds))
    return pd.DataFrame(rows, columns=["reading", "seeds", "work", "samples per second"])


def published() -> pd.DataFrame:
    """ICLR Table 14 as samples per second: columns method, work, images, seconds, samples per second."""
    printed = paper.load().query("paper == 'hrn' and artifact == 'table-d14'")
    rows = []
    for cell in printed.itertuples():
        method, work = cell.row.split()
        if work in ("training", "inference"):
            count = PUBLISHED[cell.column][work == "inference"]
            rows.append((method, work, cell.column.split(",")[0], cell.mean, count / cell.mean))
    return pd.DataFrame(rows, columns=["method", "work", "images", "seconds", "samples per second"])


def _learner(stream: Stream, seeds: Sequence[int], device: torch.device, reading: str, order: str) -> HRN:
    values = SCENARIOS["pairwise-mnist"] | READINGS[reading]
    learner = HRN(stream.to(device), "CL1", options(Options, values, "hrn"), Replicas(tuple(seeds), device=device))
    learner.order = order
    return learner


def _steps(learner: HRN, warm_up: int, steps: int) -> Callable[[], None]:
    """A function that makes the next `steps` steps; `warm_up` of them are made at once, since early steps fill bases."""
    (phase,) = learner.phases(0)
    made = 0

    def work(number: int = steps) -> None:
        nonlocal made
        for _ in range(number):
            phase.step(phase.batches(made), made)
            made += 1

    work(warm_up)
    return work


def _paired(candidates: Mapping, turns: int, device: torch.device) -> dict:
    """Median seconds of each; on a CPU those of this process only, so that other programs count little."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    taken = {name: [] for name in candidates}
    for _ in range(turns):
        for name, work in candidates.items():
            _wait(device)
            started = clock()
            work()
            _wait(device)
            taken[name].append(clock() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
