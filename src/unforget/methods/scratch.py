"""Training from scratch: a fresh network for every task, each kept. What there is to reach where nothing can be forgotten,
nor anything passed on, at the price of a network per task.

Without the task at test time the network with the lowest predictive entropy answers, as in HNET+ENT, so that the two
differ in where the weights come from and in nothing else.
"""

from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods.base import Phase, Replicas
from unforget.methods.finetune import INITIAL, Finetune, Options
from unforget.methods.heads import Head


class Scratch(Finetune):
    """Initial weights and optimiser start afresh at every task."""

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        super().__init__(stream, scenario, options, replicas)
        # In CL3, too, a network knows the classes of its own task only.
        self.head = Head("CL1" if scenario == "CL3" else scenario, stream.classes, stream.tasks)
        self.state["networks"] = torch.zeros_like(self.state["theta"]).unsqueeze(1).repeat(1, stream.tasks, 1)

    def phases(self, stage: int) -> list[Phase]:
        return [replace(phase, begin=partial(self.begin, stage)) for phase in super().phases(stage)]

    def begin(self, stage: int) -> None:
        """A new network."""
        self.state["theta"] = INITIAL[self.options.initial](self.net.layout, self.seeds, f"theta/{stage}")
        self.adam.reset(self.state["theta"])

    def end_stage(self, stage: int) -> None:
        for task in self.stream.stages[stage].tasks:
            self.state["networks"][:, task] = self.state["theta"]

    @torch.no_grad()
    def predict(self, x: Tensor, task: int | None, tasks_seen: int) -> Tensor:
        if task is not None:
            return self.head.offered(self.net.apply(self.state["networks"][:, task], x), task, tasks_seen)
        candidates = self.candidates(x, tasks_seen)
        best = _least_entropy(candidates)[..., None, None]
        if self.head.scenario == "CL2":
            return candidates.take_along_dim(best, 2).squeeze(2)
        others = torch.arange(tasks_seen, device=x.device)[:, None] != best
        offered = candidates.masked_fill(others, -torch.inf).flatten(2)
        return F.pad(offered, (0, self.head.outputs - offered.shape[-1]), value=-torch.inf)

    @torch.no_grad()
    def infer_task(self, x: Tensor, tasks_seen: int) -> Int[Tensor, "S B"]:
        """The task whose network has the lowest predictive entropy."""
        return _least_entropy(self.candidates(x, tasks_seen))

    def candidates(self, x: Tensor, tasks_seen: int) -> Float[Tensor, "S B T k"]:
        """Own outputs of every task's network."""
        networks = self.state["networks"].unbind(1)[:tasks_seen]
        return torch.stack([self.net.apply(w, x)[..., self.head.own(t)] for t, w in enumerate(networks)], 2)

    def counts(self) -> dict[str, int]:
        target = self.net.layout.size
        return {"target": target, "trained": target * self.stream.tasks}


def _least_entropy(candidates: Float[Tensor, "S B T k"]) -> Int[Tensor, "S B"]:
    log_p = candidates.log_softmax(-1)
    entropy = -(log_p.exp() * log_p).sum(-1)
    return entropy.argmin(-1)
