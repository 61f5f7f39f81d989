"""A training step captured as a CUDA graph, or compiled by torch, against the same step made eagerly.

Drawing the batch is part of all. `static batch` is what capturing needs, alone: batch and number of the step are copied to
where the step finds them every time. `equal` says whether the learner's state after some steps is that of eager ones to
rounding. A graph and `torch.compile` need CUDA; elsewhere their rows say so.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from benchmarks import sizes
from benchmarks.timing import Setup, paired
from unforget.methods.base import Learner, Phase

# Size, method, phase (where there are several), task (counted from 1), seeds together.
CASES = (
    ("S", "hnet", None, 5, 1), ("S", "hnet", None, 5, 20), ("P10", "hnet", None, 10, 1), ("P10", "hnet", None, 10, 5),
)  # fmt: skip
TOY_CASES = (("toy", "hnet", None, 4, 2),)
WARM_UP, STEPS = 3, 10
"""Eager steps before capturing, in which the step derives what it keeps; steps after which states are compared."""


class Static:
    """A phase's next step, always made on the same tensors: `batch`, and the number of the step as `number`."""

    def __init__(self, phase: Phase, device: torch.device):
        self.phase, self.made = phase, 0
        self.batch = tree_map(lambda x: x.clone() if isinstance(x, Tensor) else x, phase.batches(0))
        self.number = torch.zeros((), dtype=torch.int64, device=device)
        self.run: Callable[[], object] = self.step

    def step(self) -> None:
        """The step on what `batch` and `number` hold; this is what is captured."""
        self.phase.step(self.batch, self.number)

    def __call__(self) -> None:
        drawn = self.phase.batches(self.made)
        tree_map(lambda x, new: x.copy_(new) if isinstance(x, Tensor) else x, self.batch, drawn)
        self.number.fill_(self.made)
        self.run()
        self.made += 1


def capture(static: Static) -> None:
    """Let `static` replay a CUDA graph of its step; makes `WARM_UP` steps first, on a stream of their own."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            static()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):  # records the step without making it
        static.step()
    static.run = graph.replay


def compiled(static: Static) -> None:
    """Let `static` make its step as torch compiles it, which it does at the first one."""
    static.run = torch.compile(static.step)
    static()


FORMS = {"static batch": lambda static: None, "CUDA graph": capture, "torch.compile": compiled}


def measure(setup: Setup) -> list[dict]:
    rows = []
    for case in setup.chosen(TOY_CASES if setup.toy else CASES):
        size, method, phase, task, seeds = case
        for form, prepare in FORMS.items():
            row = dict.fromkeys(("eager ms", "ms", "eager / this", "equal", "note"))
            if form == "static batch" or setup.device.type == "cuda":
                row |= _compared(case, prepare, setup)
            else:
                row["note"] = "needs CUDA"
            rows.append({
                "size": size, "method": method, "phase": phase or "", "task": task, "seeds together": seeds, "form": form,
            } | row)  # fmt: skip
    return rows


def _compared(case: tuple, prepare: Callable[[Static], None], setup: Setup) -> dict:
    size, method, phase, task, seeds = case
    ours, other = (sizes.learner(size, method, seeds, setup.device) for _ in range(2))
    eager, to_be_captured = sizes.stepper(ours, task - 1, phase), sizes.phase_of(other, task - 1, phase)
    to_be_captured.begin()
    static = Static(to_be_captured, setup.device)
    try:
        prepare(static)
    except Exception as error:  # what a compiler or a driver lacks is an answer, too
        return {"note": f"failed: {type(error).__name__}: {error}".splitlines()[0]}
    while static.made < STEPS:
        static()
    for _ in range(STEPS):
        eager()
    equal = same(ours, other)
    took = paired({"eager": eager, "static": static}, setup)
    return {
        "eager ms": took["eager"], "ms": took["static"], "eager / this": took["eager"] / took["static"],
        "equal": "yes" if equal else "NO", "note": "",
    }  # fmt: skip


def same(one: Learner, other: Learner) -> bool:
    """Whether two learners' states are equal to rounding."""
    return one.state.keys() == other.state.keys() and all(
        torch.allclose(value, other.state[name], rtol=1e-3, atol=1e-4) for name, value in one.state.items()
    )
