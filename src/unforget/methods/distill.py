"""Learning from the answers of an earlier network (Hinton et al. 2015; Li & Hoiem 2017), in the three scenarios.

While task `now` is trained, samples of old tasks are labelled by a teacher, the network as it stood before that task.
What they are labelled on:

| scenario | outputs that compete | what the teacher says |
|---|---|---|
| CL1 | the k of the old task | its own k outputs |
| CL2 | all k | all k |
| CL3 | the k(now+1) of all tasks so far | k·now outputs; the new classes get nothing (`unseen`) |

In CL1 `old` names the old task of each sample [B]; with None every old task's head labels every sample, as van de Ven's
code does for replay that is not sorted by task, and there is an axis of old tasks before the last.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from unforget.errors import UnforgetError
from unforget.methods.heads import Head

Unseen = Literal["zero probability", "zero logit"]
"""What a teacher says about classes newer than itself in CL3: probability 0 (van de Ven & Tolias), or logit 0 before the
softmax (the code of von Oswald et al.), which leaves them some probability."""

OverClasses = Literal["sum", "mean"]
"""Cross-entropy sums over the classes that compete; van de Ven's code took their mean until May 2019 (its issue 5), which
makes the term smaller by their number. The numbers that other papers quote for LwF and DGR+distill are of before."""


def check(scenario: str, temperature: float = 1.0) -> None:
    """Raises `UnforgetError` where there is nothing to distil."""
    if scenario == "regression":
        raise UnforgetError("a regression has no classes to distil or to label replay with")
    if temperature <= 0:
        raise UnforgetError(f"the temperature must be above 0; got {temperature}")


def competing(head: Head, logits: Float[Tensor, "S B outputs"], old: Int[Tensor, "B"] | None, now: int) -> Tensor:
    """The logits that compete for samples of old tasks while task `now` is trained: [S, B, m] or [S, B, now, k]."""
    if head.scenario == "CL2":
        return logits
    if head.scenario == "CL3":
        return logits[..., : (now + 1) * head.classes]
    heads = logits.unflatten(-1, (head.tasks, head.classes))
    if old is None:
        return heads[:, :, :now]
    return torch.take_along_dim(heads, old[None, :, None, None], 2).squeeze(2)


@torch.no_grad()
def soft_targets(
    head: Head,
    teacher: Float[Tensor, "S B outputs"],
    old: Int[Tensor, "B"] | None,
    now: int,
    temperature: float,
    unseen: Unseen = "zero probability",
) -> Tensor:
    """The teacher's probabilities at this temperature, shaped as `competing`, from its logits."""
    known = competing(head, teacher, old, now)
    if head.scenario != "CL3":
        return (known / temperature).softmax(-1)
    known, filled = known[..., : now * head.classes], (0, head.classes)
    if unseen == "zero logit":
        return (F.pad(known, filled) / temperature).softmax(-1)
    return F.pad((known / temperature).softmax(-1), filled)


@torch.no_grad()
def hard_targets(
    head: Head, teacher: Float[Tensor, "S B outputs"], old: Int[Tensor, "B"] | None, now: int
) -> Int[Tensor, "S B ..."]:
    """The class the teacher finds most likely, counted within `competing`: [S, B] or [S, B, now]."""
    known = competing(head, teacher, old, now)
    return (known[..., : now * head.classes] if head.scenario == "CL3" else known).argmax(-1)


def soft_losses(
    head: Head,
    logits: Float[Tensor, "S B outputs"],
    targets: Tensor,
    old: Int[Tensor, "B"] | None,
    now: int,
    temperature: float,
    over_classes: OverClasses = "sum",
) -> Float[Tensor, "S B"]:
    """Cross-entropy with `soft_targets`, both at this temperature, times its square (which keeps the gradient's size)."""
    log_p = (competing(head, logits, old, now) / temperature).log_softmax(-1)
    losses = _per_sample(-(targets * log_p).sum(-1) * temperature**2)
    return losses / log_p.shape[-1] if over_classes == "mean" else losses


def hard_losses(
    head: Head,
    logits: Float[Tensor, "S B outputs"],
    targets: Int[Tensor, "S B ..."],
    old: Int[Tensor, "B"] | None,
    now: int,
) -> Float[Tensor, "S B"]:
    """Cross-entropy with `hard_targets`."""
    log_p = competing(head, logits, old, now).log_softmax(-1)
    return _per_sample(-log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1))


def _per_sample(losses: Tensor) -> Tensor:
    """The mean over the old tasks' heads, where there are several."""
    return losses.mean(2) if losses.ndim == 3 else losses


def balanced(current: Float[Tensor, "S B"], old: Float[Tensor, "S b"], tasks: int) -> Float[Tensor, "S"]:
    """Mean losses of the task in training and of what stands for the old ones, as 1/t and 1 − 1/t for t tasks so far.

    The weights of van de Ven & Tolias; HNET+R and HNET+TIR count both halves alike.
    """
    return current.mean(1) / tasks + (1 - 1 / tasks) * old.mean(1)
