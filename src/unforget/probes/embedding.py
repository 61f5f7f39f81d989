"""What other task embeddings than the learned ones would do (von Oswald et al. 2020, Fig. 4); for hypernetworks with a state "e".

Counts of rightly classified test images, like `unforget.probes.confusion`. Every network is judged with the head of
the task that it is tested on.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unforget.data.streams import Stream
from unforget.errors import UnforgetError
from unforget.methods.base import Learner

SIDE, REACH = 41, 5.0
"""Points along an axis of the plane, and where it ends: e in [-5, 5]²."""
NETWORKS = 16
"""How many networks are written and tested at once, over all replicas: a few tens of MiB each with Split MNIST's."""


def embeddings(learner: Learner, stream: Stream) -> Float[Tensor, "S T emb"]:
    """The embeddings as they stand after the last task."""
    return learner.state["e"].clone()


def exchange(learner: Learner, stream: Stream) -> Int[Tensor, "S task embedding"]:
    """Right test images of every task with the network of every task's embedding."""
    return right(learner, stream, learner.state["e"], range(stream.tasks))


def plane(learner: Learner, stream: Stream) -> Int[Tensor, "S 2 SIDE SIDE"]:
    """Right test images of the first and the last task for each e = (axis[i], axis[j]), axis = linspace(-5, 5, 41).

    Raises `UnforgetError` where embeddings have another dimension than two.
    """
    e = learner.state["e"]
    if e.shape[-1] != 2:
        raise UnforgetError(f"the plane of embeddings needs task_embedding=2, not {e.shape[-1]}")
    axis = torch.linspace(-REACH, REACH, SIDE, device=e.device)
    points = torch.cartesian_prod(axis, axis).expand(len(e), -1, -1)
    return right(learner, stream, points, (0, stream.tasks - 1)).unflatten(2, (SIDE, SIDE))


@torch.no_grad()
def right(learner: Learner, stream: Stream, e: Float[Tensor, "S G emb"], tasks) -> Int[Tensor, "S tasks G"]:
    """Right test images of each of `tasks` with the networks that G embeddings give."""
    found = []
    for part in e.split(max(1, NETWORKS // len(e)), 1):
        weights = learner.hyper.generate(learner.state["theta"], part).flatten(0, 1)
        counts = [sum(_right(learner, stream, weights, batch, task) for batch in stream.tests[task].chunks()) for task in tasks]
        found.append(torch.stack(counts).unflatten(1, part.shape[:2]))
    return torch.cat(found, 2).transpose(0, 1)


def _right(learner: Learner, stream: Stream, weights: Tensor, batch, task: int) -> Tensor:
    outputs = learner.head.offered(learner.net.apply(weights, batch.x), task, stream.tasks)
    return ((outputs.argmax(-1) == batch.y % stream.classes) & ~outputs.isnan().any(-1)).sum(-1)
