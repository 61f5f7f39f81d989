"""Images that a protected replay model draws (von Oswald et al. 2020, Fig. A8), and whether they are what they should be.

For learners that hold a `ReplayModel` as `replay`.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods.base import Learner

PER_TASK = 100
"""Images of each task that are judged."""


@torch.no_grad()
def samples(learner: Learner, stream: Stream) -> Int[Tensor, "S T 2 n pixels"]:
    """Grey values 0 ... 255 of images drawn right after a task was learned and, of the same codes, now.

    Needs the learner's option `vae_show`, which says how many.
    """
    now = torch.stack([learner.replay.show(task) for task in range(learner.replay.tasks)], 1)
    return (255 * torch.stack((learner.state["vae.shown"], now), 2)).round().long()


@torch.no_grad()
def recognition(learner: Learner, stream: Stream) -> Float[Tensor, "S 2 T"]:
    """Shares of drawn images, and of real test images, whose nearest training image is of their task.

    Every task has `PER_TASK` drawn images per replica; the real ones, at most as many, tell what the judge is worth. It is
    the nearest neighbour among all training images: it knows real images only, is the same for all replicas and learners,
    and needs no training, which would be a loop of its own.
    """
    drawn = learner.replay.sample("recognition", 0, range(learner.replay.tasks), PER_TASK)
    real = [test.take(torch.arange(min(PER_TASK, len(test)), device=drawn.device)[None]).x for test in stream.tests]
    found = _nearest_task(drawn.flatten(0, 2), stream).view(drawn.shape[:3])
    right = (found == torch.arange(learner.replay.tasks, device=drawn.device)[:, None]).double().mean(-1)
    of_real = [(_nearest_task(x[0].flatten(1), stream) == t).double().mean() for t, x in enumerate(real)]
    return torch.stack((right, torch.stack(of_real[: right.shape[1]]).expand(len(right), -1)), 1)


def _nearest_task(images: Float[Tensor, "n pixels"], stream: Stream) -> Int[Tensor, "n"]:
    """The task whose training images hold the one nearest to each image."""
    distances = []
    for stage in stream.stages:
        nearest = torch.full((len(images),), torch.inf, device=images.device)
        for batch in stage.train.chunks():
            x = batch.x[0].flatten(1)
            # ‖x − image‖² less ‖image‖², which is the same for all.
            nearest = torch.minimum(nearest, (x.square().sum(1) - 2 * images @ x.T).amin(1))
        distances.append(nearest)
    return torch.stack(distances).argmin(0)
