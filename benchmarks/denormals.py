"""A training step with denormal numbers flushed to zero, as `runtime.settle` has it, against one that computes with them.

On the embedded digits, in the second task: pixels that are black in all its images, and units that it switches off, leave
moments of Adam behind that shrink with every step. `denormal` is the share of first moments that are denormal then.
"""

from collections.abc import Callable

import torch

from benchmarks import sizes
from benchmarks.timing import Setup, paired
from unforget import data
from unforget.methods.base import Learner

CASES = (("S", "finetune"), ("S", "hnet"))
TOY_CASES = (("toy", "finetune"),)
STEPS = (20, 900)
"""Steps of the first task and of the second; 0.9 to the power of 830 is denormal."""


def measure(setup: Setup) -> list[dict]:
    if setup.device.type != "cpu":
        return []
    rows = []
    for size, method in TOY_CASES if setup.toy else CASES:
        learners = {flush: _trained(size, method, flush) for flush in (True, False)}
        took = paired({flush: _stepper(one, flush) for flush, one in learners.items()}, setup)
        rows.append({
            "size": size, "method": method, "denormal": _share(learners[False]), "flushed ms": took[True],
            "kept ms": took[False], "kept / flushed": took[False] / took[True],
        })  # fmt: skip
    torch.set_flush_denormal(True)
    return rows


def _trained(size: str, method: str, flush: bool) -> Learner:
    torch.set_flush_denormal(flush)
    cpu = torch.device("cpu")
    digits = data.build(kind="split", image_set="digits", classes=2, tasks=5)
    one = sizes.learner(size, method, 1, cpu, None if size == "toy" else digits)
    for stage, steps in enumerate(STEPS):
        step = sizes.stepper(one, stage)
        for _ in range(steps):
            step()
    return one


def _stepper(one: Learner, flush: bool) -> Callable[[], None]:
    step = sizes.stepper(one, 1)

    def work() -> None:
        torch.set_flush_denormal(flush)
        step()

    return work


def _share(one: Learner) -> float:
    moments = torch.cat([value.flatten() for name, value in one.state.items() if name.endswith(".m")]).abs()
    return float(((moments > 0) & (moments < torch.finfo(torch.float32).tiny)).float().mean())
