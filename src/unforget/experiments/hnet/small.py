"""A target network with two hidden layers of only 100 units, on ten and on fifty permutations (appendix D)."""

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
    mnist = {"kind": "permuted", "image_set": "mnist", "tasks": tasks}
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
        ),
        profiles={
            "smoke": Profile(mnist | {"image_set": "digits", "tasks": smoke}, (0, 1), {"iterations": 20, "batch": 32}),
            "lite": Profile(mnist, (0, 1, 2), {"iterations": 1000}),
            "paper": Profile(mnist, tuple(range(5))),
        },
        minutes=minutes,
    )


small_networks = _experiment("hnet/small-networks", 10, 5, {"hnet": 5, "hnet-soft": 5, "*": 2})
small_networks_50 = _experiment("hnet/small-networks-50", 50, 12, {"hnet": 60, "*": 10})

EXPERIMENTS = (small_networks, small_networks_50)

CELLS = (
    *(
        Cell("hnet", "text-small-net", f"P{tasks}-100,100", column, f"{id}/{run}", "CL1")
        for tasks, id in ((10, "small-networks"), (50, "small-networks-50"))
        for column, run in (("HNET", "hnet"), ("fine-tuning", "finetune"), ("joint", "joint"))
    ),
    Cell("hnet", "text-small-net", "P10-100,100", "HNET soft targets", "small-networks/hnet-soft", "CL1"),
    *(
        Cell("hnet", "text-parameters", "P10 small net", column, "small-networks/hnet", "CL1", f"count {name}")
        for column, name in (("total", "trained"), ("task embeddings", "task embeddings"), ("target", "target"))
    ),
    Cell("hnet", "text-parameters", "P50 small net", "ratio", "small-networks-50/hnet", "CL1", "ratio"),
)
