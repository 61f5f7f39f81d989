"""What a regression has learned."""

import torch
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods.base import Learner


def curves(learner: Learner, stream: Stream) -> Tensor:
    """Predictions on the test inputs of every regression task: [S, task, point]."""
    predicted = [
        torch.cat([learner.predict(batch.x, t, stream.tasks) for batch in test.chunks()], 1)
        for t, test in enumerate(stream.tests)
    ]
    return torch.stack(predicted, 1)[..., 0]
