"""Images that a protected replay model draws (von Oswald et al. 2020, Fig. A8), and whether they are what they should be.

For learners that hold a `ReplayModel` as `replay`.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from unforget.data.streams import Stream
from unforget.loop import Loop
from unforget.methods.base import Learner, Replicas
from unforget.methods.finetune import Finetune, Options

PER_TASK = 100
"""Drawn images of each task that are judged."""


@torch.no_grad()
def samples(learner: Learner, stream: Stream) -> Int[Tensor, "S T 2 n pixels"]:
    """Grey values 0 ... 255 of images drawn right after a task was learned and, of the same codes, now.

    Needs the learner's option `vae_show`, which says how many.
    """
    now = torch.stack([learner.replay.show(task) for task in range(learner.replay.tasks)], 1)
    return (255 * torch.stack((learner.state["vae.shown"], now), 2)).round().long()


def recognition(learner: Learner, stream: Stream) -> Float[Tensor, "S 2 T"]:
    """Shares of drawn images, `PER_TASK` of each task, and of real test images that a judge finds to be of their task.

    The judge is an ordinary classifier that learns all real training images at once, as many steps as the learner makes
    per task; the real ones tell what it is worth. The one training loop trains it, here at the end of a run, since it is
    no part of what is measured: one seed for all replicas.
    """
    everything = stream.merged()
    o, here = learner.options, Replicas((0,), device=learner.replay.seeds.device)
    judge = Finetune(everything, "CL3", Options(iterations=o.iterations, batch=o.batch), here)
    Loop(judge, everything, views=()).run()

    def right(images: Float[Tensor, "1 n ..."], task: int) -> Bool[Tensor, "n"]:
        return judge.predict(images, None, stream.tasks)[0].argmax(-1) // stream.classes == task

    rates = []
    for task in range(learner.replay.tasks):
        drawn = learner.replay.sample(f"recognition/{task}", 0, range(task, task + 1), PER_TASK)
        found = right(drawn.flatten(0, 2)[None], task).view(len(drawn), PER_TASK).double().mean(1)
        real = torch.cat([right(batch.x, task) for batch in stream.tests[task].chunks()]).double().mean()
        rates.append(torch.stack((found, real.expand_as(found)), 1))
    return torch.stack(rates, 2)
