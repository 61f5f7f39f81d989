"""Which outputs are trained and offered in the three scenarios of van de Ven & Tolias (2019).

k classes per task, T tasks, labels counted over all tasks (0 ... kT-1).

| scenario | outputs | trained at a task t | offered at test |
|---|---|---|---|
| CL1 task-incremental | kT | the k of the task | the k of the given task |
| CL2 domain-incremental | k | all | all |
| CL3 class-incremental | kT | the k(t+1) of all tasks so far | the same, context-free |

Regression is a head of its own: all outputs, mean squared error.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

SCENARIOS = ("CL1", "CL2", "CL3", "regression")


@dataclass(frozen=True)
class Head:
    """The output layer of a stream of `tasks` tasks with `classes` each, in one of `SCENARIOS`."""

    scenario: str
    classes: int
    tasks: int

    @property
    def outputs(self) -> int:
        return {"CL2": self.classes, "regression": 1}.get(self.scenario, self.classes * self.tasks)

    def own(self, task: int) -> slice:
        """The outputs that belong to a task alone."""
        whole = self.scenario in ("CL2", "regression")
        return slice(0, self.outputs) if whole else slice(task * self.classes, (task + 1) * self.classes)

    def active(
        self, logits: Float[Tensor, "S B outputs"], y: Tensor, tasks: tuple[int, ...]
    ) -> tuple[Tensor, Tensor]:
        """The logits that compete while these tasks are trained, and the labels counted within them."""
        if self.scenario == "CL2":
            return logits, y % self.classes
        if self.scenario == "CL3":
            return logits[..., : (max(tasks) + 1) * self.classes], y
        if len(tasks) == 1:
            return logits[..., self.own(tasks[0])], y - tasks[0] * self.classes
        column_task = torch.arange(self.outputs, device=y.device) // self.classes
        foreign = column_task != (y // self.classes).unsqueeze(-1)
        return logits.masked_fill(foreign, -torch.inf), y

    def sample_losses(self, logits: Float[Tensor, "S B outputs"], y: Tensor, tasks: tuple[int, ...]) -> Tensor:
        """Cross-entropy (or squared error) of every sample: [S, B]."""
        if self.scenario == "regression":
            return (logits - y).square().mean(-1)
        logits, labels = self.active(logits, y, tasks)
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").unflatten(0, y.shape)

    def loss(self, logits: Float[Tensor, "S B outputs"], y: Tensor, tasks: tuple[int, ...]) -> Float[Tensor, "S"]:
        """The batch mean of `sample_losses`, per replica."""
        return self.sample_losses(logits, y, tasks).mean(1)

    def offered(self, logits: Float[Tensor, "S B outputs"], task: int | None, tasks_seen: int) -> Tensor:
        """What `Learner.predict` returns for a network with this head."""
        if task is not None:
            return logits[..., self.own(task)]
        if self.scenario in ("CL2", "regression"):
            return logits
        unseen = torch.arange(self.outputs, device=logits.device) >= tasks_seen * self.classes
        return logits.masked_fill(unseen, -torch.inf)
