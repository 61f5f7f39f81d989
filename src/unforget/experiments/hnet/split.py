"""Split MNIST: rows S of Table 1, and one choice changed at a time."""

from unforget.experiments.hnet.rows import HNET_ENT, SCENARIOS, TABLE_1, Strengths, baselines, bound_cells, bounds
from unforget.experiments.spec import Cell, Experiment, Profile, Run

# --- Table 1, rows S ------------------------------------------------------------------------------------------------

# λ of EWC, λ and γ of online EWC, c of SI per scenario
_STRENGTHS = {
    "CL1": Strengths(1e7, (1e8, 0.8), 50.0), "CL2": Strengths(1e6, (1e8, 0.7), 500.0), "CL3": Strengths(1e8, (1e9, 0.8), 0.5),
}  # fmt: skip

split_mnist = Experiment(
    id="hnet/split-mnist",
    title="Split MNIST",
    regenerates="Table 1, rows S; columns S of Table 1 of the LSTM paper",
    runs=(
        Run("hnet", "hnet", "CL1", ("CL1", "CL3"), probes=("task confusion",), title="HNET+ENT, CL1 and CL3"),
        Run("hnet-cl2", "hnet", "CL2", ("CL2",), probes=("task confusion",), title="HNET+ENT, CL2"),
        *(run for scenario in SCENARIOS for run in baselines(scenario, _STRENGTHS[scenario])),
        *bounds(),
    ),
    profiles={
        # Narrower networks than the paper's fit the time of a notebook.
        "smoke": Profile(
            {"kind": "split", "image_set": "digits", "classes": 2, "tasks": 5}, (0, 1),
            {"iterations": 15, "batch": 32, "hidden": (100, 100)},
        ),
        "lite": Profile({"kind": "split", "image_set": "mnist", "classes": 2, "tasks": 5}, tuple(range(5))),
        "paper": Profile({"kind": "split", "image_set": "mnist", "classes": 2, "tasks": 5}, tuple(range(20))),
    },
    minutes={"hnet": 1.8, "unprotected": 1.8, "hnet-joint": 4.0, "*": 0.9},
)

# --- One choice changed at a time, to find out why a number of ours differs -------------------------------------------

# Each strength of β is a run, although one scanned run would train all of them together: each is a row of its own in the
# ledger, and what fills a row is a run.
_CHOICES = {
    "relu": ({"hyper_activation": "relu"}, "ReLU in the hypernetwork, as in the published code"),
    "no-look-ahead": ({"look_ahead": False}, "no look-ahead"),
    "weak": ({"beta": 0.001}, "β ten times smaller"),
    "strong": ({"beta": 0.1}, "β ten times larger"),
    "weighted": ({"importance": "fisher"}, "outputs weighted by their Fisher information, as appendix D suggests"),
    "plastic": ({"plastic": True}, "old embeddings learn, too, as appendix C suggests"),
}

_CHOICES_CL2 = ("relu", "no-look-ahead", "weak", "strong", "weighted", "plastic")

split_mnist_choices = Experiment(
    id="hnet/split-mnist-choices",
    page="hnet/choices",
    title="Split MNIST, one choice changed",
    regenerates="causes of deviations in Table 1, rows S",
    runs=tuple(
        Run(name, "hnet", "CL1", ("CL1", "CL3"), options, probes=("task confusion",), title=title)
        for name, (options, title) in _CHOICES.items()
    )
    + tuple(
        Run(f"{name}-cl2", "hnet", "CL2", ("CL2",), _CHOICES[name][0], ("task confusion",), f"{_CHOICES[name][1]}, CL2")
        for name in _CHOICES_CL2
    ),
    profiles={**split_mnist.profiles, "smoke": split_mnist.profiles["smoke"].of(iterations=8)},
    minutes={"*": 1.8},
)

EXPERIMENTS = (split_mnist, split_mnist_choices)

CELLS = (
    tuple(
        Cell("hnet", "table-1", f"S-{scenario}", column, f"split-mnist/{name}-{scenario.lower()}", scenario)
        for scenario in SCENARIOS
        for column, name in TABLE_1.items()
    )
    + tuple(Cell("hnet", "table-1", f"S-{s}", "HNET+ENT", f"split-mnist/{HNET_ENT[s]}", s) for s in SCENARIOS)
    + bound_cells("split-mnist", "S")
    # Where the task is given, HNET+TIR is the same training as HNET+ENT.
    + (
        Cell("hnet", "table-1", "S-CL1", "HNET+TIR", "split-mnist/hnet", "CL1"),
        Cell("hnet", "table-3", "S-CL1", "HNET+TIR during", "split-mnist/hnet", "CL1", "during"),
        Cell("hnet", "table-3", "S-CL1", "HNET+TIR after", "split-mnist/hnet", "CL1"),
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
    + tuple(
        Cell("hnet", "table-1", "S-CL2", "HNET+ENT", f"split-mnist-choices/{name}-cl2", "CL2", variant=True)
        for name in _CHOICES_CL2
    )
    # What the text says of the look-ahead and of β, without printing a number.
    + tuple(
        Cell("hnet", "text-choices", f"S-{s}", column, f"split-mnist-choices/{name}{'-cl2' if s == 'CL2' else ''}", s)
        for column, name in (
            ("no look-ahead", "no-look-ahead"), ("β 0.001", "weak"), ("β 0.1", "strong"), ("weighted outputs", "weighted"),
            ("plastic embeddings", "plastic"),
        )
        for s in SCENARIOS
    )
)  # fmt: skip
