"""Deep generative replay (Shin et al. 2017), also with distillation, as van de Ven & Tolias (2018, 2019) build it.

Beside the classifier a variational autoencoder learns what inputs look like. At the t-th task the copies of both from
before that task stand for all old ones: the old generator draws as many images as a batch has, the old classifier labels
them (its most likely class, or with distillation its probabilities at temperature 2; in CL1 every old head does, and
their losses are averaged), and both new networks learn from the batch with weight 1/t and from the replay with 1 − 1/t.

Both are trained in one step, not in two phases one after the other: they share each step's replayed images, which are
thus drawn and labelled once, as in the original code.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from unforget import random
from unforget.data.streams import Batch, Stream
from unforget.methods import distill, finetune
from unforget.methods.base import Replicas
from unforget.methods.optim import Adam
from unforget.nets import vae


@dataclass(frozen=True)
class Options(finetune.Options):
    """The generator has the classifier's hidden layers, mirrored in its decoder, and `latent` code units."""

    latent: int = 100


class DGR(finetune.Finetune):
    """Replay from a generator, labelled by the previous classifier."""

    Options = Options

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        distill.check(scenario)
        super().__init__(stream, scenario, options, replicas)
        hidden = options.hidden
        self.vae = vae.VAE(self.net.sizes[0], hidden, hidden[::-1], options.latent, log_variance_bias=False)
        initial = finetune.INITIAL[options.initial]
        parts = (initial(self.vae.encoder, self.seeds, "encoder"), initial(self.vae.decoder.layout, self.seeds, "decoder"))
        self.sizes = [part.shape[1] for part in parts]
        self.state["generator"] = torch.cat(parts, 1)  # encoder and decoder in one, for one optimiser
        self.state["old classifier"] = self.state["theta"].clone()
        self.state["old decoder"] = parts[1].clone()
        self.adam_generator = Adam(self.state, "adam_generator", replicas.value("lr", options.lr))
        self.adam_generator.reset(self.state["generator"])

    def step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """One Adam step each of classifier and generator, on the batch and as many replayed images."""
        x = batch.x.flatten(2)
        if stage > 0:
            x = torch.cat((x, self.replay(stage, step)), 1)
        self.train_classifier(stage, x, batch.y)
        self.train_generator(stage, x, step)

    @torch.no_grad()
    def replay(self, stage: int, step: "int | Tensor") -> Float[Tensor, "S B inputs"]:
        """Images that the old generator draws, `batch` of them, whatever tasks they may be of."""
        z = random.normal(self.seeds, f"replay/{stage}", step, (self.options.batch, self.options.latent))
        return self.vae.sample(self.state["old decoder"], z)

    def train_classifier(self, stage: int, x: Float[Tensor, "S B inputs"], y: Tensor) -> None:
        """y labels the first images of x; the rest is replay."""
        theta = self.state["theta"].detach().requires_grad_()
        current, replayed = self.net.apply(theta, x).tensor_split([y.shape[1]], 1)
        # A copy of this small part, lest its flattening copies it for several replicas but not for one.
        losses = self.head.sample_losses(current.clone(), y, self.stream.stages[stage].tasks)
        loss = losses.mean(1)
        if stage > 0:
            answers = self.net.apply(self.state["old classifier"], x[:, y.shape[1] :])
            now = max(self.stream.stages[stage].tasks)
            loss = distill.balanced(losses, self.replay_losses(replayed, answers, now), stage + 1)
        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        self.update(stage, gradient)

    def replay_losses(self, logits: Tensor, answers: Tensor, now: int) -> Float[Tensor, "S B"]:
        """The loss of every replayed image, given the old classifier's logits for it."""
        targets = distill.hard_targets(self.head, answers, None, now)
        return distill.hard_losses(self.head, logits, targets, None, now)

    def train_generator(self, stage: int, x: Float[Tensor, "S B inputs"], step: "int | Tensor") -> None:
        generator = self.state["generator"].detach().requires_grad_()
        encoder, decoder = generator.split(self.sizes, 1)
        mean, log_variance = self.vae.encode(encoder, x)
        noise = random.normal(self.seeds, f"code/{stage}", step, mean.shape[1:])
        logits = self.vae.decode(decoder, vae.reparametrise(mean, log_variance, noise))
        losses = vae.sample_losses(logits, x, mean, log_variance)
        loss = losses.mean(1)
        if stage > 0:
            current = x.shape[1] - self.options.batch
            loss = distill.balanced(losses[:, :current], losses[:, current:], stage + 1)
        (gradient,) = torch.autograd.grad(loss.sum(), generator)
        self.adam_generator.step(self.state["generator"], gradient)

    def end_stage(self, stage: int) -> None:
        """What is left of the tasks so far."""
        self.state["old classifier"].copy_(self.state["theta"])
        self.state["old decoder"].copy_(self.state["generator"][:, self.sizes[0] :])

    def counts(self) -> dict[str, int]:
        target, generator = self.net.layout.size, sum(self.sizes)
        return {"target": target, "generator": generator, "trained": target + generator}


@dataclass(frozen=True)
class DistillOptions(Options):
    """`unseen`: what the old classifier says about new classes in CL3; `over_classes`: sum or mean of the distillation."""

    temperature: float = 2.0
    unseen: distill.Unseen = "zero probability"
    over_classes: distill.OverClasses = "sum"


class DGRDistill(DGR):
    """Replayed images carry the old classifier's probabilities."""

    Options = DistillOptions

    def __init__(self, stream: Stream, scenario: str, options: DistillOptions, replicas: Replicas):
        distill.check(scenario, options.temperature)
        super().__init__(stream, scenario, options, replicas)

    def replay_losses(self, logits: Tensor, answers: Tensor, now: int) -> Float[Tensor, "S B"]:
        o = self.options
        targets = distill.soft_targets(self.head, answers, None, now, o.temperature, o.unseen)
        return distill.soft_losses(self.head, logits, targets, None, now, o.temperature, o.over_classes)
