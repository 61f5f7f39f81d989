"""A variational autoencoder (Kingma & Welling 2014) with fully connected halves, as pure functions of flat weights.

HNET's replay model (von Oswald et al. 2020, appendix C) has a decoder whose weights a hypernetwork writes and that is
told the task by a condition; that of van de Ven & Tolias (2018) has neither, and no bias where it puts out log variances.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from unforget.nets.layout import Layout, linear_shapes
from unforget.nets.mlp import MLP, linear


@dataclass(frozen=True)
class VAE:
    """Inputs in [0, 1], `latent` code units z ~ N(0, I), ReLU hidden layers.

    `condition` counts the numbers that the decoder is given beside z. `log_variance_bias` says whether the encoder's
    outputs for log variances have biases; those for means always do.
    """

    inputs: int
    encoder_hidden: tuple[int, ...]
    decoder_hidden: tuple[int, ...]
    latent: int = 100
    condition: int = 0
    log_variance_bias: bool = True

    @cached_property
    def encoder(self) -> Layout:
        """The encoder's tensors: one output layer for means and log variances, in this order."""
        shapes = linear_shapes((self.inputs, *self.encoder_hidden, 2 * self.latent))
        if not self.log_variance_bias:
            shapes[f"b{len(self.encoder_hidden) + 1}"] = (self.latent,)
        return Layout(shapes)

    @cached_property
    def decoder(self) -> MLP:
        """[z, condition] to one logit per pixel; `decoder.layout` is what a hypernetwork writes."""
        return MLP((self.latent + self.condition, *self.decoder_hidden, self.inputs))

    def encode(self, weights: Float[Tensor, "S encoder"], x: Float[Tensor, "#S B ..."]) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the code of every input: twice [S, B, latent]."""
        tensors, last = self.encoder.split(weights), len(self.encoder_hidden) + 1
        h = x.flatten(2)
        h = h.expand(len(weights), *h.shape[1:])
        for i in range(1, last):
            h = F.relu(linear(h, tensors[f"W{i}"], tensors[f"b{i}"]))
        bias = tensors[f"b{last}"]
        bias = F.pad(bias, (0, 2 * self.latent - bias.shape[-1]))
        mean, log_variance = linear(h, tensors[f"W{last}"], bias).chunk(2, -1)
        return mean, log_variance

    def decode(
        self,
        weights: Float[Tensor, "S decoder"],
        z: Float[Tensor, "S B latent"],
        condition: Float[Tensor, "#S #B condition"] | None = None,
    ) -> Float[Tensor, "S B inputs"]:
        """Logits of the pixels."""
        if condition is not None:
            z = torch.cat([z, condition.expand(*z.shape[:2], -1)], -1)
        return self.decoder.apply(weights, z)

    def sample(
        self,
        weights: Float[Tensor, "S decoder"],
        z: Float[Tensor, "S B latent"],
        condition: Float[Tensor, "#S #B condition"] | None = None,
    ) -> Float[Tensor, "S B inputs"]:
        """Images for codes drawn from N(0, I): the pixels' probabilities serve as grey values."""
        return self.decode(weights, z, condition).sigmoid()


def reparametrise(
    mean: Float[Tensor, "S B latent"], log_variance: Float[Tensor, "S B latent"], noise: Float[Tensor, "S B latent"]
) -> Float[Tensor, "S B latent"]:
    """z = mean + standard deviation · noise, for noise drawn from N(0, I)."""
    return mean + (0.5 * log_variance).exp() * noise


def sample_losses(
    logits: Float[Tensor, "S B inputs"],
    x: Float[Tensor, "#S B ..."],
    mean: Float[Tensor, "S B latent"],
    log_variance: Float[Tensor, "S B latent"],
) -> Float[Tensor, "S B"]:
    """Of every sample: binary cross-entropy averaged over the pixels + KL(N(mean, variance) ‖ N(0, I)) / pixels."""
    pixels = x.flatten(2).expand(len(logits), -1, -1)
    reconstruction = F.binary_cross_entropy_with_logits(logits, pixels, reduction="none").mean(-1)
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)
    return reconstruction + divergence / logits.shape[-1]


def loss(
    logits: Float[Tensor, "S B inputs"],
    x: Float[Tensor, "#S B ..."],
    mean: Float[Tensor, "S B latent"],
    log_variance: Float[Tensor, "S B latent"],
) -> Float[Tensor, "S"]:
    """The batch mean of `sample_losses`, per replica."""
    return sample_losses(logits, x, mean, log_variance).mean(1)
