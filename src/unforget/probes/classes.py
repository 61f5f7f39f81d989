"""Which class is taken for which, where the task is not given."""

import torch
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods.base import Learner


@torch.no_grad()
def class_confusion(learner: Learner, stream: Stream) -> Tensor:
    """Counts [S, true class, predicted class] over all test samples, after the last task; learners that answer with one output
    per class of all tasks."""
    classes, rows = stream.classes * stream.tasks, []
    for test in stream.tests:
        for batch in test.chunks():
            predicted = learner.predict(batch.x, None, stream.tasks).argmax(-1)
            rows.append(batch.y.expand_as(predicted) * classes + predicted)
    cells = torch.cat(rows, 1)
    counts = torch.zeros(len(cells), classes**2, dtype=torch.int64, device=cells.device)
    return counts.scatter_add_(1, cells, torch.ones_like(cells)).unflatten(1, (classes, classes))
