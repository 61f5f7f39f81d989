"""Ten permutations of MNIST: rows P10 of Table 1, and Figure 3b."""

from unforget.experiments.hnet.rows import HNET_ENT, SCENARIOS, TABLE_1, Strengths, baselines, bound_cells, bounds
from unforget.experiments.spec import Cell, Experiment, Profile, Run

# --- Table 1, rows P10 ------------------------------------------------------------------------------------------------

TARGET = {"hidden": (1000, 1000), "iterations": 5000, "lr": 1e-4}
"""What HNET's classifier and the baselines share."""
HNET = TARGET | {"hyper_hidden": (25, 25), "task_embedding": 24, "chunk_embedding": 8, "chunk_size": 78_000, "beta": 0.01}

# λ of EWC, λ and γ of online EWC, c of SI per scenario
_STRENGTHS = {
    "CL1": Strengths(500.0, (500.0, 0.8), 5.0), "CL2": Strengths(500.0, (1000.0, 0.9), 5.0), "CL3": Strengths(1.0, (5.0, 1.0), 0.1),
}  # fmt: skip
MNIST = {"kind": "permuted", "image_set": "mnist", "tasks": 10}
SMOKE = Profile({"kind": "permuted", "image_set": "digits", "tasks": 2}, (0, 1), {"iterations": 5, "batch": 32, "hidden": (100, 100)})
_LITE = Profile(MNIST, (0, 1, 2), {"iterations": 500})


def hnet_runs(suffix: str = "", about: str = "", **changes) -> tuple[Run, Run]:
    """HNET+ENT trained for CL1 and CL3, and for CL2."""
    confusion = ("task confusion",)
    return (
        Run(f"hnet{suffix}", "hnet", "CL1", ("CL1", "CL3"), HNET | changes, confusion, f"HNET+ENT{about}, CL1 and CL3"),
        Run(f"hnet-cl2{suffix}", "hnet", "CL2", ("CL2",), HNET | changes, confusion, f"HNET+ENT{about}, CL2"),
    )


permuted_mnist_10 = Experiment(
    id="hnet/permuted-mnist-10",
    title="Permuted MNIST, ten tasks",
    regenerates="Table 1, rows P10; columns P10 of Table 1 of the LSTM paper",
    runs=(
        *hnet_runs(),
        *(run for scenario in SCENARIOS for run in baselines(scenario, _STRENGTHS[scenario], TARGET)),
        *bounds(TARGET, HNET),
    ),
    profiles={"smoke": SMOKE, "lite": _LITE, "paper": Profile(MNIST, tuple(range(20)))},
    minutes={"hnet": 55, "unprotected": 55, "hnet-joint": 160, "si": 26, "*": 20},
)

# --- Figure 3b: the same, with a smaller hypernetwork -----------------------------------------------------------------

# The paper does not say which size it varies: here that of a chunk. The fraction is trained weights over target weights.
CHUNK_SIZES = {"0.75": 61_200, "0.50": 40_800, "0.25": 20_350, "0.10": 8_000, "0.05": 3_950, "0.02": 810}

permuted_mnist_10_compression = Experiment(
    id="hnet/permuted-mnist-10-compression",
    page="hnet/permuted-mnist-10",
    title="Permuted MNIST, ten tasks, smaller hypernetworks",
    regenerates="Figure 3b",
    runs=tuple(
        Run(f"chunk-{size}", "hnet", "CL1", ("CL1",), HNET | {"chunk_size": size}, title=f"{size:,} weights per chunk")
        for size in CHUNK_SIZES.values()
    ),
    profiles={"smoke": SMOKE, "lite": _LITE, "paper": Profile(MNIST, tuple(range(5)))},
    minutes={"chunk-61200": 45, "chunk-40800": 38, "*": 30},
)

FIGURE_3B = {"0.95": "permuted-mnist-10/hnet"} | {
    ratio: f"permuted-mnist-10-compression/chunk-{size}" for ratio, size in CHUNK_SIZES.items()
}
"""Points of Figure 3b by compression ratio. The largest network is the one of Table 1."""

EXPERIMENTS = (permuted_mnist_10, permuted_mnist_10_compression)

_ENT = {s: f"permuted-mnist-10/{run}" for s, run in HNET_ENT.items()}
_PRINTED_COUNTS = {
    "total": "trained", "hypernetwork": "theta", "task embeddings": "task embeddings", "target CL1/CL3": "target",
}  # fmt: skip

CELLS = (
    *(
        Cell("hnet", "table-1", f"P10-{s}", column, f"permuted-mnist-10/{name}-{s.lower()}", s)
        for s in SCENARIOS
        for column, name in TABLE_1.items()
    ),
    *(Cell("hnet", "table-1", f"P10-{s}", "HNET+ENT", _ENT[s], s) for s in SCENARIOS),
    *bound_cells("permuted-mnist-10", "P10"),
    # Where the task is given, HNET+TIR is the same training as HNET+ENT.
    Cell("hnet", "table-1", "P10-CL1", "HNET+TIR", _ENT["CL1"], "CL1"),
    Cell("hnet", "table-3", "P10-CL1", "HNET+TIR during", _ENT["CL1"], "CL1", "during"),
    Cell("hnet", "table-3", "P10-CL1", "HNET+TIR after", _ENT["CL1"], "CL1"),
    Cell("hnet", "table-6", "P10-1000,1000", "HNET", _ENT["CL1"], "CL1"),
    *(
        Cell("hnet", "text-parameters", "P10 classifier", column, _ENT["CL1"], "CL1", f"count {name}")
        for column, name in _PRINTED_COUNTS.items()
    ),
    Cell("hnet", "text-parameters", "P10 classifier", "target CL2", _ENT["CL2"], "CL2", "count target"),
    *(
        Cell("hnet", "text-parameters", "P10 classifier", column, _ENT["CL2"], "CL2", f"count {name}", variant=True)
        for column, name in (("total", "trained"), ("hypernetwork", "theta"))
    ),
    *(
        Cell("hnet", "figure-3b", f"ratio {ratio}", metric, run, "CL1", metric)
        for ratio, run in FIGURE_3B.items()
        for metric in ("during", "final")
    ),
)

LSTM_CELLS = (
    *(
        Cell("lstm", "table-1", row, f"P10 {s}", f"permuted-mnist-10/{name}-{s.lower()}", s)
        for s in SCENARIOS
        for row, name in (("EWC", "ewc"), ("Online EWC", "online-ewc"), ("SI", "si"))
    ),
    *(Cell("lstm", "table-1", "HNET", f"P10 {s}", _ENT[s], s) for s in SCENARIOS),
)
"""The same runs beside the rows that Chandra et al. quote."""
