"""Continual learning with hypernetworks (von Oswald, Henning, Grewe, Sacramento, ICLR 2020): HNET, with entropy inference.

Loss at task T (Eq. 2): L_task(e_T, θ) + β/(T−1) Σ_{t<T} ‖h(e_t, θ*) − h(e_t, θ + Δθ)‖²
θ: weights and chunk embeddings of the hypernetwork; θ*: θ before task T; Δθ: the change Adam would make for L_task alone,
a constant for the gradient. Only e_T learns, by L_task alone; earlier embeddings stay. Adam starts afresh at every task.

Without the task at test time (HNET+ENT, appendix B): run every task's network, softmax over its own outputs, and believe
the one with the lowest entropy.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from unforget import random
from unforget.data.streams import Batch, Stream
from unforget.hyper import regulariser
from unforget.hyper.chunked import ChunkedHypernet
from unforget.methods.base import Phase, Replicas
from unforget.methods.heads import Head
from unforget.methods.optim import Adam
from unforget.nets.mlp import MLP, Activation


@dataclass(frozen=True)
class Options:
    """Sizes, training constants, and switches for what paper and code do differently.

    `hidden` and `activation` are the target network's, the `hyper_` ones the hypernetwork's. `form` of the regulariser:
    "direct", "gram" or "auto" (the faster one by size).
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
    lr: float = 1e-3
    beta: float = 0.01
    look_ahead: bool = True
    form: Literal["auto", "direct", "gram"] = "auto"


class HNET:
    """A hypernetwork writes the classifier of every task; what it wrote for old tasks is protected."""

    Options = Options
    scannable = ("lr", "beta")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        # In CL3 the classifier is trained as in CL1: on the outputs of its own task only.
        self.head = Head("CL1" if scenario == "CL3" else scenario, stream.classes, stream.tasks)
        self.stream, self.options = stream, options
        self.net, self.hyper = self.make_networks()
        self.seeds, self.beta = replicas.seed_tensor, replicas.value("beta", options.beta)
        self.regularised = bool((self.beta > 0).any())
        self.state: dict[str, Tensor] = {
            "theta": self.hyper.initial(self.seeds),
            "e": random.normal(self.seeds, "e", 0, (stream.tasks, options.task_embedding)),
        }
        lr = replicas.value("lr", options.lr)
        self.adam, self.adam_e = Adam(self.state, "adam", lr), Adam(self.state, "adam_e", lr, fused=False)
        # Derived from the state, so not part of it: a resumed run derives them again.
        self._kept: tuple[int, regulariser.Gram | regulariser.Direct] | None = None
        self._written: dict[int, Tensor] = {}

    def make_networks(self) -> tuple[MLP, ChunkedHypernet]:
        """The target network and the hypernetwork that writes its weights."""
        o = self.options
        net = MLP((torch.Size(self.stream.input_shape).numel(), *o.hidden, self.head.outputs), o.activation)
        return net, ChunkedHypernet(
            net.layout, o.hyper_hidden, o.task_embedding, o.chunk_embedding, o.chunk_size, o.hyper_activation
        )

    def phases(self, stage: int) -> list[Phase]:
        batches = self.stream.stages[stage].batches(self.seeds, f"batches/{stage}", self.options.batch)
        return [
            Phase("hypernetwork", self.options.iterations, batches, partial(self.step, stage), partial(self.begin, stage))
        ]

    def begin(self, stage: int) -> None:
        """Keep θ*; fresh Adam."""
        self.state["theta_star"] = self.state["theta"].clone()
        self.adam.reset(self.state["theta"])
        self.adam_e.reset(self.state["e"][:, stage])

    def step(self, stage: int, batch: Batch, step: int) -> None:
        """One step: task loss, look-ahead, regulariser, then both Adams."""
        self._written.clear()
        theta = self.state["theta"].detach().requires_grad_()
        e = self.state["e"][:, stage].clone().requires_grad_()
        weights = self.hyper.generate(theta, e.unsqueeze(1)).squeeze(1)
        loss = self.head.loss(self.net.apply(weights, batch.x), batch.y, self.stream.stages[stage].tasks)
        g_theta, g_e = torch.autograd.grad(loss.sum(), (theta, e))
        if stage > 0 and self.regularised:
            delta = self.adam.lookahead(g_theta) if self.options.look_ahead else 0.0
            ahead = (self.state["theta"] + delta).requires_grad_()
            penalty = self.beta / stage * self.drift(stage, ahead)
            g_theta = g_theta + torch.autograd.grad(penalty.sum(), ahead)[0]
        self.adam.step(self.state["theta"], g_theta)
        self.adam_e.step(self.state["e"][:, stage], g_e)

    def drift(self, stage: int, theta: Float[Tensor, "S theta"]) -> Float[Tensor, "S"]:
        """Σ_{t<stage} ‖h(e_t, θ*) − h(e_t, θ)‖², in the form that is faster at this size."""
        old = self.state["e"][:, :stage]
        if self._kept is None or self._kept[0] != stage:
            self._kept = stage, self._keep(stage, old)
        return self._kept[1](theta)

    def _keep(self, stage: int, old: Tensor) -> regulariser.Gram | regulariser.Direct:
        gram = {"gram": True, "direct": False, "auto": regulariser.prefers_gram(self.hyper, stage)}[self.options.form]
        if gram:
            return regulariser.Gram(self.hyper, self.state["theta_star"], old)
        with torch.no_grad():
            return regulariser.Direct(self.hyper, old, self.hyper.generate(self.state["theta_star"], old))

    def end_stage(self, stage: int) -> None:
        """Nothing: what is protected is computed from θ* when the next task begins."""

    @torch.no_grad()
    def predict(self, x: Tensor, task: int | None, tasks_seen: int) -> Tensor:
        if task is not None:
            return self.head.offered(self.net.apply(self.weights(task), x), task, tasks_seen)
        logits, entropy = self.candidates(x, tasks_seen)
        best = entropy.argmin(-1)[:, None, :, None].expand(-1, 1, -1, logits.shape[-1])
        chosen = logits.gather(1, best).squeeze(1)
        if self.head.scenario == "CL2":
            return chosen
        everywhere = chosen.new_full((*chosen.shape[:2], self.head.outputs), -torch.inf)
        first = best[:, 0] * self.head.classes
        return everywhere.scatter(2, first + torch.arange(self.head.classes, device=x.device), chosen)

    @torch.no_grad()
    def infer_task(self, x: Tensor, tasks_seen: int) -> Tensor:
        """The task with the lowest predictive entropy: [S, B]."""
        return self.candidates(x, tasks_seen)[1].argmin(-1)

    def candidates(self, x: Tensor, tasks_seen: int) -> tuple[Tensor, Tensor]:
        """Own outputs of every task seen [S, T, B, k] and their entropy in nats [S, B, T]."""
        logits = torch.stack(
            [self.net.apply(self.weights(t), x)[..., self.head.own(t)] for t in range(tasks_seen)], dim=1
        )
        log_p = logits.log_softmax(-1)
        return logits, -(log_p.exp() * log_p).sum(-1).transpose(1, 2)

    @torch.no_grad()
    def weights(self, task: int) -> Float[Tensor, "S target"]:
        """The generated weights of a task's network, written once until the next step."""
        if task not in self._written:
            e = self.state["e"][:, task : task + 1]
            self._written[task] = self.hyper.generate(self.state["theta"], e).squeeze(1)
        return self._written[task]

    def counts(self) -> dict[str, int]:
        theta, e = self.hyper.layout.size, self.state["e"][0].numel()
        return {"target": self.net.layout.size, "theta": theta, "task embeddings": e, "trained": theta + e}
