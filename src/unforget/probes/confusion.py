"""Where task inference goes wrong."""

import torch
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods.base import Learner


def task_confusion(learner: Learner, stream: Stream) -> Tensor:
    """Counts [S, true task, inferred task] over all test samples; learners with `infer_task` only."""
    rows = []
    for test in stream.tests:
        inferred = torch.cat([learner.infer_task(batch.x, stream.tasks) for batch in test.chunks()], 1)
        rows.append(torch.stack([(inferred == t).sum(1) for t in range(stream.tasks)], 1))
    return torch.stack(rows, 1)
