"""Samples per second: printed times and sizes, and what is timed does the same work."""

import pytest

from unforget.methods.hrn.method import HRN
from unforget.results.hrn import speed
from unforget.theory import routing


def test_printed_seconds_become_samples_per_second():
    table = speed.published().set_index(["method", "work", "images"])["samples per second"]
    assert table["HRN", "training", "SVHN"] == pytest.approx(73_257 / 674)
    assert table["VC", "inference", "CIFAR-100"] == pytest.approx(1_000 / 1) and len(table) == 16


def test_what_is_timed_makes_the_same_steps(monkeypatch):
    steps, step = [], HRN.step
    def noted(self, stage, draws, batch, number):
        steps.append((self.order, self.options.n_res, len(self.seeds), number, batch.y[0].tolist()))
        step(self, stage, draws, batch, number)
    monkeypatch.setattr(HRN, "step", noted)
    frame = speed.samples_per_second(routing.digits(), (0, 1), readings=("figure1",), warm_up=1, steps=2, turns=2)
    assert list(zip(frame.work, frame.seeds)) == [("batches", 1), ("batches", 2), ("one by one", 1)]
    assert (frame["samples per second"] > 0).all()
    made = {order: [s[3:] for s in steps if s[0] == order and s[2] == 1] for order in ("deferred", "sample")}
    assert made["deferred"] == made["sample"] and [number for number, _ in made["sample"]] == [0, 1, 2, 3, 4]


def test_speed_counts_the_samples_of_all_seeds(monkeypatch):
    monkeypatch.setattr(speed, "_paired", lambda candidates, turns, device: dict.fromkeys(candidates, 2.0))
    frame = speed.samples_per_second(routing.digits(), (0, 1, 2), readings=("algorithm1",), warm_up=0, steps=5)
    assert frame["samples per second"].tolist() == [5 * 16 / 2, 3 * 5 * 16 / 2, 5 * 16 / 2]
