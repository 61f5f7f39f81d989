"""How well tasks are inferred, from hand-made counts."""

import numpy as np
import pytest
from small_project import record

from unforget.errors import UnforgetError
from unforget.experiments import catalogue
from unforget.results import inference

RUN = "split-mnist-certainty/hnet"


def made(counts, **parts):
    """A record of two tasks of ten images each, with these counts [S, 2, 2] as its task confusion."""
    experiment, run = catalogue.of(RUN)
    one = record(experiment.resolve(run, "paper"), seeds=parts.pop("seeds", range(len(counts))), **parts)
    for replica, n in zip(one["replicas"], counts, strict=True):
        replica["probes"] = {"task confusion": n, "certainty": [[[0.1, 0.4], [9, 3]], [[0.2, 0.3], [5, 4]]]}
    return one


ALL_RIGHT, HALF, FIRST_TAKES = [[10, 0], [0, 10]], [[10, 0], [10, 0]], [[10, 0], [6, 4]]


def test_shares_of_images():
    counts = np.array([ALL_RIGHT, HALF, FIRST_TAKES])
    assert inference.rightly(counts).tolist() == [100, 50, 70]
    assert inference.given(counts).tolist() == [[50, 50], [100, 0], [80, 20]]


def test_three_seeds_are_the_least_a_median_and_the_most():
    panels = inference.three_seeds(made([ALL_RIGHT, HALF, FIRST_TAKES], seeds=(4, 7, 9)))
    assert list(panels) == ["fewest (seed 7): 50.0 %", "median (seed 9): 70.0 %", "most (seed 4): 100.0 %"]
    assert panels["median (seed 9): 70.0 %"].tolist() == [FIRST_TAKES]
    assert inference.three_seeds(None) == {}


def test_shares_with_a_correlation_from_enough_seeds_on():
    few, many = made([HALF, ALL_RIGHT]), made([ALL_RIGHT, HALF, FIRST_TAKES, HALF, ALL_RIGHT])
    table = inference.shares({("A", "CL1"): few, ("B", "CL1"): many})
    assert list(table.columns) == ["training", "scenario", "seeds", "task 1", "task 2", "last task, change", "right network", "correlation"]
    assert table.iloc[0].tolist() == ["A", "CL1", 2, 75.0, 25.0, "–", 75.0, "–"]
    assert table.iloc[1].tolist() == ["B", "CL1", 5, 76.0, 24.0, "–", 74.0, "−1.00"]
    assert inference.shares({}) is None


def test_the_last_tasks_share_is_compared_seed_by_seed():
    base, other = made([HALF, ALL_RIGHT, FIRST_TAKES, HALF]), made([FIRST_TAKES, ALL_RIGHT, ALL_RIGHT], seeds=(3, 1, 2))
    found = {("A", "CL1"): base, ("B", "CL1"): other, ("B", "CL2"): other}
    # Changes 0, 30, 20: t = 1.89 with two degrees of freedom, so p = 1 − t / √(2 + t²).
    assert inference.shares(found, "A")["last task, change"].tolist() == ["–", "+16.67 (p = 0.199)", "–"]


def test_the_surest_wrong_network_and_the_one_that_is_believed():
    table = inference.surest({"A": made([ALL_RIGHT, FIRST_TAKES])})
    assert table.iloc[1].tolist() == ["A", 2, "30.0 %", "task 1, 30.0 %", "0.300", "0.200 (task 1)", "4.0", "5.0"]
    assert inference.surest({}) is None


def test_seeds_trained_twice():
    first, again = made([HALF] * 3, seeds=(1, 2, 3)), made([HALF], seeds=(2,), value=0.5)
    table = inference.twice(first, again)
    assert list(table.columns)[:3] == ["seed", "together, first", "together, again"]
    assert table.iloc[0].tolist() == [2, 3, 1, "92.00", "52.00", "92.00", "52.00"] and len(table) == 1
    assert inference.twice(first, None) is None and inference.twice(first, made([HALF], seeds=(9,))) is None


def test_a_record_without_the_probe_is_refused():
    experiment, run = catalogue.of("split-mnist/ewc-cl1")
    with pytest.raises(UnforgetError, match="kept no probe 'task confusion'"):
        inference.confusion(record(experiment.resolve(run, "paper")))
