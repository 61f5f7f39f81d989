"""Replicas together against one by one.

On a CPU also without the allocator settings, in a process of its own: together, glibc then maps and unmaps every large
temporary. `gain` is how many times less a seed costs together than alone (same settings).
"""

import torch

from benchmarks import sizes
from benchmarks.timing import Setup, fresh, paired
from unforget.experiments import catalogue
from unforget.experiments.work import Job, build

# Size, method, phase (where there are several), task, counted from 1.
CASES = (
    ("S", "hnet", None, 5), ("S", "finetune", None, 1), ("S", "lwf", None, 5), ("S", "dgr", None, 5),
    ("S", "hnet-r", "replay model", 4), ("S", "hnet-r", "classifier", 5), ("S", "hnet-tir", "task inference", 5),
    ("S", "rpl-ub", None, 5),
)  # fmt: skip
TOY_CASES = (("toy", "hnet", None, 4), ("toy", "hnet-r", "classifier", 3))
TOY_REGRESSION = ("its own", "hnet", "toy regression", 3)
TOGETHER = (1, 5, 20)
GOAL_CUDA = 3.0
"""On a GPU, 20 seeds take at most this many times as long as one."""


def measure(setup: Setup) -> list[dict]:
    if not _cases(setup):
        return []
    settings = (True, False) if setup.device.type == "cpu" else (True,)
    # Whole processes take turns, too: each setting twice, and the better of its two medians.
    turns = {allocator: [] for allocator in settings}
    for _ in range(1 if setup.toy else 2):
        for allocator in settings:
            turns[allocator].append(fresh(_steps, setup, allocator=allocator))
    rows = []
    for allocator, found in turns.items():
        for key in found[0]:
            (size, method, phase, task), count = key
            milliseconds, alone = (min(turn[k] for turn in found) for k in (key, (key[0], 1)))
            rows.append({
                "size": size, "method": method, "phase": phase or "", "task": task, "seeds together": count,
                "allocator": ("settled" if allocator else "as it is") if setup.device.type == "cpu" else "CUDA",
                "ms per step": milliseconds, "ms per seed": milliseconds / count, "gain": alone * count / milliseconds,
                "times one seed": milliseconds / alone,
            } | ({"goal": GOAL_CUDA} if setup.device.type == "cuda" else {}))  # fmt: skip
    return rows


def _cases(setup: Setup) -> list[tuple]:
    return setup.chosen((*(TOY_CASES if setup.toy else CASES), TOY_REGRESSION))


def _steps(setup: Setup) -> dict[tuple[tuple, int], float]:
    """Milliseconds per step by (case, seeds together), under this process's settings."""
    found = {}
    for case in _cases(setup):
        size, method, phase, task = case
        if case == TOY_REGRESSION:
            work = {n: sizes.stepper(_toy_regression(n, setup.device), task - 1) for n in (1, 20)}
        else:
            counts = TOGETHER[:2] if setup.toy else TOGETHER
            work = {n: sizes.stepper(sizes.learner(size, method, n, setup.device), task - 1, phase) for n in counts}
        found |= {(case, n): value for n, value in paired(work, setup).items()}
    return found


def _toy_regression(replicas: int, device: torch.device):
    experiment = catalogue.experiment("hnet/toy-regression")
    config = experiment.resolve(experiment.run("hnet"), "paper")
    return build(Job(config, tuple(range(replicas)), device=str(device)))[0]
