"""ICLR Tables 2 to 13 come out of the declared runs; transcribed from the paper, line by line."""

import pytest

from unforget.experiments import catalogue
from unforget.results.hrn.architectures import layers, networks_of, settings, settings_of, units

DENSE = """Dense | Neurons: 60, Activation: LeakyReLU
DropOut | dropProb: 0.2
Dense | Neurons: 10, Activation: LeakyReLU
DropOut | dropProb: 0.2
Dense | Neurons: 10, Activation: None"""
TABLE_2 = f"""Conv 2D | Filters: 16, Kernel: 5 × 5, Stride: 3 × 3, Padding: 2 × 2, BatchNorm2D, Activation: LeakyReLU
Conv 2D | Filters: 32, Kernel: 2 × 2, Stride: 3 × 3, Padding: 0, BatchNorm2D, Activation: LeakyReLU
{DENSE}"""
TABLE_6 = f"""Conv 2D | Filters: 32, Kernel: 5 × 5, Stride: 3 × 3, Padding: 2 × 2, BatchNorm2D, Activation: LeakyReLU
Conv 2D | Filters: 64, Kernel: 2 × 2, Stride: 3 × 3, Padding: 0, BatchNorm2D, Activation: LeakyReLU
{DENSE}"""
TABLE_10 = """Conv 2D | Filters: 36, Kernel: 3 × 3, Stride: 2 × 2, Padding: 2 × 2, BatchNorm2D, Activation: LeakyReLU
Conv 2D | Filters: 99, Kernel: 2 × 2, Stride: 1 × 1, Padding: 1 × 1, BatchNorm2D, Activation: LeakyReLU
DropOut 2D | dropProb: 0.5
Dense | Neurons: 200, BatchNorm, Activation: ReLU
DropOut | dropProb: 0.4
Dense | Neurons: 100, BatchNorm, Activation: ReLU
DropOut | dropProb: 0.4
Dense | Neurons: 100, BatchNorm, Activation: None
DropOut | dropProb: 0.2"""
TABLE_11 = """Conv 2D | Filters: 36, Kernel: 3 × 3, Stride: 2 × 2, Padding: 2 × 2, BatchNorm2D, Activation: LeakyReLU
DropOut 2D | dropProb: 0.3
Conv 2D | Filters: 99, Kernel: 2 × 2, Stride: 1 × 1, Padding: 1 × 1, BatchNorm2D, Activation: LeakyReLU
DropOut 2D | dropProb: 0.3
Dense | Neurons: 200, BatchNorm, Activation: ReLU
DropOut | dropProb: 0.5
Dense | Neurons: 100, BatchNorm, Activation: ReLU
DropOut | dropProb: 0.4
Dense | Neurons: 100, BatchNorm, Activation: None
DropOut | dropProb: 0.2"""

FIVE, TWO, ELEVEN = (5, 5, 5, 5, 5), (20, 10), (8, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15)
EWC = {"Fisher matrix samples": 200}
STABLE = {"Temperature": 3.0, "Stabilization learning rate": 0.001}
CASES = {
    2: ("hrn/pairwise-mnist", "vc", TABLE_2, 16, FIVE, {}),
    3: ("hrn/pairwise-mnist", "ewc", TABLE_2, 16, FIVE, EWC | {"λ": 1024.0}),
    4: ("hrn/pairwise-mnist", "ell", TABLE_2, 16, FIVE,
        STABLE | {"Codes length": 100, "Embedding Size": 288, "Stabilization epochs": 2}),
    6: ("hrn/fashion-mnist", "vc", TABLE_6, 16, TWO, {}),
    7: ("hrn/fashion-mnist", "ewc", TABLE_6, 16, TWO, EWC | {"λ": 400.0}),
    8: ("hrn/fashion-mnist", "ell", TABLE_6, 16, TWO,
        STABLE | {"Codes length": 300, "Embedding Size": 576, "Stabilization epochs": 3}),
    10: ("hrn/svhn-cifar100", "vc", TABLE_10, 32, ELEVEN, {}),
    11: ("hrn/svhn-cifar100", "ewc", TABLE_11, 32, ELEVEN, EWC | {"λ": 250.0}),
    12: ("hrn/svhn-cifar100", "ell", TABLE_10, 16, ELEVEN,
         STABLE | {"Codes length": 2800, "Embedding Size": 32_076, "Stabilization epochs": 3}),
}  # fmt: skip


@pytest.mark.parametrize("table", CASES)
def test_a_printed_table_comes_out_of_the_declared_run(table):
    id, run, printed, batch, epochs, more = CASES[table]
    experiment = catalogue.experiment(id)
    config = experiment.resolve(experiment.run(run), "paper")
    frame = layers(config)
    assert frame.Layer.tolist() == list(range(1, len(frame) + 1))
    assert [" | ".join(line) for line in zip(frame.Type, frame.Parameters, strict=True)] == printed.splitlines()
    assert settings(config) == {"batch size": batch, "epochs": epochs, "learning rate": 0.001} | more


UNITS_5 = """2 | Conv 2D | Filters: 16, Kernel: 5 × 5, Stride: 3 × 3, Padding: 2 × 2, BatchNorm2D, Activation: LeakyReLU
2 | Conv 2D | Filters: 16, Kernel: 2 × 2, Stride: 3 × 3, Padding: 0, BatchNorm2D, Activation: LeakyReLU"""
UNITS_9 = """3 | Conv 2D | Filters: 6, Kernel: 5 × 5, Stride: 3 × 3, Padding: 2 × 2, Activation: LeakyReLU
3 | Conv 2D | Filters: 8, Kernel: 2 × 2, Stride: 3 × 3, Padding: 0, Activation: LeakyReLU"""
UNITS_13 = """2 | Conv 2D | Filters: 36, Kernel: 3 × 3, Stride: 2 × 2, Padding: 2 × 2, Activation: LeakyReLU
 | DropOut 2D | dropProb: 0.5
2 | Conv 2D | Filters: 36, Kernel: 3 × 3, Stride: 1 × 1, Padding: 2 × 2, Activation: LeakyReLU
 | DropOut 2D | dropProb: 0.5
1 | Conv 2D | Filters: 12, Kernel: 2 × 2, Stride: 1 × 1, Padding: 1 × 1, Activation: ReLU
 | DropOut 2D | dropProb: 0.5
1 | Conv 2D | Filters: 24, Kernel: 4 × 4, Stride: 2 × 2, Padding: 1 × 1, Activation: LeakyReLU
 | DropOut 2D | dropProb: 0.5"""
DENSE_13 = """Dense | Neurons: 200, Activation: ReLU
DropOut | dropProb: 0.4
Dense | Neurons: 100, Activation: ReLU
DropOut | dropProb: 0.4
Dense | Neurons: 100, Activation: None
DropOut | dropProb: 0.2"""
# Without d, where the number of residues stands, and with the values that are misprinted (τ_d) or not printed (τ_empty).
SHARED = {"batch size": 16, "learning rate": 0.001, "m": 3, "τ_d": 1e-5, "τ_empty": 0.2, "τ_expand": 0.01, "α": 5.0,
          "λ": 1.0, "residues": 2}  # fmt: skip
HRN = {
    5: ("hrn/pairwise-mnist", UNITS_5, DENSE, {"epochs": 5, "extra units": (), "s": 300, "ρ": 1.2}),
    9: ("hrn/fashion-mnist", UNITS_9, DENSE, {"epochs": TWO, "extra units": (0, 2), "s": 300, "ρ": 10.0}),
    13: ("hrn/svhn-cifar100", UNITS_13, DENSE_13, {"epochs": ELEVEN, "extra units": (0, 2), "s": 2800, "ρ": 10.0}),
}


@pytest.mark.parametrize("table", HRN)
def test_a_printed_table_of_hrn_comes_out_of_the_declared_run(table):
    id, printed, dense, more = HRN[table]
    experiment = catalogue.experiment(id)
    config = experiment.resolve(experiment.run("hrn"), "paper")
    assert [" | ".join(line) for line in units(config).itertuples(index=False)] == printed.splitlines()
    frame = layers(config)
    assert [" | ".join(line) for line in zip(frame.Type, frame.Parameters, strict=True)] == dense.splitlines()
    assert settings(config) == SHARED | more


def test_equal_networks_are_shown_once():
    experiment = catalogue.experiment("hrn/svhn-cifar100")
    frame = networks_of(experiment, ["vc", "ewc", "ell"])
    assert list(dict.fromkeys(frame.method)) == ["VC, ELL", "EWC"]
    assert len(frame) == len(TABLE_10.splitlines()) + len(TABLE_11.splitlines())


def test_settings_side_by_side():
    frame = settings_of(catalogue.experiment("hrn/pairwise-mnist"), ["ewc", "hrn"]).set_index("Hyperparameter")
    assert frame.loc["λ"].tolist() == ["1024", "1"] and frame.loc["ρ"].tolist() == ["–", "1.2"]
    assert frame.loc["epochs"].tolist() == ["5, 5, 5, 5, 5", "5"] and frame.loc["extra units"].tolist() == ["–", "none"]


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
