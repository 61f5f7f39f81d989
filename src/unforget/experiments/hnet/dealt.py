"""Split MNIST with the digits dealt to the tasks anew for every seed, as the study deals them whose rows are copied."""

from dataclasses import replace

from unforget.experiments.hnet.replay import split_mnist_replay
from unforget.experiments.spec import Cell, Experiment, Run

# Method and run, title, where its CL1 is printed here and in the LSTM paper.
_ROWS = (
    ("joint", "joint", (), None),
    ("lwf", "LwF", (), "LWF"),
    ("dgr", "DGR", (), "DGR"),
    ("dgr-distill", "DGR with distillation", (("table-1", "DGR"), ("table-2", "DGR")), "DGR+distill"),
)

split_mnist_dealt = Experiment(
    id="hnet/split-mnist-dealt",
    page="hnet/choices",
    title="Split MNIST, digits dealt anew for every seed",
    regenerates="causes of deviations in copied rows, where the task is given",
    runs=tuple(
        Run(f"{method}-cl1", method, "CL1", ("CL1",), title=f"digits dealt anew for every seed, {title}, CL1")
        for method, title, _, _ in _ROWS
    ),
    profiles={
        name: replace(profile, stream=profile.stream | {"kind": "dealt"}, seeds=profile.seeds[:5])
        for name, profile in split_mnist_replay.profiles.items()
    },
    minutes={"joint": 0.9, "lwf": 1.8, "dgr": 5.3},
)

EXPERIMENTS = (split_mnist_dealt,)

CELLS = tuple(
    Cell("hnet", artifact, "S-CL1", column, f"split-mnist-dealt/{method}-cl1", "CL1", variant=True)
    for method, _, places, _ in _ROWS
    for artifact, column in places
)
LSTM_CELLS = tuple(
    Cell("lstm", "table-2", row, "S CL1", f"split-mnist-dealt/{method}-cl1", "CL1", variant=True)
    for method, _, _, row in _ROWS
    if row
)
