"""A hypernetwork that learns one task after the other while what it wrote for old tasks is held, whatever it writes.

Loss at task T (von Oswald et al. 2020, Eq. 2): L_task(e_T, θ) + β/(T−1) Σ_{t<T} ‖h(e_t, θ*) − h(e_t, θ + Δθ)‖²
θ: weights and chunk embeddings of the hypernetwork; θ*: θ before task T; Δθ: the change Adam would make for L_task alone,
a constant for the gradient. Only e_T learns, by L_task alone; earlier embeddings stay. Adam starts afresh at every task.

The classifier of HNET and the decoder of its replay model are both written this way.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from unforget import random
from unforget.hyper import regulariser
from unforget.hyper.chunked import ChunkedHypernet
from unforget.methods.base import Replicas
from unforget.methods.optim import Adam


@dataclass(frozen=True)
class Options:
    """Training constants, and switches for what paper and code do differently.

    `form` of the regulariser: "direct", "gram" or "auto" (the faster one by size). `subset`: at most so many old tasks,
    drawn anew at every step, enter the regulariser (appendix D). `plastic`: earlier embeddings learn from the regulariser,
    as appendix C suggests; the published code has the option, but no run of the paper uses it.
    """

    lr: float = 1e-3
    beta: float = 0.01
    look_ahead: bool = True
    form: Literal["auto", "direct", "gram"] = "auto"
    subset: int | None = None
    plastic: bool = False


class Protected:
    """θ and e of a hypernetwork in a learner's state, their Adams, and the regulariser.

    In a step, `write` gives the weights of the task in training and `learn` takes the loss made with them. With `weighted`
    the state holds an importance per written weight, [S, tasks, target], which the owner fills after each task.
    """

    def __init__(
        self, state: dict[str, Tensor], name: str, hyper: ChunkedHypernet, tasks: int, options: Options,
        replicas: Replicas, weighted: bool = False,
    ):  # fmt: skip
        """`name` begins the names of all that is added to `state`, and those of the random streams."""
        self.state, self.name, self.hyper, self.options, self.weighted = state, name, hyper, options, weighted
        self.seeds, self.beta = replicas.seed_tensor, replicas.value("beta", options.beta)
        self.regularised = bool((self.beta > 0).any())
        self["theta"] = hyper.initial(self.seeds, f"{name}theta")
        self["e"] = random.normal(self.seeds, f"{name}e", 0, (tasks, hyper.task_embedding))
        if weighted:
            self["importance"] = torch.ones(len(replicas), tasks, hyper.target.size, device=self["e"].device)
        lr = replicas.value("lr", options.lr)
        self.adam = Adam(state, f"{name}adam", lr)
        self.adam_e = Adam(state, f"{name}adam_e", lr, fused=False)
        self.adam_old = Adam(state, f"{name}adam_old", lr, fused=False)
        # Derived from the state, so not part of it: a resumed run derives them again.
        self._kept: tuple[int, regulariser.Gram | regulariser.Direct] | None = None
        self._written: dict[int, Tensor] = {}

    def __getitem__(self, key: str) -> Tensor:
        return self.state[self.name + key]

    def __setitem__(self, key: str, value: Tensor) -> None:
        self.state[self.name + key] = value

    def begin(self, stage: int) -> None:
        """Keep θ* (and, where they move, the old embeddings); fresh Adams."""
        self["theta_star"] = self["theta"].clone()
        self.adam.reset(self["theta"])
        self.adam_e.reset(self["e"][:, stage])
        if self.options.plastic:
            self["e_star"] = self["e"].clone()
            self.adam_old.reset(self["e"][:, :stage].flatten(1))

    def write(self, stage: int) -> Float[Tensor, "S target"]:
        """The weights of the task in training, from which gradients flow back to θ and e."""
        self._written.clear()
        self._leaves = self["theta"].detach().requires_grad_(), self["e"][:, stage].clone().requires_grad_()
        theta, e = self._leaves
        return self.hyper.generate(theta, e.unsqueeze(1)).squeeze(1)

    def learn(self, stage: int, step: "int | Tensor", loss: Float[Tensor, "S"], *others: Tensor) -> list[Tensor]:
        """One update of θ and e by a loss of what `write` gave; returns the gradients of `others` in the same loss."""
        g_theta, g_e, *rest = torch.autograd.grad(loss.sum(), (*self._leaves, *others))
        if stage > 0 and self.regularised:
            theta = self["theta"].detach()
            ahead = (theta + self.adam.lookahead(g_theta) if self.options.look_ahead else theta).requires_grad_()
            g_theta.add_(self._pull(stage, step, ahead))
        self.adam.step(self["theta"], g_theta)
        self.adam_e.step(self["e"][:, stage], g_e)
        return rest

    def _pull(self, stage: int, step: "int | Tensor", ahead: Tensor) -> Tensor:
        """The gradient of the regulariser at θ + Δθ; plastic old embeddings take their step."""
        if not self.options.plastic:
            return torch.autograd.grad(self.penalty(stage, step, ahead, self["e"]).sum(), ahead)[0]
        e = self["e"].detach().requires_grad_()
        g_theta, g_e = torch.autograd.grad(self.penalty(stage, step, ahead, e).sum(), (ahead, e))
        old = self["e"][:, :stage].flatten(1).clone()
        self.adam_old.step(old, g_e[:, :stage].flatten(1))
        self["e"][:, :stage] = old.view_as(self["e"][:, :stage])
        return g_theta

    def penalty(self, stage: int, step: "int | Tensor", theta: Tensor, e: Tensor) -> Float[Tensor, "S"]:
        """β/(T−1) Σ ‖h(e_t, θ*) − h(e_t, θ)‖² over old tasks, or over the subset drawn for this step."""
        subset = self.options.subset
        if subset is None or stage <= subset:
            if self._kept is None or self._kept[0] != stage:
                self._kept = stage, self._keep(None, stage)
            return self.beta / stage * self._kept[1](theta, e[:, :stage])
        chosen = random.permutation(self.seeds, f"{self.name}subset/{stage}", step, stage)[:, :subset]
        return self.beta / subset * self._keep(chosen, subset)(theta, _take(e, chosen))

    def _keep(self, chosen: Tensor | None, tasks: int) -> regulariser.Gram | regulariser.Direct:
        """What old tasks are held to, in the form that is faster at this size."""
        star = self["e_star" if self.options.plastic else "e"]
        star = star[:, :tasks] if chosen is None else _take(star, chosen)
        form = self.options.form
        gram = form == "gram" or (form == "auto" and not self.weighted and regulariser.prefers_gram(self.hyper, tasks))
        if gram:
            return regulariser.Gram(self.hyper, self["theta_star"], star)
        importance = None
        if self.weighted:
            importance = self["importance"][:, :tasks] if chosen is None else _take(self["importance"], chosen)
        with torch.no_grad():
            targets = self.hyper.generate(self["theta_star"], star)
        return regulariser.Direct(self.hyper, targets, importance)

    @torch.no_grad()
    def weights(self, task: int) -> Float[Tensor, "S target"]:
        """What is written for a task now, kept until the next step."""
        if task not in self._written:
            self._written[task] = self.hyper.generate(self["theta"], self["e"][:, task : task + 1]).squeeze(1)
        return self._written[task]

    def counts(self) -> dict[str, int]:
        """Numbers of parameters: target, θ, task embeddings, and what is trained."""
        theta, e = self.hyper.layout.size, self["e"][0].numel()
        return {"target": self.hyper.target.size, "theta": theta, "task embeddings": e, "trained": theta + e}


def _take(x: Float[Tensor, "S T n"], chosen: Tensor) -> Float[Tensor, "S B n"]:
    return x.gather(1, chosen.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
