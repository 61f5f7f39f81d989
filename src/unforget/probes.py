"""What a figure needs beyond scores: measured once at the end of a run and kept in its record under the probe's name."""

from collections.abc import Callable
from importlib import import_module

import torch
from torch import Tensor

from unforget.data.streams import Stream
from unforget.errors import choose
from unforget.methods.base import Learner

PROBES = {
    "task confusion": "unforget.probes:task_confusion",
    "curves": "unforget.probes:curves",
    "embeddings": "unforget.probes_embedding:embeddings",
    "embedding exchange": "unforget.probes_embedding:exchange",
    "embedding plane": "unforget.probes_embedding:plane",
}


def find(name: str) -> Callable[[Learner, Stream], Tensor]:
    """The function of a probe: (learner, stream) to a tensor [S, ...]."""
    module, _, function = PROBES[choose("probe", name, PROBES)].partition(":")
    return getattr(import_module(module), function)


def task_confusion(learner: Learner, stream: Stream) -> Tensor:
    """Counts [S, true task, inferred task] over all test samples; learners with `infer_task` only."""
    rows = []
    for test in stream.tests:
        inferred = torch.cat([learner.infer_task(batch.x, stream.tasks) for batch in test.chunks()], 1)
        rows.append(torch.stack([(inferred == t).sum(1) for t in range(stream.tasks)], 1))
    return torch.stack(rows, 1)


def curves(learner: Learner, stream: Stream) -> Tensor:
    """Predictions on the test inputs of every regression task: [S, task, point]."""
    predicted = [
        torch.cat([learner.predict(batch.x, t, stream.tasks) for batch in test.chunks()], 1)
        for t, test in enumerate(stream.tests)
    ]
    return torch.stack(predicted, 1)[..., 0]
