"""Figure 4: split MNIST with task embeddings of two numbers, and what lies around them."""

from unforget.experiments.spec import Cell, Experiment, Profile, Run

_MNIST = {"kind": "split", "image_set": "mnist", "classes": 2, "tasks": 5}

split_embedding_2d = Experiment(
    id="hnet/split-embedding-2d",
    title="Two-dimensional task embeddings",
    regenerates="Figure 4",
    runs=(
        Run("hnet", "hnet", "CL1", ("CL1",), {"task_embedding": 2}, title="HNET, two-dimensional embeddings",
            probes=("embeddings", "embedding exchange", "embedding plane")),
    ),
    # A small target network at smoke: each of the plane's points is a network of its own.
    profiles={
        "smoke": Profile(_MNIST | {"image_set": "digits"}, (0, 1), {"iterations": 60, "batch": 32, "hidden": (100, 100)}),
        "lite": Profile(_MNIST, (0, 1, 2)),
        "paper": Profile(_MNIST, tuple(range(5))),
    },
    minutes={"*": 3.5},
)  # fmt: skip

EXPERIMENTS = (split_embedding_2d,)

_RUN, _TASKS = "split-embedding-2d/hnet", range(1, 6)

CELLS = (
    *(Cell("hnet", "figure-4", f"task {t}", "own embedding", _RUN, "CL1", f"task {t}") for t in _TASKS),
    *(
        Cell("hnet", "figure-4", f"task {t}", f"embedding {k}", _RUN, "CL1", f"embedding: task {t} at {k}")
        for t in (1, 5)
        for k in _TASKS
        if k != t
    ),
    *(Cell("hnet", "figure-4", f"task {t}", "plane solved", _RUN, "CL1", f"embedding: plane {t}") for t in (1, 5)),
)
