"""Unit usage: shares and their summaries from counts written by hand, and from a record."""

import numpy as np
import pytest

from unforget.errors import UnforgetError
from unforget.experiments import catalogue, work
from unforget.experiments.work import Job
from unforget.results import measured
from unforget.results.hrn import usage


def made(counts, grow=(), groups=((2,), (1,)), **options):
    """A record of one seed per entry of counts[seed][stage][unit]."""
    options = {"units": groups, "grow": grow} | options
    config = {"run": "made", "options": options, "probes": ["unit usage"]}
    return {"config": config, "tests": [1] * len(counts[0]),
            "replicas": [{"probes": {"unit usage": one}, "scan": {}} for one in counts]}  # fmt: skip


def test_even_use_that_does_not_move():
    record = made([[[4, 4, 4], [2, 2, 2]]])
    assert usage.metric(record, "uneven") == pytest.approx([0]) and usage.metric(record, "shift") == pytest.approx([0])
    assert usage.metric(record, "least") == pytest.approx([1 / 3])


def test_shares_that_would_have_to_move():
    record = made([[[3, 0, 0], [0, 6, 0]], [[1, 1, 1], [3, 3, 0]]])
    assert usage.metric(record, "uneven") == pytest.approx([2 / 3, (0 + 1 / 3) / 2])
    assert usage.metric(record, "shift") == pytest.approx([1, 1 / 3])
    assert usage.metric(record, "least") == pytest.approx([0, 1 / 9])


def test_units_added_later_are_counted_from_then_on():
    record = made([[[2, 2, 2, 0], [1, 1, 1, 1], [10, 0, 0, 0]]], grow=(0, 1))
    assert usage.units(record).tolist() == [3, 4, 4]
    assert usage.metric(record, "uneven") == pytest.approx([(0 + 0 + 0.75) / 3])
    assert usage.metric(record, "least") == pytest.approx([1 / 14])  # of the 14 selections since: one each of three units
    with pytest.raises(UnforgetError, match="unknown metric of unit usage 'even'"):
        usage.metric(record, "even")


def test_usage_of_automatic_growth_is_not_averaged():
    with pytest.raises(UnforgetError, match="adds units whenever bases are full"):
        usage.shares(made([[[1, 1]]], grow_when_full=2))


@pytest.fixture(scope="module")
def record():
    experiment, run = catalogue.of("fashion-mnist/hrn")
    changes = {"epochs": [1, 1], "batch": 100}
    return work.train(Job(experiment.resolve(run, "smoke", changes), (0, 1)))[0]


def test_cells_of_figure_4_come_from_the_probe(record):
    cells = {cell.column: cell for cell in measured.from_records([record]).itertuples() if cell.artifact == "figure-4"}
    assert set(cells) == {"Uneven", "Shift", "Least used unit"} and {cell.unit for cell in cells.values()} == {"%"}
    shares = usage.shares(record)
    assert shares.shape == (2, 2, 8) and np.allclose(shares.sum(-1), 1) and (shares[:, 0, 6:] == 0).all()
    moved = 100 * np.abs(shares[:, 1] - shares[:, 0]).sum(-1) / 2
    assert cells["Shift"].values == pytest.approx(moved) and cells["Shift"].row == "Fashion-MNIST, then MNIST"
    assert usage.units(record).tolist() == [6, 8]
