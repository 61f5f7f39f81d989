"""Samples per second: printed times and sizes, what is timed does the same work, and the table of all three."""

import pandas as pd
import pytest
import torch
from benchmarks import hrn

from unforget.methods.hrn.method import HRN
from unforget.results import speeds
from unforget.results.hrn import speed
from unforget.theory import routing


def test_printed_seconds_become_samples_per_second():
    table = speed.published().set_index(["method", "work", "images"])["samples per second"]
    assert table["HRN", "training", "SVHN"] == pytest.approx(73_257 / 674)
    assert table["VC", "inference", "CIFAR-100"] == pytest.approx(1_000 / 1) and len(table) == 18
    stabilised = speed.published().query("work == 'stabilisation'")
    assert stabilised.seconds.tolist() == [540, 36] and stabilised["samples per second"].isna().all()
    assert set(stabilised.method) == {"ELL"} and table.isna().sum() == 2
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


def test_other_methods_count_their_own_batches(monkeypatch):
    asked = []

    def one_second(candidates, turns, device):
        asked.append(list(candidates))
        [work() for work in candidates.values()]
        return dict.fromkeys(candidates, 1.0)

    monkeypatch.setattr(speed, "_paired", one_second)
    frame = speed.other_methods(speed.smooth_colours(), warm_up=0, steps=2, filters=(3, 4), hidden=(6, 5))
    assert asked == 2 * [["HRN", "VC", "EWC", "ELL"]]
    assert frame["samples per second"].tolist() == [2.0 * n for n in (16, 32, 32, 16)] + 4 * [32.0]


def test_other_methods_have_the_published_networks():
    few = {"ELL": {"codes": 28}}
    vc, ewc, ell = (speed.other(name, speed.smooth_colours(), torch.device("cpu"), **few.get(name, {})) for name in speed.OTHERS)
    for one in (vc, ewc, ell):
        assert one.counts()["encoder"] == 15_633 and one.options.outputs == 100
    assert ewc.options.strength == 250 and ell.options.codes == 28 and ell.options.stabilisation_epochs == 3


def test_rows_of_other_methods_leave_those_of_routing_alone(monkeypatch):
    alone = {"rows": [row(1, 900.0, 3.0) | {"reading": "algorithm1"}]}
    vc = {"method": "VC", "scenario": "svhn-cifar", "reading": "", "what": "training", "seeds": 1, "samples/s": 1800.0,
          "naive / batched": None}  # fmt: skip
    monkeypatch.setattr(speeds, "load", {"hrn": {"cpu": alone, "cuda": {"rows": [*alone["rows"], vc]}}}.get)
    pd.testing.assert_frame_equal(speed.recorded("cpu"), speed.recorded("cuda"))
    none = pd.DataFrame(columns=["method", "work", "samples per second"])
    assert speed.methods_beside("cpu", none) is None
    frame = speed.methods_beside("cuda", none).set_index(["method", "work"])
    assert frame.columns.tolist() == ["paper", "recorded"] and len(frame) == 8
    assert frame.loc["VC", "training"].tolist() == ["2,526 (23.2×)", "1,800 (2.0×)"]
    assert frame.loc["HRN", "training"].tolist() == ["109", "900"] and frame.loc["ELL", "training"].recorded == "–"


@pytest.mark.parametrize("fast, met", [((900.0, 10_950.0), "yes"), ((11_000.0, 900.0), "yes"), ((10_000.0, 10_800.0), "NO")])
def test_on_a_graphics_card_the_better_of_one_and_several_seeds_is_judged(fast, met):
    rows = hrn.with_cuda_goal([{"samples/s": value, "met": ""} for value in fast])
    assert [(r["met"], r["goal samples/s"]) for r in rows] == 2 * [(met, 10_900.0)]
    (printed,) = speed.published().query("method == 'HRN' and work == 'training' and images == 'SVHN'")["samples per second"]
    assert hrn.CUDA_GOAL == pytest.approx(100 * printed, rel=0.005)


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
        "SVHN and CIFAR-100", "training", "Figure 1", "109", "300", "900 (3.0×)", "1,200 (4.0×)", "50", "75 (1.5×)",
    ]  # fmt: skip
    assert frame.iloc[1].tolist() == ["Pairwise MNIST", "inference", "Figure 1", *"––––", "–", "8"]
    assert speed.beside("cuda", now[:0]) is None and speed.machine("cuda") == ""


def test_table_14_counts_recorded_seconds_for_as_many_images(monkeypatch):
    frame = speed.recorded_methods("cpu").iloc[:0]
    monkeypatch.setattr(speed.speeds, "load", lambda name: {"cpu": {}})
    monkeypatch.setattr(speed, "recorded_methods", lambda device: frame)
    frame.loc[0] = ("HRN", "training", 100.0)
    table = speed.table_14().set_index(["method", "work", "images"])
    assert table.loc[("HRN", "training", "SVHN"), "recorded (cpu): seconds"] == "732.6"  # 73,257 images
    assert table.loc[("HRN", "training", "CIFAR-100"), "recorded (cpu): seconds"] == "50.0"
    assert table.loc[("VC", "training", "SVHN"), "recorded (cpu): seconds"] == "–"
    assert table.loc[("HRN", "training", "SVHN"), "paper: seconds"] == "674"
