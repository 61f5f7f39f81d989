"""How certain the network of each task is of images of each task: what task inference by entropy goes by."""

import torch
from jaxtyping import Float
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods.base import Learner


@torch.no_grad()
def certainty(learner: Learner, stream: Stream) -> Float[Tensor, "S T 2 T"]:
    """Means over the test images of each true task: predictive entropy in nats, and range of the logits (largest minus
    smallest), of every task's network; learners with `candidates` only."""
    rows = []
    for test in stream.tests:
        total = 0.0
        for batch in test.chunks():
            logits = learner.candidates(batch.x, stream.tasks).double()
            log_p = logits.log_softmax(-1)
            entropy, span = -(log_p.exp() * log_p).sum(-1), logits.amax(-1) - logits.amin(-1)
            total = total + torch.stack((entropy, span), 1).sum(-1)
        rows.append(total / len(test))
    return torch.stack(rows, 1)
