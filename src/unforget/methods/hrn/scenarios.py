"""The paper's scenarios and the three readings of its text, as options of `hrn`.

Units, classifiers and numbers are those of the ICLR text's appendix (units with the channels of the image); where the
released configurations differ, the printed value stands in `SCENARIOS` and the other in `RELEASED`. The printed τ_d =
0.2 of two scenarios is τ_empty's value under the wrong symbol: τ_d is 1e-5 everywhere.
"""

READINGS = {
    "algorithm1": {"n_res": 2},
    "figure1": {"n_res": 3},
    "released": {"n_res": 2, "rule": "countdown", "eq7": False},
}
"""What depth d = 3 means: Algorithm 1 and the released code sum two residues, figure 1 and Eq. 5 three. The released
code replaces vectors by another rule, and its scaling of gradients (Eq. 7) has no effect."""

_DENSE = {"hidden": (60, 10), "activation": "leaky", "dropout": 0.2, "outputs": 10, "s": 300, "lam": 1.0}
_COLOUR = {
    "units": (
        (2, 36, 3, 2, 2, False, "leaky", 0.5), (2, 36, 3, 1, 2, False, "leaky", 0.5),
        (1, 12, 2, 1, 1, False, "relu", 0.5), (1, 24, 4, 2, 1, False, "leaky", 0.5),
    ),
    "hidden": (200, 100), "activation": "relu", "dropout": 0.4, "logit_dropout": 0.2, "outputs": 100, "s": 2800,
    "rho": 10.0, "lam": 1.0,
}  # fmt: skip

SCENARIOS = {
    "pairwise-mnist": _DENSE | {
        "units": ((2, 16, 5, 3, 2, True, "leaky", 0.0), (2, 16, 2, 3, 0, True, "leaky", 0.0)), "rho": 1.2, "epochs": 5,
    },
    "fashion-mnist": _DENSE | {
        "units": ((3, 6, 5, 3, 2, False, "leaky", 0.0), (3, 8, 2, 3, 0, False, "leaky", 0.0)), "rho": 10.0,
        "epochs": (20, 10), "grow": (0, 2),
    },
    "svhn-cifar": _COLOUR | {"epochs": (8, *(15,) * 10), "grow": (0, 2)},
    "cifar": _COLOUR | {"epochs": 15},
}  # fmt: skip
"""Pairwise-MNIST; Fashion-MNIST, then MNIST; SVHN, then CIFAR-100 in ten parts; those ten parts alone."""

RELEASED = {"fashion-mnist": {"batch": 32}, "svhn-cifar": {"lam": 0.5}, "cifar": {"lam": 0.5}}
"""What the released configurations change, where a scenario is run in the reading "released"."""
