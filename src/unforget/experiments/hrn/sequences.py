"""The three sequences of data sets: arXiv Table 1 and its figures.

Networks and settings of VC, EWC and ELL are those of ICLR Tables 2 to 4, 6 to 8 and 10 to 12
(`unforget.results.hrn.architectures` makes the tables from them), those of HRN `unforget.methods.hrn.scenarios`.
"""

from typing import Any

from unforget.experiments.spec import Cell, Experiment, Profile, Run
from unforget.methods.hrn.scenarios import READINGS, RELEASED, SCENARIOS

OWN = "own classifier"

ROWS = {
    "vc": "VC", "ewc": "EWC", "ell": "ELL",
    "ewc-small": "EWC, 16 and 32 filters", "ewc-small-descent": "EWC, 16 and 32 filters, gradient descent",
    "ewc-small-standard-descent": "EWC, 16 and 32 filters, standard, gradient descent",
    "ewc-small-shared": "EWC, 16 and 32 filters, one classifier", "ewc-standard": "EWC, standard",
    "ell-constant": "ELL, constant targets", "ell-lwf": "ELL, LwF",
    "ewc-descent": "EWC, gradient descent", "ewc-standard-descent": "EWC, standard, gradient descent",
    "ewc-shared": "EWC, one classifier", "ewc-shared-adam": "EWC, one classifier, Adam",
    "ewc-shared-labels": "EWC, one classifier, labels given", "ewc-shared-adam-labels": "EWC, one classifier, Adam, labels given",
    "ewc-shared-half-labels": "EWC, one classifier, half the penalty, labels given",
    "hrn": "HRN", "hrn-hash": "HRN, hash only", "hrn-projections": "HRN, projections kept", "hrn-longer": "HRN, twice the epochs",
    "hrn-figure1": "HRN, Figure 1", "hrn-figure1-released": "HRN, Figure 1, released", "hrn-released": "HRN, released", "hrn-affine": "HRN, affine hash of the published code",
    "hrn-hash-affine": "HRN, hash only, affine hash of the published code",
    "hrn-fixed": "HRN, no units added", "hrn-automatic": "HRN, units added when bases are full",
}  # fmt: skip
"""Runs by their titles, which are the rows they fill, in the order of tables; VC, EWC, ELL and HRN are printed, the others
are ours."""

# --- Networks and settings ------------------------------------------------------------------------------------------
# Printed values first. κ of ELL, its weight of old codes, is printed nowhere and comes from the published code.

_PAIRWISE = {"filters": (16, 32), "hidden": (60, 10), "head_dropout": (0.2, 0.2, 0.0), "epochs": (5,) * 5, "batch": 16}
_FASHION = _PAIRWISE | {"filters": (32, 64), "epochs": (20, 10)}
_COLOUR = {
    "filters": (36, 99), "kernels": (3, 2), "strides": (2, 1), "paddings": (2, 1), "channel_dropout": (0.0, 0.5),
    "hidden": (200, 100), "outputs": 100, "head_activation": "relu", "head_norm": True, "head_dropout": (0.4, 0.4, 0.2),
    "batch": 32,
}  # fmt: skip
_COLOUR_EWC = _COLOUR | {"channel_dropout": (0.3, 0.3), "head_dropout": (0.5, 0.4, 0.2), "strength": 250.0}
_COLOUR_ELL = _COLOUR | {"batch": 16, "codes": 2800, "code_weight": 100.0, "stabilisation_epochs": 3}


def _run(name: str, method: str, options: dict[str, Any], probes: tuple[str, ...] = ()) -> Run:
    return Run(name, method, "CL1", (OWN,), options, probes, ROWS[name])


def _runs(vc: dict, ewc: dict, ell: dict) -> tuple[Run, ...]:
    """VC, EWC and ELL as published, then the two protections as they are known elsewhere, and EWC as it once was."""
    return (
        _run("vc", "vc", vc),
        _run("ewc", "ewc-encoder", ewc),
        _run("ell", "ell", ell | {"teacher_gradient": True}),
        _run("ewc-standard", "ewc-encoder", ewc | {"fisher": "standard"}),
        _run("ell-constant", "ell", ell),
        _run("ell-lwf", "ell", ell | {"distillation": "lwf"}),
        _run("ewc-descent", "ewc-encoder", ewc | {"optimiser": "sgd"}),
        _run("ewc-standard-descent", "ewc-encoder", ewc | {"optimiser": "sgd", "fisher": "standard"}),
        _run("ewc-shared", "ewc-shared", ewc),
        _run("ewc-shared-adam", "ewc-shared", ewc | {"optimiser": "adam"}),
    )


# HRN as Algorithm 1 reads, and what is changed of it.
_CONTROLS = {"hrn": {}, "hrn-hash": {"n_res": 1}, "hrn-projections": {"projections": True}, "hrn-longer": {"times": 2}}
_READINGS = {
    "hrn-figure1": READINGS["figure1"],
    "hrn-figure1-released": READINGS["released"] | READINGS["figure1"],
    "hrn-released": READINGS["released"],
    "hrn-affine": {"hash": "affine"},
    "hrn-hash-affine": {"n_res": 1, "hash": "affine"},
}
_GROWTH = {"hrn-fixed": {"grow": ()}, "hrn-automatic": {"grow": (), "grow_when_full": 2}}


def _hrn(scenario: str, *groups: dict[str, dict[str, Any]]) -> tuple[Run, ...]:
    """HRN and its controls in a scenario, with the runs of `groups`."""
    runs = []
    for name, changes in [item for group in (_CONTROLS, *groups) for item in group.items()]:
        released = RELEASED.get(scenario, {}) if name.endswith("released") else {}
        runs.append(_run(name, "hrn", SCENARIOS[scenario] | READINGS["algorithm1"] | changes | released, ("unit usage",)))
    return tuple(runs)


# --- Pairwise MNIST -------------------------------------------------------------------------------------------------

pairwise_mnist = Experiment(
    id="hrn/pairwise-mnist",
    title="Pairwise MNIST",
    regenerates="arXiv Table 1 (bottom left); ICLR Figure 2 (bottom left), Tables 2 to 4",
    runs=_runs(
        _PAIRWISE, _PAIRWISE | {"strength": 1024.0},
        _PAIRWISE | {"codes": 100, "code_weight": 50.0, "stabilisation_epochs": 2},
    )
    + tuple(
        _run(f"ewc-shared{name}-labels", "ewc-shared", _PAIRWISE | {"strength": 1024.0, "task_labels": True} | changes)
        for name, changes in (("", {}), ("-adam", {"optimiser": "adam"}), ("-half", {"strength": 512.0}))
    )
    + _hrn("pairwise-mnist", _READINGS),
    profiles={
        "smoke": Profile(
            {"kind": "pairwise", "image_set": "digits"}, (0, 1),
            {"epochs": (1,) * 5, "stabilisation_epochs": 1, "images": 50},
        ),
        "lite": Profile({"kind": "pairwise"}, tuple(range(3)), {"epochs": (1,) * 5, "stabilisation_epochs": 1}),
        "paper": Profile({"kind": "pairwise"}, tuple(range(5))),
    },
    minutes={"vc": 0.31, "ewc": 0.37, "ell": 0.65, "hrn": 0.6, "hrn-hash": 0.2, "hrn-figure1": 1.5, "hrn-longer": 1.2},
    cpu_group=5,
)  # fmt: skip

# --- Fashion-MNIST, then MNIST --------------------------------------------------------------------------------------

# EWC with the filters of the published code, and what else its printed row may have had.
_SMALL_EWC = {
    "": ("ewc-encoder", {}),
    "-descent": ("ewc-encoder", {"optimiser": "sgd"}),
    "-standard-descent": ("ewc-encoder", {"optimiser": "sgd", "fisher": "standard"}),
    "-shared": ("ewc-shared", {}),
}

fashion_mnist = Experiment(
    id="hrn/fashion-mnist",
    title="Fashion-MNIST, then MNIST",
    regenerates="arXiv Table 1 (bottom right); ICLR Figure 2 (bottom right), Tables 6 to 8",
    runs=_runs(
        _FASHION, _FASHION | {"strength": 400.0},
        _FASHION | {"codes": 300, "code_weight": 200.0, "stabilisation_epochs": 3},
    )
    + tuple(
        _run(f"ewc-small{name}", method, _FASHION | {"filters": (16, 32), "strength": 400.0} | changes)
        for name, (method, changes) in _SMALL_EWC.items()
    )
    + _hrn("fashion-mnist", _READINGS, _GROWTH),
    profiles={
        "smoke": Profile(
            {"kind": "fashion then mnist", "first": "digits", "second": "digits"}, (0, 1),
            {"epochs": (1, 1), "stabilisation_epochs": 1, "images": 50, "batch": 32},
        ),
        "lite": Profile({"kind": "fashion then mnist"}, tuple(range(3)), {"epochs": (2, 1), "stabilisation_epochs": 1}),
        "paper": Profile({"kind": "fashion then mnist"}, tuple(range(5))),
    },
    minutes={"vc": 3.4, "ewc": 3.5, "ewc-small": 2.2, "ell": 4.1, "hrn": 4.5, "hrn-hash": 1.5, "hrn-figure1": 10.0,
             "hrn-longer": 9.0},
    cpu_group=5,
)  # fmt: skip

# --- SVHN, then CIFAR-100 -------------------------------------------------------------------------------------------

_SMALL = {
    "filters": (6, 9), "hidden": (30, 30), "outputs": 30, "head_dropout": (0.0, 0.0, 0.0), "batch": 32, "lr": 5e-3,
    "codes": 20, "stabilisation_epochs": 1, "images": 20, "s": 200,
}  # fmt: skip
"""Sizes with which the colour networks fit the time of a notebook."""


def _colour_runs(epochs: tuple[int, ...]) -> tuple[Run, ...]:
    return _runs(*(options | {"epochs": epochs} for options in (_COLOUR, _COLOUR_EWC, _COLOUR_ELL)))


svhn_cifar100 = Experiment(
    id="hrn/svhn-cifar100",
    title="SVHN, then CIFAR-100",
    regenerates="arXiv Table 1 (top); ICLR Figures 2 (top) and 3, Tables 10 to 12",
    runs=_colour_runs((8, *[15] * 10)) + _hrn("svhn-cifar", _GROWTH),
    profiles={
        "smoke": Profile(
            {"kind": "svhn then cifar100", "first": "colour-digits", "second": "colour-digits-100", "tasks": 2}, (0, 1),
            _SMALL | {"epochs": (1,) * 3},
        ),
        "lite": Profile({"kind": "svhn then cifar100"}, (0,), {"epochs": (1, *[2] * 10), "codes": 300}),
        "paper": Profile({"kind": "svhn then cifar100"}, tuple(range(5))),
    },
    # Extrapolated from steps on CIFAR-100; ELL has autoencoders of 180 million weights and wants a GPU.
    minutes={"ell": 2500.0, "ewc-shared": 85.0, "hrn": 24.0, "hrn-longer": 48.0, "*": 55.0},
)  # fmt: skip

cifar100 = Experiment(
    id="hrn/cifar100",
    title="CIFAR-100 in ten tasks",
    regenerates="tasks 1 to 10 of arXiv Table 1 (top) and ICLR Figure 3, without SVHN before them",
    runs=_colour_runs((15,) * 10) + _hrn("cifar"),
    profiles={
        "smoke": Profile(
            {"kind": "cifar100 in ten tasks", "image_set": "colour-digits-100", "tasks": 3}, (0, 1),
            _SMALL | {"epochs": (1,) * 3},
        ),
        "lite": Profile({"kind": "cifar100 in ten tasks"}, (0,), {"epochs": (2,) * 10, "codes": 300}),
        "paper": Profile({"kind": "cifar100 in ten tasks"}, tuple(range(5))),
    },
    minutes={"ell": 1600.0, "ewc-shared": 55.0, "*": 31.0},  # from a few steps of the first two tasks
)  # fmt: skip

EXPERIMENTS = (pairwise_mnist, fashion_mnist, svhn_cifar100, cifar100)

# --- Cells ----------------------------------------------------------------------------------------------------------

TABLES = {
    "table-1a": ("svhn-cifar100", 11, 0),
    "table-1b": ("pairwise-mnist", 5, 0),
    "table-1c": ("fashion-mnist", 2, 0),
    "table-1a-cifar100-alone": ("cifar100", 10, 1),
}
"""Per table: experiment, number of tasks, the number that the paper gives the first of them."""


def _table(artifact: str, row: str, run: str, variant: bool = False, count: str = "") -> tuple[Cell, ...]:
    """Accuracy right after each task and at the end (one number for the last task), and two averages of our own; `count` is
    how test images are counted, as metrics begin."""
    _, tasks, first = TABLES[artifact]
    columns = {f"T{first + t} first": f"first {t + 1}" for t in range(tasks - 1)}
    columns |= {f"T{first + t} final": f"task {t + 1}" for t in range(tasks)}
    columns |= {"Average over images": "global", "Average over tasks": "final"}
    return tuple(Cell("hrn", artifact, row, c, run, OWN, f"{count}{m}", variant) for c, m in columns.items())


SHARES = {"Uneven": "uneven", "Shift": "shift", "Least used unit": "least"}
"""Columns of the figure on unit usage and the metrics of `unforget.results.hrn.usage`, in percent of selections."""


def _usage(experiment: Experiment) -> tuple[Cell, ...]:
    run = f"{experiment.id.split('/')[1]}/hrn"
    return tuple(Cell("hrn", "figure-4", experiment.title, c, run, OWN, f"usage: {m}") for c, m in SHARES.items())


CELLS = (
    tuple(
        cell
        for artifact, (experiment, _, _) in TABLES.items()
        for run in {e.id: e for e in EXPERIMENTS}[f"hrn/{experiment}"].runs
        for cell in _table(artifact, run.title, f"{experiment}/{run.name}")
    )
    + tuple(cell for name in _SMALL_EWC for cell in _table("table-1c", "EWC", f"fashion-mnist/ewc-small{name}", variant=True))
    + _table("table-1b", "EWC", "pairwise-mnist/ewc-shared-half-labels", variant=True)
    # Hashes as long as in the ablations, and there with Figure 1's residues beside.
    + tuple(cell for run in ("baseline", "high-depth") for cell in _table("table-1b", "HRN", f"ablations/{run}", variant=True))
    + tuple(cell for row, run in (("VC", "vc"), ("ELL", "ell")) for cell in
            _table("table-1b", row, f"pairwise-mnist/{run}", variant=True, count="full batches: "))
    + tuple(cell for experiment in EXPERIMENTS for cell in _usage(experiment))
)  # fmt: skip
