"""Learning without forgetting (Li & Hoiem 2017), as van de Ven & Tolias (2019) compare it.

Nothing is stored of old tasks but the network as it stood before the present one. Its answers to the present task's
images are to stay: loss at the t-th task = 1/t · cross-entropy + (1 − 1/t) · distillation on the same images, at
temperature 2. In CL1 every old head answers and their losses are averaged.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from unforget.data.streams import Batch, Stream
from unforget.methods import distill, finetune
from unforget.methods.base import Replicas


@dataclass(frozen=True)
class Options(finetune.Options):
    """`unseen`: what the old network says about new classes in CL3; `over_classes`: sum or mean of the distillation."""

    temperature: float = 2.0
    unseen: distill.Unseen = "zero probability"
    over_classes: distill.OverClasses = "sum"


class LwF(finetune.Finetune):
    """Fine-tuning that keeps the answers of the previous network on today's images."""

    Options = Options

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        distill.check(scenario, options.temperature)
        super().__init__(stream, scenario, options, replicas)
        self.state["teacher"] = self.state["theta"].clone()

    def step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """One Adam step on task loss plus distillation."""
        o, tasks = self.options, self.stream.stages[stage].tasks
        theta = self.state["theta"].detach().requires_grad_()
        logits = self.net.apply(theta, batch.x)
        losses = self.head.sample_losses(logits, batch.y, tasks)
        loss = losses.mean(1)
        if stage > 0:
            now, answers = max(tasks), self.net.apply(self.state["teacher"], batch.x)
            targets = distill.soft_targets(self.head, answers, None, now, o.temperature, o.unseen)
            kept = distill.soft_losses(self.head, logits, targets, None, now, o.temperature, o.over_classes)
            loss = distill.balanced(losses, kept, stage + 1)
        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        self.update(stage, gradient)

    def end_stage(self, stage: int) -> None:
        self.state["teacher"].copy_(self.state["theta"])
