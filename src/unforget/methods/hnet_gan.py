"""HNET+R with a generative adversarial network for a replay model, whose generator a protected hypernetwork writes.

Von Oswald et al. (2020), appendices B and F (Fig. A1b, A8b). The hypernetwork makes the whole generator of the condition,
the task's embedding; the generator is told nothing else. Pearson χ² least squares (Mao et al. 2017), D the discriminator:
L_D = mean (D(x) − 1)² + mean (D(x̃) + 1)², L_gen = mean D(x̃)², L_gen plus the output regulariser of generators of old tasks.
Both see the task in training only. One D for all tasks, held by nothing, as the encoder beside a protected decoder; the
paper does not speak of it, nor of fresh Adams at each task, which all its optimisers have.

Printed: hypernetwork, dropout, learning rates, iterations. Ours, as in no source: the sizes of generator and D, the code,
both embeddings, β (those of the variational autoencoder of Split MNIST), where dropout acts (after each hidden layer of D),
that one set of codes serves both updates of a step, and the classifier, which the paper's showcase does not have: it is that
of HNET+R, so that what is drawn is replayed, and scored.
"""

from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from unforget import random
from unforget.data.streams import Batch, Stream
from unforget.hyper.chunked import ChunkedHypernet
from unforget.methods import hnet_r, protected, rehearsal
from unforget.methods.base import Phase, Replicas
from unforget.methods.optim import Adam
from unforget.nets.layout import xavier_uniform
from unforget.nets.mlp import MLP, Activation
from unforget.nets.units import Classifier


@dataclass(frozen=True)
class Options(rehearsal.Options):
    """Those of the classifier and, beginning with `gan_`, of the replay model, whose batches are as large.

    `gan_hyper_` and embeddings are those of the hypernetwork that writes the generator. `gan_show`: so many images of every
    task, the last one included, are kept as drawn right after it was learned.
    """

    gan_generator: tuple[int, ...] = (400, 400)
    gan_discriminator: tuple[int, ...] = (400, 400)
    gan_dropout: float = 0.4
    gan_latent: int = 100
    gan_hyper_hidden: tuple[int, ...] = (25, 25)
    gan_hyper_activation: Activation = "elu"
    gan_task_embedding: int = 96
    gan_chunk_embedding: int = 96
    gan_chunk_size: int | None = 75_000
    gan_beta: float = 0.01
    gan_lr: float = 1e-4
    gan_iterations: int = 10_000
    gan_show: int | None = None


class ReplayGAN:
    """The part of the learner that draws: D, θ and e in the learner's state, and a phase that trains them."""

    def __init__(self, state: dict[str, Tensor], stream: Stream, options: Options, replicas: Replicas):
        o = options
        self.state, self.stream, self.options, self.seeds = state, stream, options, replicas.seed_tensor
        self.tasks = stream.tasks - (o.gan_show is None)  # the last task needs no replay
        inputs = torch.Size(stream.input_shape).numel()
        self.generator = MLP((o.gan_latent, *o.gan_generator, inputs))
        self.discriminator = Classifier((inputs, *o.gan_discriminator, 1), "relu", o.gan_dropout)
        self.hyper = ChunkedHypernet(
            self.generator.layout, o.gan_hyper_hidden, o.gan_task_embedding, o.gan_chunk_embedding, o.gan_chunk_size,
            o.gan_hyper_activation,
        )  # fmt: skip
        # Its own values where the classifier's are scanned.
        lr, beta = replicas.value("gan_lr", o.gan_lr), replicas.value("gan_beta", o.gan_beta)
        training = protected.Options(lr=o.gan_lr, beta=o.gan_beta)
        own = replace(replicas, scan={"lr": tuple(lr.tolist()), "beta": tuple(beta.tolist())})
        self.protected = protected.Protected(state, "gan.", self.hyper, self.tasks, training, own)
        state["gan.discriminator"] = xavier_uniform(self.discriminator.layout, self.seeds, "gan.discriminator")
        self.adam = Adam(state, "gan.adam_discriminator", lr)
        if o.gan_show:
            # By the name under which the probe "replay samples" finds it.
            state["vae.shown"] = torch.zeros(len(replicas), self.tasks, o.gan_show, inputs, device=replicas.device)
        self._written: tuple[range, Tensor] | None = None  # derived from the state, so not part of it

    def phases(self, stage: int) -> list[Phase]:
        """One phase, or none at the last task where nothing is shown."""
        if stage >= self.tasks:
            return []
        o = self.options
        batches = self.stream.stages[stage].batches(self.seeds, f"gan.batches/{stage}", o.batch)
        return [Phase("replay model", o.gan_iterations, batches, partial(self.step, stage), partial(self.begin, stage))]

    def begin(self, stage: int) -> None:
        """Keep θ*; three fresh Adams."""
        self.protected.begin(stage)
        self.adam.reset(self.state["gan.discriminator"])

    def step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """One step of D on L_D, then one of θ and e on L_gen, θ also on the regulariser."""
        self._written = None
        x = 2 * batch.x.flatten(2) - 1
        B = x.shape[1]
        z = random.normal(self.seeds, f"gan.z/{stage}", step, (B, self.options.gan_latent))
        drawn = self.generator.apply(self.protected.write(stage), z).tanh()
        # Masks for real images, for drawn ones, and again for these when the generator learns.
        width = sum(self.options.gan_discriminator)
        draws = random.uniform(self.seeds, f"gan.dropout/{stage}", step, (3 * B, width))
        D = self.state["gan.discriminator"].detach().requires_grad_()
        scores = self.discriminator.apply(D, torch.cat((x, drawn.detach()), 1), draws[:, : 2 * B]).squeeze(-1)
        real, unreal = scores.split(B, 1)
        loss = (real - 1).square().mean(1) + (unreal + 1).square().mean(1)
        self.adam.step(self.state["gan.discriminator"], torch.autograd.grad(loss.sum(), D)[0])
        scores = self.discriminator.apply(self.state["gan.discriminator"], drawn, draws[:, 2 * B :])
        self.protected.learn(stage, step, scores.square().mean((1, 2)))

    def end_stage(self, stage: int) -> None:
        """Where images are shown: draw those of the task just learned."""
        if self.options.gan_show:
            self.state["vae.shown"][:, stage] = self.show(stage)

    def show(self, task: int) -> Float[Tensor, "S n inputs"]:
        """`gan_show` images of a task as its generator draws them now, always of the same codes."""
        return self.sample(f"gan.show/{task}", 0, range(task, task + 1), self.options.gan_show)[:, 0]

    @torch.no_grad()
    def sample(self, stream: str, step: "int | Tensor", tasks: range, count: int) -> Float[Tensor, "S T count inputs"]:
        """`count` images in [0, 1] of each of these tasks, for z drawn from the named random stream at a step."""
        z = random.normal(self.seeds, stream, step, (len(tasks), count, self.options.gan_latent))
        # Tasks lie on the replica axis: one pass through all generators.
        images = self.generator.apply(self.generators(tasks).flatten(0, 1), z.flatten(0, 1)).tanh()
        return ((images + 1) / 2).unflatten(0, z.shape[:2])

    def generators(self, tasks: range) -> Float[Tensor, "S T generator"]:
        """Written weights of these tasks' generators, kept until the next step."""
        if self._written is None or self._written[0] != tasks:
            e = self.protected["e"][:, tasks.start : tasks.stop]
            self._written = tasks, self.hyper.generate(self.protected["theta"], e)
        return self._written[1]

    def counts(self) -> dict[str, int]:
        """Numbers of parameters: D, generator ("gan target"), its hypernetwork, and what of it is trained."""
        parts = {f"gan {name}": n for name, n in self.protected.counts().items()}
        return {"discriminator": self.discriminator.layout.size} | parts


class HNETGAN(hnet_r.HNETR):
    """Rehearsal of what the GAN draws."""

    Options = Options
    scannable = ("lr", "gan_lr", "gan_beta")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        rehearsal.Rehearsal.__init__(self, stream, scenario, options, replicas)  # HNETR's own would make its replay model
        self.replay = ReplayGAN(self.state, stream, options, replicas)

    def counts(self) -> dict[str, int]:
        counts = rehearsal.Rehearsal.counts(self) | self.replay.counts()
        return counts | {"trained": counts["trained"] + counts["discriminator"] + counts["gan trained"]}
