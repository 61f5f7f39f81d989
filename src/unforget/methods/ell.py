"""Encoder-based lifelong learning (Rannen et al. 2017) as Berjaoui (2020) compares with it.

After a task, with encoder f and classifier frozen, an autoencoder r(σ(W f + b)) learns what matters of the features
(phase "stabilisation"): cross-entropy of the classifier on the reconstruction + μ · mean squared reconstruction error.
W and b are kept. While later tasks are trained,

loss = cross-entropy + κ Σ_{t'<t} mean (σ(W_t' f* + b_t') − σ(W_t' f + b_t'))² + ω · distillation

f are the features now, f* those of the encoder as the task found it. Distillation is the cross-entropy of softmax(z/T)
against softmax(z*/T), in one of two readings:

"released", the published code: z are the logits of the new classifier and z* those of the last one, both on the features
of now, so that the new classifier is drawn to its predecessor; and the encoder towards features on which the last
classifier agrees with the new one, where gradients flow through z* too (`teacher_gradient`).

"lwf", the method as it is known (Li & Hoiem 2017): for every old classifier, z on the features of now and z* on f*,
summed over the classifiers, which stay frozen. z* is a constant.

After the last task nothing is stabilised, since nothing would use it.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from unforget.data.streams import Batch, Stream
from unforget.methods import vc
from unforget.methods.base import Phase, Replicas
from unforget.methods.optim import Adam
from unforget.nets.layout import Layout, fan_in_uniform
from unforget.nets.mlp import linear


@dataclass(frozen=True)
class Options(vc.Options):
    """`codes` of an autoencoder; `code_weight` is κ and `reconstruction` μ, neither printed (taken from the published
    code), as is `distillation_weight` ω; `temperature` T; the stabilisation's own epochs and learning rate."""

    codes: int = 100
    code_weight: float = 50.0
    reconstruction: float = 2.0
    distillation_weight: float = 2.0
    temperature: float = 3.0
    distillation: Literal["released", "lwf"] = "released"
    teacher_gradient: bool = False
    stabilisation_epochs: int = 2
    stabilisation_lr: float = 1e-3


class ELL(vc.VC):
    """Old features are held where old autoencoders see them; what they do not see may change."""

    Options = Options
    scannable = ("lr", "code_weight")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        super().__init__(stream, scenario, options, replicas)
        n, codes = self.encoder.features, options.codes
        self.autoencoder = Layout({"W": (codes, n), "b": (codes,), "R": (n, codes), "c": (n,)})
        self.kappa = replicas.value("code_weight", options.code_weight)
        lr = replicas.value("stabilisation_lr", options.stabilisation_lr)
        self.adam_autoencoder = Adam(self.state, "adam_autoencoder", lr)

    def phases(self, stage: int) -> list[Phase]:
        phases = super().phases(stage)
        if stage + 1 < len(self.stream.stages):
            o = self.options
            batches = self.stream.stages[stage].batches(self.seeds, f"stabilisation/{stage}", o.batch, "drop")
            steps = o.stabilisation_epochs * batches.steps_per_pass
            phases.append(Phase("stabilisation", steps, batches, self.stabilise, partial(self.begin_stabilising, stage)))
        return phases

    def begin(self, stage: int) -> None:
        """Keep the encoder as the task finds it."""
        super().begin(stage)
        if stage > 0:
            self.state["theta_star"] = self.state["theta"].clone()
            self._put("star", {name: value.clone() for name, value in self.statistics("encoder").items()})

    def penalty(self, stage: int, batch: Batch, features: Tensor, logits: Tensor) -> Tensor | float:
        if stage == 0:
            return 0.0
        o = self.options
        with torch.no_grad():
            star = self.encoder.apply(self.state["theta_star"], batch.x, self.statistics("star"))
        now, then = linear(torch.cat([features, star], 1), self.state["W"], self.state["b"]).sigmoid().chunk(2, 1)
        drift = (now - then).square().mean(1).sum(1) / o.codes
        if o.distillation == "released":
            teacher = features if o.teacher_gradient else features.detach()
            distilled = self.distil(logits, self.old_head(stage - 1, teacher))
        else:
            distilled = sum(self.distil(self.old_head(t, features), self.old_head(t, star)) for t in range(stage))
        return self.kappa * drift + o.distillation_weight * distilled

    def distil(self, z: Float[Tensor, "S B n"], z_star: Float[Tensor, "S B n"]) -> Float[Tensor, "S"]:
        """Cross-entropy of the softened outputs against softened targets, the mean over a batch."""
        T = self.options.temperature
        return -((z_star / T).softmax(-1) * (z / T).log_softmax(-1)).sum(-1).mean(1)

    def begin_stabilising(self, stage: int) -> None:
        """A new autoencoder with its own fresh Adam."""
        self.state["autoencoder"] = fan_in_uniform(self.autoencoder, self.seeds, f"autoencoder/{stage}")
        self.adam_autoencoder.reset(self.state["autoencoder"])

    def stabilise(self, batch: Batch, step: int) -> None:
        """One Adam step of the autoencoder."""
        with torch.no_grad():
            features = self.encoder.apply(self.state["theta"], batch.x, self.statistics("encoder"))
        weights = self.state["autoencoder"].detach().requires_grad_()
        parts = self.autoencoder.split(weights)
        decoded = linear(linear(features, parts["W"], parts["b"]).sigmoid(), parts["R"], parts["c"])
        logits = self.head.apply(self.state["head"], decoded, self.statistics("head"))
        error = (decoded - features).square().mean((1, 2))
        loss = vc.cross_entropy(logits, batch.y) + self.options.reconstruction * error
        (gradient,) = torch.autograd.grad(loss.sum(), weights)
        self.adam_autoencoder.step(self.state["autoencoder"], gradient)

    def end_stage(self, stage: int) -> None:
        """Freeze the classifier and keep the encoding half of the autoencoder."""
        super().end_stage(stage)
        if stage + 1 < len(self.stream.stages):
            parts = self.autoencoder.split(self.state.pop("autoencoder"))
            for name in ("W", "b"):
                old = [self.state[name]] if stage > 0 else []
                self.state[name] = torch.cat([*old, parts[name]], 1)
            for part in "mvt":
                del self.state[f"adam_autoencoder.{part}"]

    def counts(self) -> dict[str, int]:
        counts, trained = super().counts(), (self.stream.tasks - 1) * self.autoencoder.size
        return counts | {"autoencoder": self.autoencoder.size, "trained": counts["trained"] + trained}
