"""Figure A7: hypernetworks of random architecture, on split and on permuted MNIST.

The paper draws from a stated grid and shows, per bin of the compression ratio, mean and standard deviation over 500
architectures. Here a few per bin are drawn from the same grid, the same ones for everybody. Architectures that would do
most of their work in very many tiny chunks are left out: they would take a CPU days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from typing import Any

import numpy as np

from unforget.experiments.hnet import permuted
from unforget.experiments.spec import Cell, Experiment, Profile, Run
from unforget.hyper.chunked import ChunkedHypernet
from unforget.nets.layout import Layout
from unforget.nets.mlp import MLP

LAYERS = (5, *range(10, 101, 10))
CHUNK_EMBEDDINGS = (8, 12, 24, 56, 96)
CHUNK_SIZES = (10, 50, 100, 200, 300, 400, 500, 750, *range(1000, 10_001, 1000), 20_000, 30_000, 40_000)

BINS = (0.01, 0.03, 0.1, 0.3, 1.0, 2.0)
"""Edges of the bins of the compression ratio: the paper's range, cut at about equal factors."""
MOST_WORK = 20_000_000
"""Multiplications before the output layer to write one network. Permuted MNIST's own hypernetwork needs 40,000."""


@dataclass(frozen=True)
class Benchmark:
    """What is the same for all architectures. The size of the task embedding is not stated: that of Table 1 is kept."""

    target: tuple[int, ...]
    tasks: int
    task_embedding: int
    per_bin: int
    seed: int = 0

    @cached_property
    def layout(self) -> Layout:
        """The tensors that are written."""
        return MLP(self.target).layout


SPLIT = Benchmark((784, 400, 400, 10), tasks=5, task_embedding=96, per_bin=4)
PERMUTED = Benchmark((1024, 1000, 1000, 100), tasks=10, task_embedding=24, per_bin=3)


@dataclass(frozen=True)
class Architecture:
    """Hidden layers, size of a chunk embedding, weights per chunk."""

    hidden: tuple[int, ...]
    chunk_embedding: int
    chunk_size: int

    @property
    def name(self) -> str:
        return f"h{'-'.join(map(str, self.hidden))}-c{self.chunk_embedding}-k{self.chunk_size}"

    @property
    def title(self) -> str:
        layers = " and ".join(map(str, self.hidden))
        return f"hidden {layers}, chunk embedding {self.chunk_embedding}, {self.chunk_size:,} weights per chunk"

    @property
    def options(self) -> dict[str, Any]:
        return {"hyper_hidden": self.hidden, "chunk_embedding": self.chunk_embedding, "chunk_size": self.chunk_size}

    def hypernet(self, benchmark: Benchmark) -> ChunkedHypernet:
        return ChunkedHypernet(
            benchmark.layout, self.hidden, benchmark.task_embedding, self.chunk_embedding, self.chunk_size
        )

    def ratio(self, benchmark: Benchmark) -> float:
        """Trained weights, task embeddings included, over generated ones."""
        net = self.hypernet(benchmark)
        return (net.layout.size + benchmark.tasks * benchmark.task_embedding) / net.target.size

    def work(self, benchmark: Benchmark) -> int:
        """Multiplications before the output layer to write one network."""
        sizes = (benchmark.task_embedding + self.chunk_embedding, *self.hidden)
        return self.hypernet(benchmark).chunks * sum(a * b for a, b in pairwise(sizes))


def grid() -> tuple[Architecture, ...]:
    """Every architecture of the paper's grid."""
    hidden = (*product(LAYERS), *product(LAYERS, LAYERS))
    return tuple(Architecture(*one) for one in product(hidden, CHUNK_EMBEDDINGS, CHUNK_SIZES))


def draw(benchmark: Benchmark) -> tuple[Architecture, ...]:
    """`per_bin` different architectures in each of `BINS`, drawn uniformly from the grid, in order of their ratio."""
    rng = np.random.RandomState(benchmark.seed)
    bins: list[list[Architecture]] = [[] for _ in BINS[1:]]
    while any(len(found) < benchmark.per_bin for found in bins):
        hidden = tuple(LAYERS[rng.randint(len(LAYERS))] for _ in range(rng.randint(1, 3)))
        one = Architecture(
            hidden, CHUNK_EMBEDDINGS[rng.randint(len(CHUNK_EMBEDDINGS))], CHUNK_SIZES[rng.randint(len(CHUNK_SIZES))]
        )
        ratio = one.ratio(benchmark)
        if BINS[0] <= ratio < BINS[-1] and one.work(benchmark) <= MOST_WORK:
            found = bins[bin_of(ratio)]
            if len(found) < benchmark.per_bin and one not in found:
                found.append(one)
    return tuple(sorted((one for found in bins for one in found), key=lambda one: one.ratio(benchmark)))


def bin_of(ratio: float) -> int:
    """Which of `BINS` a ratio lies in, from 0."""
    return int(np.searchsorted(BINS, ratio, side="right")) - 1


def _runs(architectures: tuple[Architecture, ...], common: Mapping[str, Any]) -> tuple[Run, ...]:
    return tuple(
        Run(one.name, "hnet", "CL1", ("CL1",), {**common, **one.options}, title=one.title) for one in architectures
    )


SPLIT_NETS, PERMUTED_NETS = draw(SPLIT), draw(PERMUTED)

_SPLIT_MNIST = {"kind": "split", "image_set": "mnist", "classes": 2, "tasks": SPLIT.tasks}
_PERMUTED_MNIST = {"kind": "permuted", "image_set": "mnist", "tasks": PERMUTED.tasks}

chunking = Experiment(
    id="hnet/chunking",
    title="Random hypernetworks on Split MNIST",
    regenerates="Figure A7a",
    runs=_runs(SPLIT_NETS, {}),
    profiles={
        "smoke": Profile(_SPLIT_MNIST | {"image_set": "digits"}, (0, 1), {"iterations": 3, "batch": 32}),
        "lite": Profile(_SPLIT_MNIST, (0,), {"iterations": 500}),
        "paper": Profile(_SPLIT_MNIST, (0, 1, 2)),
    },
    minutes={"*": 2.2},
)

chunking_permuted = Experiment(
    id="hnet/chunking-permuted",
    page="hnet/chunking",
    title="Random hypernetworks on Permuted MNIST",
    regenerates="Figure A7b",
    runs=_runs(PERMUTED_NETS, permuted.HNET),
    profiles={
        "smoke": Profile(_PERMUTED_MNIST | {"image_set": "digits", "tasks": 2}, (0, 1), {"iterations": 2, "batch": 32}),
        "lite": Profile(_PERMUTED_MNIST, (0,), {"iterations": 500}),
        "paper": Profile(_PERMUTED_MNIST, (0, 1, 2)),
    },
    minutes={"*": 45},
)

EXPERIMENTS = (chunking, chunking_permuted)

FIGURE_A7 = {"figure-a7a": (chunking, SPLIT, SPLIT_NETS), "figure-a7b": (chunking_permuted, PERMUTED, PERMUTED_NETS)}
"""What each half of the figure is made of."""

CELLS = tuple(
    Cell("hnet", artifact, one.title, "final", f"{experiment.id.removeprefix('hnet/')}/{one.name}", "CL1")
    for artifact, (experiment, _, nets) in FIGURE_A7.items()
    for one in nets
)
