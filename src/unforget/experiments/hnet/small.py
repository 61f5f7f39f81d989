"""A target network with two hidden layers of only 100 units, on ten and on fifty permutations, and Table 6 (appendix D)."""

from unforget.experiments.hnet import permuted
from unforget.experiments.hnet.rows import BOUNDS, CL1, bounds
from unforget.experiments.spec import Cell, Experiment, Profile, Run

_TARGET = {"hidden": (100, 100), "iterations": 5000, "lr": 1e-4}
_HNET = _TARGET | {"task_embedding": 64, "chunk_embedding": 12, "chunk_size": 2000}
# For 50 tasks the paper names neither chunks nor embeddings; those of ten tasks give the ratio that it prints.
_SIZES = {10: {"hyper_hidden": (100, 75, 50), "beta": 0.05}, 50: {"hyper_hidden": (100, 100), "beta": 0.1}}


def _soft(tasks: int) -> tuple[Run, ...]:
    """The variant with soft targets, which the paper has for ten tasks: 0.95 for the right class."""
    options = _HNET | _SIZES[tasks] | {"smoothing": 0.05}
    return (Run("hnet-soft", "hnet", "CL1", ("CL1",), options, title="HNET, soft targets"),) if tasks == 10 else ()


def _experiment(id: str, tasks: int, smoke: int, minutes: dict[str, float]) -> Experiment:
    mnist = permuted.MNIST | {"tasks": tasks}
    return Experiment(
        id=id,
        page="hnet/small-networks",
        title=f"A small network on {tasks} permutations",
        regenerates=f"P{tasks} with a 100-100 network, in the text of appendix D",
        runs=(
            Run("hnet", "hnet", "CL1", ("CL1",), _HNET | _SIZES[tasks], title="HNET"),
            *_soft(tasks),
            Run("finetune", "finetune", "CL1", ("CL1",), _TARGET, title="fine-tuning"),
            Run("joint", "joint", "CL1", ("CL1",), _TARGET, title="joint"),
            *bounds(_TARGET, _HNET | _SIZES[tasks], CL1),
        ),
        profiles={
            "smoke": Profile(mnist | {"image_set": "digits", "tasks": smoke}, (0, 1), {"iterations": 20, "batch": 32}),
            "lite": Profile(mnist, (0, 1, 2), {"iterations": 1000}),
            "paper": Profile(mnist, tuple(range(5))),
        },
        minutes=minutes,
    )


small_networks = _experiment("hnet/small-networks", 10, 5, {"hnet": 5, "unprotected": 3, "hnet-joint": 11, "*": 2})
small_networks_50 = _experiment("hnet/small-networks-50", 50, 8, {"hnet": 60, "unprotected": 27, "hnet-joint": 440, "*": 10})

# --- Table 6: networks of other sizes, trained for 50 epochs of 60,000 images in batches of 64 ---------------------------

# The paper names no hypernetwork for 500 and 2,000 units: that of 1,000 units, its chunks sized for the same ratio.
_WIDTHS = {
    100: _HNET | _SIZES[10],
    500: permuted.HNET | {"hidden": (500, 500), "chunk_size": 30_000},
    2000: permuted.HNET | {"hidden": (2000, 2000), "chunk_size": 240_000},
}

network_sizes = Experiment(
    id="hnet/network-sizes",
    page="hnet/small-networks",
    title="Networks of three sizes on ten permutations, 50 epochs",
    regenerates="Table 6, column HNET on ten permutations",
    runs=tuple(
        Run(f"hnet-{width}", "hnet", "CL1", ("CL1",), options | {"iterations": 46_900, "batch": 64}, title=f"HNET, {width:,} units")
        for width, options in _WIDTHS.items()
    ),
    profiles={
        "smoke": Profile(permuted.SMOKE.stream, (0, 1), {"iterations": 5, "batch": 32}),
        "lite": Profile(permuted.MNIST, (0, 1, 2), {"iterations": 1000}),
        "paper": Profile(permuted.MNIST, tuple(range(5))),
    },
    minutes={"hnet-100": 50, "hnet-500": 165, "hnet-2000": 1300},
)

EXPERIMENTS = (small_networks, small_networks_50, network_sizes)

COLUMNS = {"HNET": "hnet", "fine-tuning": "finetune", "joint": "joint"} | BOUNDS
"""What stands in the columns of both small networks, and the runs."""

CELLS = (
    *(
        Cell("hnet", "text-small-net", f"P{tasks}-100,100", column, f"{id}/{run}", "CL1")
        for tasks, id in ((10, "small-networks"), (50, "small-networks-50"))
        for column, run in COLUMNS.items()
    ),
    Cell("hnet", "text-small-net", "P10-100,100", "HNET soft targets", "small-networks/hnet-soft", "CL1"),
    *(
        Cell("hnet", "text-parameters", "P10 small net", column, "small-networks/hnet", "CL1", f"count {name}")
        for column, name in (("total", "trained"), ("task embeddings", "task embeddings"), ("target", "target"))
    ),
    *(Cell("hnet", "table-6", f"P10-{width},{width}", "HNET", f"network-sizes/hnet-{width}", "CL1") for width in _WIDTHS),
    Cell("hnet", "text-parameters", "P50 small net", "ratio", "small-networks-50/hnet", "CL1", "ratio"),
)
