"""What is measured of a learner: accuracy (or squared error) per task under a view, and probes that a figure needs."""

import torch
from jaxtyping import Float
from torch import Tensor

from unforget.data.streams import Samples, Stream
from unforget.methods.base import Learner

VIEWS = {"CL1": True, "CL2": False, "CL3": False, "regression": True}
"""Views by name, and whether the task is given at test time. One training may serve several (HNET: CL1 and CL3)."""


def score(learner: Learner, stream: Stream, view: str, task: int, tasks_seen: int) -> Float[Tensor, "S"]:
    """Accuracy on a task's test set as a fraction, or the mean squared error of a regression, in float64."""
    test, given, total = stream.tests[task], VIEWS[view], 0
    for batch in test.chunks():
        outputs = learner.predict(batch.x, task if given else None, tasks_seen)
        if view == "regression":
            total = total + (outputs - batch.y).square().double().mean(-1).sum(-1)
        else:
            label = batch.y if view == "CL3" else batch.y % stream.classes
            total = total + (outputs.argmax(-1) == label).double().sum(-1)
    return total / len(test)


def finite(learner: Learner) -> Tensor:
    """Which replicas still consist of numbers: [S] bool."""
    flags = [value.reshape(len(value), -1).isfinite().all(1) for value in learner.state.values() if value.is_floating_point()]
    return torch.stack(flags).all(0)


def task_confusion(learner: Learner, stream: Stream) -> Tensor:
    """Counts [S, true task, inferred task] over all test samples; learners with `infer_task` only."""
    rows = []
    for test in stream.tests:
        inferred = torch.cat([learner.infer_task(batch.x, stream.tasks) for batch in test.chunks()], 1)
        rows.append(torch.stack([(inferred == t).sum(1) for t in range(stream.tasks)], 1))
    return torch.stack(rows, 1)


def curves(learner: Learner, stream: Stream) -> Tensor:
    """Predictions on the test inputs of every regression task: [S, task, point]."""
    return torch.stack([_outputs(learner, test, t, stream.tasks)[..., 0] for t, test in enumerate(stream.tests)], 1)


def _outputs(learner: Learner, test: Samples, task: int, seen: int) -> Tensor:
    return torch.cat([learner.predict(batch.x, task, seen) for batch in test.chunks()], 1)


PROBES = {"task confusion": task_confusion, "curves": curves}
"""Further measurements at the end of a run, by the name under which a record keeps them."""
