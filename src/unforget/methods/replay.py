"""The replay model of HNET+R and HNET+TIR: a variational autoencoder whose decoder a protected hypernetwork writes.

Von Oswald et al. (2020), appendices B and C. It sees images of the task in training only, never its own. Encoder Θ_enc, θ
and e minimise L_VAE (Eq. 3) plus the output regulariser, which holds the decoders of old tasks; the encoder is one for all
tasks and held by nothing. Images of task t are what its decoder makes of z ~ N(0, I) and the task's condition.

The last task needs no replay, so there are embeddings for T−1 tasks and no training at the last one.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from unforget import random
from unforget.data.streams import Batch, Stream
from unforget.errors import UnforgetError
from unforget.hyper.chunked import ChunkedHypernet
from unforget.methods import protected
from unforget.methods.base import Phase, Replicas
from unforget.methods.optim import Adam
from unforget.nets import vae
from unforget.nets.layout import xavier_uniform
from unforget.nets.mlp import Activation


@dataclass(frozen=True)
class Options:
    """Sizes for Split MNIST; `vae_hyper_` and embeddings are those of the hypernetwork that writes the decoder.

    `vae_condition` is what the decoder is told of the task beside its weights, `vae_condition_size` numbers: a constant
    draw from N(0, I) (appendix C), a one-hot vector filled up with zeros (appendix B, published code) or nothing.
    `vae_show`: so many images of every task, the last one included, are kept as drawn right after it was learned, to be
    held beside those drawn at the end (Fig. A8).
    """

    vae_encoder: tuple[int, ...] = (400, 400)
    vae_decoder: tuple[int, ...] = (250, 350)
    vae_latent: int = 100
    vae_condition: Literal["gaussian", "one-hot", "nothing"] = "gaussian"
    vae_condition_size: int = 100
    vae_hyper_hidden: tuple[int, ...] = (10, 10)
    vae_hyper_activation: Activation = "elu"
    vae_task_embedding: int = 96
    vae_chunk_embedding: int = 96
    vae_chunk_size: int | None = 50_000
    vae_beta: float = 0.01
    vae_show: int | None = None


class ReplayModel:
    """A part that learners hold: Θ_enc, θ and e in the learner's state, and a phase that trains them."""

    def __init__(self, state: dict[str, Tensor], stream: Stream, options: Options, replicas: Replicas):
        """`options` are the learner's: beside those declared here they have `lr`, `iterations` and `batch`."""
        o = options
        self.state, self.stream, self.options, self.seeds = state, stream, options, replicas.seed_tensor
        self.tasks = stream.tasks - (o.vae_show is None)
        self.condition = self._conditions()
        size = self.condition.shape[-1]
        inputs = torch.Size(stream.input_shape).numel()
        self.vae = vae.VAE(inputs, o.vae_encoder, o.vae_decoder, o.vae_latent, size)
        self.hyper = self.make_hypernetwork()
        # Its own strength where strengths are scanned: "beta" is that of the classifier.
        strengths = {"beta": tuple(replicas.value("vae_beta", o.vae_beta).tolist())}
        own = replace(replicas, scan={**replicas.scan, **strengths})
        training = protected.Options(lr=o.lr, beta=o.vae_beta)
        self.decoder = protected.Protected(state, "vae.", self.hyper, self.tasks, training, own)
        state["vae.encoder"] = xavier_uniform(self.vae.encoder, self.seeds, "vae.encoder")
        self.adam = Adam(state, "vae.adam_encoder", replicas.value("lr", o.lr))
        if o.vae_show:
            state["vae.shown"] = torch.zeros(len(replicas), self.tasks, o.vae_show, inputs, device=replicas.device)
        self._written: tuple[range, Tensor] | None = None  # derived from the state, so not part of it

    def make_hypernetwork(self) -> ChunkedHypernet:
        """What writes the decoder."""
        o = self.options
        return ChunkedHypernet(
            self.vae.decoder.layout, o.vae_hyper_hidden, o.vae_task_embedding, o.vae_chunk_embedding, o.vae_chunk_size,
            o.vae_hyper_activation,
        )  # fmt: skip

    def _conditions(self) -> Float[Tensor, "S T size"]:
        """What the decoder is told of each task. A function of the seed, so not part of the state."""
        kind, size = self.options.vae_condition, self.options.vae_condition_size
        if kind == "gaussian":
            return random.normal(self.seeds, "vae.condition", 0, (self.tasks, size))
        if kind == "nothing":
            return torch.zeros(len(self.seeds), self.tasks, 0, device=self.seeds.device)
        if size < self.tasks:
            raise UnforgetError(f"one-hot conditions of {self.tasks} tasks need vae_condition_size of at least that; got {size}")
        return torch.eye(self.tasks, size, device=self.seeds.device).expand(len(self.seeds), -1, -1)

    def phases(self, stage: int) -> list[Phase]:
        """One phase, or none at the last task."""
        if stage >= self.tasks:
            return []
        o = self.options
        batches = self.stream.stages[stage].batches(self.seeds, f"vae.batches/{stage}", o.batch)
        return [Phase("replay model", o.iterations, batches, partial(self.step, stage), partial(self.begin, stage))]

    def begin(self, stage: int) -> None:
        """Keep θ*; three fresh Adams."""
        self.decoder.begin(stage)
        self.adam.reset(self.state["vae.encoder"])

    def step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """One step of encoder, θ and e on L_VAE, θ also on the regulariser."""
        self._written = None
        x, encoder = batch.x.flatten(2), self.state["vae.encoder"].detach().requires_grad_()
        mean, log_variance = self.vae.encode(encoder, x)
        noise = random.normal(self.seeds, f"vae.noise/{stage}", step, mean.shape[1:])
        z = vae.reparametrise(mean, log_variance, noise)
        logits = self.vae.decode(self.decoder.write(stage), z, self.condition[:, stage, None])
        (gradient,) = self.decoder.learn(stage, step, vae.loss(logits, x, mean, log_variance), encoder)
        self.adam.step(self.state["vae.encoder"], gradient)

    def end_stage(self, stage: int) -> None:
        """Where images are shown: draw those of the task just learned."""
        if self.options.vae_show:
            self.state["vae.shown"][:, stage] = self.show(stage)

    def show(self, task: int) -> Float[Tensor, "S n inputs"]:
        """`vae_show` images of a task as its decoder draws them now, always of the same codes."""
        return self.sample(f"vae.show/{task}", 0, range(task, task + 1), self.options.vae_show)[:, 0]

    @torch.no_grad()
    def sample(self, stream: str, step: "int | Tensor", tasks: range, count: int) -> Float[Tensor, "S T count inputs"]:
        """`count` images of each of these tasks, for z drawn from the named random stream at a step."""
        z = random.normal(self.seeds, stream, step, (len(tasks), count, self.options.vae_latent))
        condition = self.condition[:, tasks.start : tasks.stop, None]
        # Tasks lie on the replica axis: one pass through all decoders.
        images = self.vae.sample(*(part.flatten(0, 1) for part in (self.decoders(tasks), z, condition)))
        return images.unflatten(0, z.shape[:2])

    def decoders(self, tasks: range) -> Float[Tensor, "S T decoder"]:
        """Written weights of these tasks' decoders, kept until the next step."""
        if self._written is None or self._written[0] != tasks:
            e = self.decoder["e"][:, tasks.start : tasks.stop]
            self._written = tasks, self.hyper.generate(self.decoder["theta"], e)
        return self._written[1]

    def counts(self) -> dict[str, int]:
        """Numbers of parameters: encoder, decoder ("vae target"), its hypernetwork, and what of it is trained."""
        return {"encoder": self.vae.encoder.size} | {f"vae {name}": n for name, n in self.decoder.counts().items()}
