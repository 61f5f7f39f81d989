"""Figure 2: three curves learned one after the other."""

from unforget.experiments.spec import Cell, Experiment, Profile, Run

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

EXPERIMENTS = (toy_regression,)

CELLS = tuple(
    Cell("hnet", artifact, f"task {t}", "MSE", f"toy-regression/{run}", "regression", f"task {t}")
    for artifact, run in (("figure-2a", "hnet"), ("figure-2b", "joint"), ("figure-2c", "unprotected"))
    for t in (1, 2, 3)
) + (Cell("hnet", "text-parameters", "toy", "target", "toy-regression/hnet", "regression", "count target"),)
