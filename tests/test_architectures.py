"""ICLR Tables 2 to 13 come out of the declared runs, line by line as they are transcribed, and stand beside them."""

import pandas as pd
import pytest

from unforget.errors import UnforgetError
from unforget.experiments import catalogue
from unforget.results import paper
from unforget.results.hrn.architectures import (
    TABLES,
    inputs,
    layers,
    networks_beside,
    printed,
    same,
    settings,
    settings_beside,
    units,
    units_beside,
)

RUNS = [(table, id, run) for id, runs in TABLES.items() if id != "hrn/cifar100" for run, table in runs.items()]
MISPRINTED = {(5, "τ_d"), (9, "τ_d")}  # τ_empty's value
ANOTHER_WAY = {"d", "Optimizer"}  # printed: the depth, where we count residues; Adam, of which there is no choice
NOT_PRINTED = {"residues", "τ_empty"}


def config_of(id: str, run: str):
    experiment = catalogue.experiment(id)
    return experiment.resolve(experiment.run(run), "paper")


def lines(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    return [tuple(map(str, line[:3])) for line in frame.itertuples(index=False)]


def test_every_printed_table_has_a_run():
    assert sorted(table for table, *_ in RUNS) == list(range(2, 14)) == sorted(set(paper.load_networks().table))


@pytest.mark.parametrize("table, id, run", RUNS)
def test_printed_layers_come_out_of_the_declared_run(table, id, run):
    config = config_of(id, run)
    assert lines(layers(config)) == lines(printed(table, "layers")) != []
    if run == "hrn":
        assert lines(units(config)) == lines(printed(table, "units")) != []


@pytest.mark.parametrize("table, id, run", RUNS)
def test_printed_settings_come_out_of_the_declared_run(table, id, run):
    theirs, ours = printed(table, "settings").set_index("name").value, settings(config_of(id, run))
    assert set(theirs.index) - set(ours) == ANOTHER_WAY & set(theirs.index)
    assert set(ours) - set(theirs.index) == NOT_PRINTED & set(ours)
    assert set(theirs[theirs.index == "Optimizer"]) == {"Adam"}
    for name in set(theirs.index) & set(ours):
        assert same(theirs[name], ours[name]) == ((table, name) not in MISPRINTED), name


def test_inputs_are_named_with_their_constants():
    for id, means, outputs in (
        ("hrn/pairwise-mnist", ("MNIST by mean 0.1307 and standard deviation 0.3081",), 10),
        ("hrn/fashion-mnist", ("Fashion-MNIST by mean 0.5", "; MNIST by mean 0.1307"), 10),
        ("hrn/svhn-cifar100", ("SVHN by mean 0.5", "CIFAR-100 by mean (0.5071, 0.4865, 0.4409)"), 100),
        ("hrn/cifar100", ("CIFAR-100 by mean (0.5071",), 100),
    ):
        said = inputs(catalogue.experiment(id))
        assert all(mean in said for mean in means) and f"{outputs} outputs" in said


def test_the_depth_counts_one_more_than_residues():
    for table, id, run in RUNS:
        if run == "hrn":
            depth = printed(table, "settings").set_index("name").value["d"]
            assert settings(config_of(id, run))["residues"] + 1 == int(depth)


def test_networks_stand_beside_the_printed_ones_and_equal_ones_are_shown_once():
    frame = networks_beside(catalogue.experiment("hrn/svhn-cifar100"), ["vc", "ewc", "ell"])
    assert list(dict.fromkeys(frame.method)) == ["VC (Table 10), ELL (Table 12)", "EWC (Table 11)"]
    assert len(frame) == 9 + 10 and (frame.same == "yes").all() and (frame.printed == frame["from the configuration"]).all()
    assert units_beside(catalogue.experiment("hrn/svhn-cifar100")).units.tolist() == ["2", "", "2", "", "1", "", "1", ""]


def test_a_line_that_differs_or_is_missing_is_not_the_same(monkeypatch):
    less = paper.load_networks()
    less = less[(less.table != 2) | (less.number != "7")].replace({"Neurons: 60, Activation: LeakyReLU": "Neurons: 61"})
    monkeypatch.setattr(paper, "load_networks", lambda: less)
    frame = networks_beside(catalogue.experiment("hrn/pairwise-mnist"), ["vc"])
    assert frame.same.tolist() == ["yes", "yes", "no", "yes", "yes", "yes", "no"] and frame.printed.iloc[-1] == "–"


def test_settings_side_by_side():
    frame = settings_beside(catalogue.experiment("hrn/pairwise-mnist"), ["ewc", "hrn"]).set_index("Hyperparameter")
    assert frame.columns.tolist() == ["EWC (Table 3)", "EWC, ours", "HRN (Table 5)", "HRN, ours", "differs"]
    assert frame.loc["λ"].tolist() == ["1024", "1024", "1.0", "1", ""]
    assert frame.loc["τ_d"].tolist() == ["–", "–", "0.2", "1e-05", "HRN"]
    assert frame.loc["epochs"].tolist() == ["5, 5, 5, 5, 5"] * 3 + ["5", ""]
    assert frame.loc["extra units"].tolist() == ["–", "–", "0, 0, 0, 0, 0", "none", ""]
    assert frame.loc["residues"].tolist() == ["–", "–", "–", "2", ""] and frame.loc["d", "HRN (Table 5)"] == "3"
    assert (frame.drop("τ_d").differs == "").all() and "Optimizer" not in frame.index


def test_cifar100_alone_differs_from_the_printed_sequence_in_its_tasks_only():
    frame = settings_beside(catalogue.experiment("hrn/cifar100"), ["vc", "ewc", "ell", "hrn"])
    differs = dict(zip(frame.Hyperparameter, frame.differs, strict=True))
    assert {name: said for name, said in differs.items() if said} == {"epochs": "VC, EWC, ELL, HRN", "extra units": "HRN"}


def test_an_unknown_part_of_a_table_is_refused(tmp_path):
    (tmp_path / "hrn-networks.csv").write_text("table,part,number,name,value,note\n14,layers,1,Dense,Neurons: 1,\n")
    with pytest.raises(UnforgetError, match="line 2"):
        paper.load_networks(tmp_path)


def test_cifar100_alone_has_the_networks_of_the_whole_sequence():
    whole, alone = (catalogue.experiment(f"hrn/{name}") for name in ("svhn-cifar100", "cifar100"))
    for run in alone.runs:
        same, other = (one.resolve(one.run(run.name), "paper")["options"] for one in (whole, alone))
        later = same["epochs"][1:]
        if run.method == "hrn":  # one number of epochs for all tasks, and no units added after SVHN
            assert set(later) == {other["epochs"]} and same["grow"] and not other["grow"]
            later, same = other["epochs"], same | {"grow": []}
        assert other == same | {"epochs": later}


def test_both_readings_of_a_protection_differ_in_nothing_else():
    for name in ("pairwise-mnist", "fashion-mnist", "svhn-cifar100", "cifar100"):
        experiment = catalogue.experiment(f"hrn/{name}")
        for published, other, option in (
            ("ewc", "ewc-standard", "fisher"),
            ("ell", "ell-constant", "teacher_gradient"),
            ("ell-constant", "ell-lwf", "distillation"),
        ):
            a, b = (experiment.resolve(experiment.run(run), "paper")["options"] for run in (published, other))
            assert {key for key in a if a[key] != b[key]} == {option}
