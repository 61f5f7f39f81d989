"""Von Oswald et al. (2020): what makes its tables and figures."""

from unforget.experiments.spec import Cell, Experiment, Profile, Run

# --- Figure 2 -----------------------------------------------------------------------------------------------------

_TOY_HNET = {
    "hidden": (10, 10), "activation": "sigmoid", "hyper_hidden": (10, 10), "hyper_activation": "sigmoid",
    "task_embedding": 2, "chunk_embedding": 0, "chunk_size": None, "iterations": 4000, "batch": 32, "lr": 1e-2,
    "beta": 0.005,
}  # fmt: skip
_TOY_PLAIN = {
    "hidden": (10, 10), "activation": "sigmoid", "iterations": 4000, "batch": 32, "initial": "xavier", "last": "span",
}  # fmt: skip
_REGRESSION = {"scenario": "regression", "views": ("regression",), "probes": ("curves",)}

toy_regression = Experiment(
    id="hnet/toy-regression",
    title="Toy regression",
    regenerates="Figure 2a-c",
    runs=(
        Run("hnet", "hnet", options=_TOY_HNET, title="hypernetwork, protected", **_REGRESSION),
        Run("joint", "joint", options=_TOY_PLAIN | {"lr": 0.05}, title="target network, all tasks at once", **_REGRESSION),
        Run("unprotected", "hnet", options=_TOY_HNET | {"beta": 0.0}, title="hypernetwork, β = 0", **_REGRESSION),
        Run("finetune", "finetune", options=_TOY_PLAIN | {"lr": 1e-2}, title="target network, one task after the other",
            **_REGRESSION),
    ),
    profiles={
        "smoke": Profile({"kind": "toy regression"}, (0, 1), {"iterations": 800}),
        "lite": Profile({"kind": "toy regression"}, tuple(range(5))),
        "paper": Profile({"kind": "toy regression"}, tuple(range(20))),
    },
    minutes={"hnet": 0.07, "unprotected": 0.07, "*": 0.02},
    cpu_group=20,
)  # fmt: skip

# --- Table 1, rows S ------------------------------------------------------------------------------------------------

# Strengths per scenario from the code of van de Ven & Tolias (facts of the baselines: λ, γ, c). Online EWC's λ belongs to
# code that multiplies by γ once more in the penalty: λ·γ is the same penalty with γ applied once.
_EWC = {"CL1": 1e7, "CL2": 1e6, "CL3": 1e8}
_ONLINE_EWC = {"CL1": (1e8, 0.8), "CL2": (1e8, 0.7), "CL3": (1e9, 0.8)}
_SI = {"CL1": 50.0, "CL2": 500.0, "CL3": 0.5}
SCENARIOS = ("CL1", "CL2", "CL3")


def _baselines(scenario: str) -> tuple[Run, ...]:
    strength, gamma = _ONLINE_EWC[scenario]
    rows = (
        ("finetune", "finetune", {}, "fine-tuning"),
        ("joint", "joint", {}, "joint"),
        ("ewc", "ewc", {"strength": _EWC[scenario]}, "EWC"),
        ("online-ewc", "online-ewc", {"strength": strength * gamma, "gamma": gamma}, "online EWC"),
        ("si", "si", {"c": _SI[scenario]}, "SI"),
    )
    return tuple(Run(f"{n}-{scenario.lower()}", m, scenario, (scenario,), o, title=f"{t}, {scenario}") for n, m, o, t in rows)


_TABLE_1 = {"EWC": "online-ewc", "SI": "si", "fine-tuning": "finetune", "joint": "joint"}
HNET_ENT = {"CL1": "hnet", "CL2": "hnet-cl2", "CL3": "hnet"}

split_mnist = Experiment(
    id="hnet/split-mnist",
    title="Split MNIST",
    regenerates="Table 1, rows S; columns S of Table 1 of the LSTM paper",
    runs=(
        Run("hnet", "hnet", "CL1", ("CL1", "CL3"), probes=("task confusion",), title="HNET+ENT, CL1 and CL3"),
        Run("hnet-cl2", "hnet", "CL2", ("CL2",), probes=("task confusion",), title="HNET+ENT, CL2"),
        *(run for scenario in SCENARIOS for run in _baselines(scenario)),
    ),
    profiles={
        "smoke": Profile(
            {"kind": "split", "image_set": "digits", "classes": 2, "tasks": 5}, (0, 1), {"iterations": 15, "batch": 32}
        ),
        "lite": Profile({"kind": "split", "image_set": "mnist", "classes": 2, "tasks": 5}, tuple(range(5))),
        "paper": Profile({"kind": "split", "image_set": "mnist", "classes": 2, "tasks": 5}, tuple(range(20))),
    },
    minutes={"hnet": 1.8, "hnet-cl2": 1.8, "*": 0.9},
)

# --- One choice changed at a time, to find out why a number of ours differs -------------------------------------------

_CHOICES = {
    "relu": ({"hyper_activation": "relu"}, "ReLU in the hypernetwork, as in the published code"),
    "no-look-ahead": ({"look_ahead": False}, "no look-ahead"),
    "weak": ({"beta": 0.001}, "β ten times smaller"),
    "strong": ({"beta": 0.1}, "β ten times larger"),
}

split_mnist_choices = Experiment(
    id="hnet/split-mnist-choices",
    title="Split MNIST, one choice changed",
    regenerates="causes of deviations in Table 1, rows S",
    runs=tuple(
        Run(name, "hnet", "CL1", ("CL1", "CL3"), options, probes=("task confusion",), title=title)
        for name, (options, title) in _CHOICES.items()
    )
    + (Run("relu-cl2", "hnet", "CL2", ("CL2",), _CHOICES["relu"][0], ("task confusion",), _CHOICES["relu"][1] + ", CL2"),),
    profiles={
        "smoke": split_mnist.profiles["smoke"],
        "lite": split_mnist.profiles["lite"],
        "paper": Profile(split_mnist.profiles["paper"].stream, tuple(range(5))),
    },
    minutes={"*": 1.8},
)

EXPERIMENTS = (toy_regression, split_mnist, split_mnist_choices)

CELLS = (
    tuple(
        Cell("hnet", artifact, f"task {t}", "MSE", f"toy-regression/{run}", "regression", f"task {t}")
        for artifact, run in (("figure-2a", "hnet"), ("figure-2b", "joint"), ("figure-2c", "unprotected"))
        for t in (1, 2, 3)
    )
    + tuple(
        Cell("hnet", "table-1", f"S-{scenario}", column, f"split-mnist/{name}-{scenario.lower()}", scenario)
        for scenario in SCENARIOS
        for column, name in _TABLE_1.items()
    )
    + tuple(Cell("hnet", "table-1", f"S-{s}", "HNET+ENT", f"split-mnist/{HNET_ENT[s]}", s) for s in SCENARIOS)
    # Where the task is given, HNET+TIR is the same training as HNET+ENT.
    + (
        Cell("hnet", "table-1", "S-CL1", "HNET+TIR", "split-mnist/hnet", "CL1"),
        Cell("hnet", "table-3", "S-CL1", "HNET+TIR during", "split-mnist/hnet", "CL1", "during"),
        Cell("hnet", "table-3", "S-CL1", "HNET+TIR after", "split-mnist/hnet", "CL1"),
        Cell("hnet", "text-parameters", "toy", "target", "toy-regression/hnet", "regression", "count target"),
        Cell("hnet", "text-parameters", "S classifier", "total", "split-mnist/hnet", "CL1", "count trained"),
        Cell("hnet", "text-parameters", "S classifier", "hypernetwork", "split-mnist/hnet", "CL1", "count theta"),
        Cell("hnet", "text-parameters", "S classifier", "task embeddings", "split-mnist/hnet", "CL1",
             "count task embeddings"),
        Cell("hnet", "text-parameters", "S classifier", "target CL1/CL3", "split-mnist/hnet", "CL1", "count target"),
        Cell("hnet", "text-parameters", "S classifier", "target CL2", "split-mnist/hnet-cl2", "CL2", "count target"),
    )
    + tuple(
        Cell("hnet", "table-1", f"S-{scenario}", "HNET+ENT", f"split-mnist-choices/{name}", scenario, variant=True)
        for name in _CHOICES
        for scenario in ("CL1", "CL3")
    )
    + (Cell("hnet", "table-1", "S-CL2", "HNET+ENT", "split-mnist-choices/relu-cl2", "CL2", variant=True),)
)  # fmt: skip
