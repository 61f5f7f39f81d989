"""EWC with one encoder and one classifier for all tasks: what Berjaoui's (2020) printed numbers may come from.

Penalty λ Σ_i F_i (θ_i − θ*_i)² on encoder and classifier, without the usual ½. F is the mean over images of the squared
gradient of log p(ŷ | x), ŷ the label that the classifier finds most likely, the network in evaluation. Before each task F is
computed anew at the present weights, from `images` of every earlier task drawn with replacement (old data are read again),
and the present weights become θ*; no older F or θ* is kept. Nothing is pulled at the running statistics of batch
normalisation, which the classifier's layers share among tasks like its weights. The label space is that of the data, so that
tasks which use the same labels (Fashion-MNIST and MNIST) train the same outputs.

What is settled, and by what:

- Networks, λ, `images`, batch and epochs: ICLR Tables 3, 7 and 11. They print Adam with learning rate 0.001.
- Plain gradient descent, one classifier, a penalty on it too: an older script in the history of the published code.
- F, θ* and the sampling of old images, without ½: the last version of the published code, there for the encoder alone.
- Our reading: that F goes through the classifier (the known form of EWC, after which that code is modelled); the learning
  rate 0.001 for gradient descent, which is printed for Adam only; with Adam, fresh moments for every task, as in `vc`.

The view "own classifier" scores the one classifier over all labels; the task given is not used. That is stricter than for
methods whose classifiers saw the labels of one task each. With `task_labels` only the labels of the given task compete, which
no source says; training is the same.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from unforget import random
from unforget.data.streams import Stream
from unforget.methods import vc
from unforget.methods.base import Replicas

COPIES = 2**24
"""Weights of a replica that are copied at once for F, where every image has its own."""


@dataclass(frozen=True)
class Options(vc.Options):
    """`strength` is λ, `images` the number for F per earlier task; `task_labels` tells prediction the task's labels."""

    strength: float = 1024.0
    images: int = 200
    optimiser: Literal["sgd", "adam"] = "sgd"
    task_labels: bool = False


class EWCShared(vc.VC):
    """A quadratic penalty on everything that is trained."""

    Options = Options
    scannable = ("lr", "strength")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        super().__init__(stream, scenario, options, replicas)
        for name in [name for name in self.state if name.startswith("heads")]:
            del self.state[name]  # no classifier is put aside
        self.strength = replicas.value("strength", options.strength)[:, None]
        self.lr = replicas.value("lr", options.lr)[:, None]
        for name in ("theta", "head"):
            self.state[f"F_{name}"] = torch.zeros_like(self.state[name])
            self.state[f"{name}_star"] = torch.zeros_like(self.state[name])

    def begin(self, stage: int) -> None:
        """The classifier, for the first task; fresh Adam."""
        if stage == 0:
            super().begin(stage)
        else:
            self.adam.reset(self.state["theta"])
            self.adam_head.reset(self.state["head"])

    def update(self, stage: int, g_theta: Tensor, g_head: Tensor) -> None:
        for name, gradient, adam in (("theta", g_theta, self.adam), ("head", g_head, self.adam_head)):
            weights = self.state[name]
            if stage > 0:
                pull = (weights - self.state[f"{name}_star"]).mul_(self.state[f"F_{name}"])
                gradient = gradient.addcmul(pull, 2 * self.strength)
            if self.options.optimiser == "adam":
                adam.step(weights, gradient)
            else:
                weights.addcmul_(gradient, self.lr, value=-1)

    def end_stage(self, stage: int) -> None:
        """F and θ* for the next task."""
        if stage + 1 == len(self.stream.stages):
            return
        sums = zip(*(self.squares(stage, t) for t in range(stage + 1)), strict=True)
        for name, parts in zip(("theta", "head"), sums, strict=True):
            self.state[f"F_{name}"].copy_(sum(parts) / ((stage + 1) * self.options.images))
            self.state[f"{name}_star"].copy_(self.state[name])

    def squares(self, stage: int, earlier: int) -> tuple[Tensor, Tensor]:
        """Sums of squared gradients over images of an earlier stage: encoder [S, n], classifier [S, m]."""
        train = self.stream.stages[earlier].train
        drawn = random.integers(self.seeds, f"fisher/{stage}", earlier, (self.options.images,), len(train))
        totals = torch.zeros_like(self.state["theta"]), torch.zeros_like(self.state["head"])
        at_once = max(1, COPIES // (self.encoder.layout.size + self.head.layout.size))
        for index in drawn.split(at_once, 1):
            for total, new in zip(totals, self.squared_gradients(train.take(index).x), strict=True):
                total += new
        return totals

    def squared_gradients(self, x: Float[Tensor, "S B ..."]) -> list[Tensor]:
        """Sums over a batch: encoder [S, n], classifier [S, m]. Every image is made a replica of its own, so that one
        backward pass gives the gradient of each."""
        S, B = x.shape[:2]

        def each(tensor: Tensor) -> Tensor:
            return tensor.detach().repeat_interleave(B, 0)

        def statistics(of: str) -> dict[str, Tensor]:
            return {name: each(value) for name, value in self.statistics(of).items()}

        with torch.enable_grad():
            theta, head = (each(self.state[name]).requires_grad_() for name in ("theta", "head"))
            features = self.encoder.apply(theta, x.flatten(0, 1).unsqueeze(1), statistics("encoder"))
            logits = self.head.apply(head, features, statistics("head"))
            surprise = -logits.log_softmax(-1).amax(-1)
            gradients = torch.autograd.grad(surprise.sum(), (theta, head))
        return [gradient.square().unflatten(0, (S, B)).sum(1) for gradient in gradients]

    @torch.no_grad()
    def predict(self, x: Float[Tensor, "S B ..."], task: int | None, tasks_seen: int) -> Tensor:
        """Logits of the one classifier [S, B, outputs]; with `task_labels`, -inf for the labels of other tasks."""
        features = self.encoder.apply(self.state["theta"], x, self.statistics("encoder"))
        logits = self.head.apply(self.state["head"], features, self.statistics("head"))
        if task is None or not self.options.task_labels:
            return logits
        others = torch.ones(logits.shape[-1], dtype=torch.bool, device=logits.device)
        others[self.stream.stages[task].train.y.unique()] = False
        return logits.masked_fill(others, -torch.inf)

    def counts(self) -> dict[str, int]:
        encoder, head = self.encoder.layout.size, self.head.layout.size
        return {"encoder": encoder, "head": head, "trained": encoder + head}
