"""Samples per second: printed times and sizes, what is timed does the same work, and the table of all three."""

import pandas as pd
import pytest

from unforget.methods.hrn.method import HRN
from unforget.results import speeds
from unforget.results.hrn import speed
from unforget.theory import routing


def test_printed_seconds_become_samples_per_second():
    table = speed.published().set_index(["method", "work", "images"])["samples per second"]
    assert table["HRN", "training", "SVHN"] == pytest.approx(73_257 / 674)
    assert table["VC", "inference", "CIFAR-100"] == pytest.approx(1_000 / 1) and len(table) == 16
    minutes, rate = speed.ablation()
    assert rate * minutes * 60 == pytest.approx(5 * 60_000)


def test_what_is_timed_makes_the_same_steps_and_predictions(monkeypatch):
    steps, step, images, features = [], HRN.step, [], HRN.features

    def noted(self, stage, draws, batch, number):
        steps.append((self.order, self.options.n_res, len(self.seeds), number, batch.y[0].tolist()))
        step(self, stage, draws, batch, number)

    def seen(self, x):
        images.append((self.order, len(self.seeds), x.shape[1]))
        return features(self, x)

    monkeypatch.setattr(HRN, "step", noted)
    monkeypatch.setattr(HRN, "features", seen)
    frame = speed.samples_per_second(
        "pairwise-mnist", routing.digits(), (0, 1), readings=("figure1",), warm_up=1, steps=2, turns=2
    )
    ways = [("one by one", 1), ("batches", 1), ("batches", 2)]
    assert list(zip(frame.work, frame.way, frame.seeds)) == [(w, *way) for w in ("training", "inference") for way in ways]
    assert (frame["samples per second"] > 0).all()
    made = {order: [s[3:] for s in steps if s[0] == order and s[2] == 1] for order in ("deferred", "sample")}
    assert made["deferred"] == made["sample"] and [number for number, _ in made["sample"]] == [0, 1, 2, 3, 4]
    assert images == 2 * [*[("sample", 1, 1)] * 32, ("deferred", 1, 32), ("deferred", 2, 32)]


def test_speed_counts_the_samples_of_all_seeds(monkeypatch):
    monkeypatch.setattr(speed, "_paired", lambda candidates, turns, device: dict.fromkeys(candidates, 2.0))
    frame = speed.samples_per_second(
        "svhn-cifar", speed.smooth_colours(), (0, 1, 2), readings=("algorithm1",), warm_up=0, steps=5
    )
    assert frame["samples per second"].tolist() == 2 * [5 * 16 / 2, 5 * 16 / 2, 3 * 5 * 16 / 2]


def row(seeds: int, batched: float, gain: float) -> dict:
    return {"scenario": "svhn-cifar", "reading": "figure1", "what": "training", "seeds": seeds, "samples/s": batched,
            "naive / batched": gain}  # fmt: skip


def test_paper_recorded_and_this_run_stand_side_by_side(monkeypatch):
    record = {"rows": [row(1, 900.0, 3.0), row(10, 1200.0, 4.0)]}
    monkeypatch.setattr(speeds, "load", {"hrn": {"cpu": record}}.get)
    now = pd.DataFrame(
        [("svhn-cifar", "figure1", "training", 1, "one by one", 50.0), ("svhn-cifar", "figure1", "training", 1, "batches", 75.0),
         ("pairwise-mnist", "figure1", "inference", 1, "batches", 8.0)], columns=speed.COLUMNS,
    )  # fmt: skip
    frame = speed.beside("cpu", now)
    assert frame.columns[4:].tolist() == [
        "recorded: one by one", "recorded: batches", "recorded: batches of 10 seeds", "this run: one by one",
        "this run: batches",
    ]  # fmt: skip
    assert frame.iloc[0].tolist() == [
        "SVHN and CIFAR-100", "training", "figure1", "109", "300", "900 (3.0×)", "1,200 (4.0×)", "50", "75 (1.5×)",
    ]  # fmt: skip
    assert frame.iloc[1].tolist() == ["Pairwise MNIST", "inference", "figure1", *"––––", "–", "8"]
    assert speed.beside("cuda", now[:0]) is None and speed.machine("cuda") == ""
