"""Split MNIST with replay: rows S of Table 2, and the columns of Table 1 that replay."""

from unforget.experiments.hnet.rows import SCENARIOS
from unforget.experiments.hnet.split import split_mnist
from unforget.experiments.spec import Cell, Experiment, Profile, Run

# Run and method, title, where its numbers are printed: (artifact, column) here and the row of Table 2 of the LSTM paper.
_ROWS = {
    "lwf": ("LwF", (), "LWF"),
    "dgr": ("DGR", (), "DGR"),
    # Both tables here head it DGR; their numbers are those with distillation.
    "dgr-distill": ("DGR with distillation", (("table-1", "DGR"), ("table-2", "DGR")), "DGR+distill"),
    "hnet-r": ("HNET+R", (("table-1", "HNET+R"), ("table-2", "HNET+R")), "HNET+R"),
    "rpl-ub": ("RPL-UB", (("table-2", "RPL-UB"),), None),
}
# One training serves CL1 and CL3, as with HNET; its CL1 is that of the run split-mnist/hnet.
_TIR = {"CL2": "hnet-tir-cl2", "CL3": "hnet-tir"}
_MINUTES = {"lwf": 0.9, "dgr": 4.6, "dgr-distill": 4.6, "hnet-r": 3.5, "rpl-ub": 1.3}

split_mnist_replay = Experiment(
    id="hnet/split-mnist-replay",
    title="Split MNIST with replay",
    regenerates="Table 2, rows S; replay in rows S of Table 1; columns S of Table 2 of the LSTM paper",
    runs=(
        Run("hnet-tir", "hnet-tir", "CL3", ("CL1", "CL3"), probes=("task confusion",), title="HNET+TIR, CL3"),
        Run("hnet-tir-cl2", "hnet-tir", "CL2", ("CL2",), probes=("task confusion",), title="HNET+TIR, CL2"),
        *(
            Run(f"{name}-{s.lower()}", name, s, (s,), title=f"{title}, {s}")
            for s in SCENARIOS
            for name, (title, _, _) in _ROWS.items()
        ),
    ),
    profiles={
        # A generator triples the work of a step: narrower networks here.
        "smoke": Profile(
            split_mnist.profiles["smoke"].stream, (0, 1), {"iterations": 20, "batch": 32, "hidden": (100, 100)}
        ),
        "lite": split_mnist.profiles["lite"],
        "paper": split_mnist.profiles["paper"],
    },
    minutes={f"{name}-{s.lower()}": minutes for name, minutes in _MINUTES.items() for s in SCENARIOS} | {"*": 4.5},
)

EXPERIMENTS = (split_mnist_replay,)

CELLS = (
    *(
        Cell("hnet", artifact, f"S-{s}", column, f"split-mnist-replay/{name}-{s.lower()}", s)
        for s in SCENARIOS
        for name, (_, places, _) in _ROWS.items()
        for artifact, column in places
    ),
    *(Cell("hnet", "table-1", f"S-{s}", "HNET+TIR", f"split-mnist-replay/{run}", s) for s, run in _TIR.items()),
    Cell("hnet", "table-3", "S-CL1", "HNET+R during", "split-mnist-replay/hnet-r-cl1", "CL1", "during"),
    Cell("hnet", "table-3", "S-CL1", "HNET+R after", "split-mnist-replay/hnet-r-cl1", "CL1"),
    *(
        Cell("hnet", "text-parameters", "S VAE", row, "split-mnist-replay/hnet-r-cl1", "CL1", f"count vae {count}")
        for row, count in (
            ("total", "trained"), ("hypernetwork", "theta"), ("task embeddings", "task embeddings"), ("target", "target"),
        )
    ),
)  # fmt: skip

LSTM_CELLS = tuple(
    Cell("lstm", "table-2", row, f"S {s}", f"split-mnist-replay/{name}-{s.lower()}", s)
    for s in SCENARIOS
    for name, (_, _, row) in _ROWS.items()
    if row
)
"""The same runs beside the rows of Chandra et al., who quote them."""
