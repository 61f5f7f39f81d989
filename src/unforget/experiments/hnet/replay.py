"""Split MNIST with replay: rows S of Table 2, and the columns of Table 1 that replay."""

from unforget.experiments.hnet.rows import SCENARIOS
from unforget.experiments.hnet.split import split_mnist
from unforget.experiments.spec import Cell, Experiment, Profile, Run

# Run and method, title, where its numbers are printed: (artifact, column) here and the row of Table 2 of the LSTM paper.
_BASELINES = {
    "lwf": ("LwF", (), "LWF"),
    "dgr": ("DGR", (), "DGR"),
    # Both tables here head it DGR; their numbers are those with distillation.
    "dgr-distill": ("DGR with distillation", (("table-1", "DGR"), ("table-2", "DGR")), "DGR+distill"),
}

split_mnist_replay = Experiment(
    id="hnet/split-mnist-replay",
    title="Split MNIST with replay",
    regenerates="Table 2, rows S; replay in rows S of Table 1; columns S of Table 2 of the LSTM paper",
    runs=tuple(
        Run(f"{name}-{s.lower()}", name, s, (s,), title=f"{title}, {s}")
        for s in SCENARIOS
        for name, (title, _, _) in _BASELINES.items()
    ),
    profiles={
        # A generator triples the work of a step: narrower networks here.
        "smoke": Profile(
            split_mnist.profiles["smoke"].stream, (0, 1), {"iterations": 20, "batch": 32, "hidden": (100, 100)}
        ),
        "lite": split_mnist.profiles["lite"],
        "paper": split_mnist.profiles["paper"],
    },
    minutes={f"lwf-{s.lower()}": 0.9 for s in SCENARIOS} | {"*": 4.6},
)

EXPERIMENTS = (split_mnist_replay,)

CELLS = tuple(
    Cell("hnet", artifact, f"S-{s}", column, f"split-mnist-replay/{name}-{s.lower()}", s)
    for s in SCENARIOS
    for name, (_, places, _) in _BASELINES.items()
    for artifact, column in places
)

LSTM_CELLS = tuple(
    Cell("lstm", "table-2", row, f"S {s}", f"split-mnist-replay/{name}-{s.lower()}", s)
    for s in SCENARIOS
    for name, (_, _, row) in _BASELINES.items()
)
"""The same runs beside the rows that Chandra et al. quote."""
