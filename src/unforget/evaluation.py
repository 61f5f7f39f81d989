"""What is measured of a learner after each stage: accuracy (or squared error) per task under a view."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods.base import Learner


class View(NamedTuple):
    """Whether the task is given at test time, and whether labels are counted within the task."""

    task_given: bool
    own_labels: bool


VIEWS = {
    "CL1": View(True, True),
    "CL2": View(False, True),
    "CL3": View(False, False),
    "own classifier": View(True, False),  # one classifier per task over all labels (hash-routed networks)
    "regression": View(True, True),
}
"""Views by name. One training may be scored under several (HNET: CL1 and CL3)."""


def score(learner: Learner, stream: Stream, view: str, task: int, tasks_seen: int) -> Float[Tensor, "S"]:
    """Accuracy on a task's test set as a fraction, or the mean squared error of a regression, in float64.

    Outputs that are not numbers count as wrong.
    """
    test, (given, own), total = stream.tests[task], VIEWS[view], 0
    for batch in test.chunks():
        outputs = learner.predict(batch.x, task if given else None, tasks_seen)
        if view == "regression":
            total = total + (outputs - batch.y).square().double().mean(-1).sum(-1)
        else:
            label = batch.y % stream.classes if own else batch.y
            right = (outputs.argmax(-1) == label) & ~outputs.isnan().any(-1)
            total = total + right.double().sum(-1)
    return total / len(test)


def finite(learner: Learner) -> Bool[Tensor, "S"]:
    """Which replicas still consist of numbers."""
    flags = [value.reshape(len(value), -1).isfinite().all(1) for value in learner.state.values() if _counts(value)]
    return torch.stack(flags).all(0)


def _counts(value: Tensor) -> bool:
    return value.is_floating_point() and value.ndim > 0
