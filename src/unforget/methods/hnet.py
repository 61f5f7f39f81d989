"""Continual learning with hypernetworks (von Oswald, Henning, Grewe, Sacramento, ICLR 2020): HNET, with entropy inference.

The hypernetwork writes the weights of every task's classifier; `protected` holds what it wrote for old tasks (Eq. 2).

Without the task at test time (HNET+ENT, appendix B): run every task's network, softmax over its own outputs, and believe
the one with the lowest entropy.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from unforget.data.streams import Batch, Stream
from unforget.hyper.chunked import ChunkedHypernet
from unforget.methods import protected
from unforget.methods.base import Phase, Replicas
from unforget.methods.heads import Head
from unforget.nets.fisher import squared_gradients
from unforget.nets.mlp import MLP, Activation


@dataclass(frozen=True)
class Options(protected.Options):
    """Sizes and switches; the constants of training and regulariser are `protected.Options`.

    `hidden` and `activation` are the target network's, the `hyper_` ones the hypernetwork's. `smoothing` is the share of
    the target that goes to wrong classes (appendix D). `importance` weighs what is held (appendix D; IWR of Chandra et
    al. 2022, Eq. 3) by the Fisher information of the written weights, scaled to mean 1.
    """

    hidden: tuple[int, ...] = (400, 400)
    activation: Activation = "relu"
    hyper_hidden: tuple[int, ...] = (10, 10)
    hyper_activation: Activation = "elu"
    task_embedding: int = 96
    chunk_embedding: int = 96
    chunk_size: int | None = 42_000
    iterations: int = 2000
    batch: int = 128
    smoothing: float = 0.0
    importance: Literal["none", "fisher"] = "none"


class HNET:
    """A hypernetwork writes the classifier of every task; what it wrote for old tasks is protected."""

    Options = Options
    scannable = ("lr", "beta")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        # In CL3 the classifier is trained as in CL1: on the outputs of its own task only.
        self.head = Head("CL1" if scenario == "CL3" else scenario, stream.classes, stream.tasks)
        self.stream, self.options, self.seeds = stream, options, replicas.seed_tensor
        self.net, self.hyper = self.make_networks()
        self.state: dict[str, Tensor] = {}
        weighted = options.importance != "none"
        self.classifier = protected.Protected(self.state, "", self.hyper, stream.tasks, options, replicas, weighted)

    def make_networks(self) -> tuple[MLP, ChunkedHypernet]:
        """The target network and the hypernetwork that writes its weights."""
        o = self.options
        net = MLP((torch.Size(self.stream.input_shape).numel(), *o.hidden, self.head.outputs), o.activation)
        return net, ChunkedHypernet(
            net.layout, o.hyper_hidden, o.task_embedding, o.chunk_embedding, o.chunk_size, o.hyper_activation
        )

    def phases(self, stage: int) -> list[Phase]:
        batches = self.stream.stages[stage].batches(self.seeds, f"batches/{stage}", self.options.batch)
        begin = partial(self.classifier.begin, stage)
        return [Phase("hypernetwork", self.options.iterations, batches, partial(self.step, stage), begin)]

    def step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """One step: task loss, look-ahead, regulariser, then both Adams."""
        logits = self.outputs(self.classifier.write(stage), batch.x, stage)
        self.classifier.learn(stage, step, self.losses(stage, logits, batch.y).mean(1))

    def outputs(self, weights: Float[Tensor, "S target"], x: Tensor, task: int) -> Tensor:
        """Outputs of a task's written network: [S, B, outputs]."""
        return self.net.apply(weights, x)

    def losses(self, stage: int, logits: Tensor, y: Tensor) -> Float[Tensor, "S B"]:
        """The task loss of every sample; with smoothing, 1 − s for the right class and s/(k−1) for each of the others."""
        tasks, s = self.stream.stages[stage].tasks, self.options.smoothing
        if not s:
            return self.head.sample_losses(logits, y, tasks)
        active, labels = self.head.active(logits, y, tasks)
        k = active.shape[-1]
        smoothed = F.cross_entropy(active.flatten(0, 1), labels.flatten(), reduction="none", label_smoothing=s * k / (k - 1))
        return smoothed.unflatten(0, y.shape)

    def end_stage(self, stage: int) -> None:
        """Weigh what was just written, where its parts count differently; all else is computed when the next task begins."""
        if self.classifier.weighted:
            F = self.fisher(stage)
            self.classifier["importance"][:, stage] = F / F.mean(1, keepdim=True).clamp(min=torch.finfo(F.dtype).tiny)

    def fisher(self, stage: int) -> Float[Tensor, "S target"]:
        """Mean over a task's samples of the squared gradient of their loss in the written weights."""
        train, weights = self.stream.stages[stage].train, self.classifier.weights(stage)
        total = torch.zeros_like(weights)
        for x, y in train.chunks():
            total += squared_gradients(self.net, weights, x, lambda z, y=y: self.losses(stage, z, y.expand(len(z), -1)))
        return total / len(train)

    @torch.no_grad()
    def predict(self, x: Tensor, task: int | None, tasks_seen: int) -> Tensor:
        if task is not None:
            return self.head.offered(self.outputs(self.classifier.weights(task), x, task), task, tasks_seen)
        candidates = self.candidates(x, tasks_seen)
        return self.believe(candidates, self.infer_task(x, tasks_seen, candidates))

    def believe(self, candidates: Float[Tensor, "S T B k"], task: Tensor) -> Tensor:
        """Context-free outputs: those of the task [S, B] believed for each sample."""
        which = task[:, None, :, None].expand(-1, 1, -1, candidates.shape[-1])
        chosen = candidates.gather(1, which).squeeze(1)
        if self.head.scenario == "CL2":
            return chosen
        everywhere = chosen.new_full((*chosen.shape[:2], self.head.outputs), -torch.inf)
        first = which[:, 0] * self.head.classes
        return everywhere.scatter(2, first + torch.arange(self.head.classes, device=task.device), chosen)

    @torch.no_grad()
    def infer_task(self, x: Tensor, tasks_seen: int, candidates: Tensor | None = None) -> Tensor:
        """The task with the lowest predictive entropy: [S, B]. `candidates`, if they are at hand already."""
        log_p = (self.candidates(x, tasks_seen) if candidates is None else candidates).log_softmax(-1)
        entropy = -(log_p.exp() * log_p).sum(-1)
        return entropy.argmin(1)

    @torch.no_grad()
    def candidates(self, x: Tensor, tasks_seen: int) -> Float[Tensor, "S T B k"]:
        """Own outputs of every task seen."""
        written = ((t, self.classifier.weights(t)) for t in range(tasks_seen))
        return torch.stack([self.outputs(weights, x, t)[..., self.head.own(t)] for t, weights in written], dim=1)

    def counts(self) -> dict[str, int]:
        return self.classifier.counts()
