"""The variational autoencoder against torch's modules, distributions and a loop over samples."""

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from unforget import random
from unforget.nets import vae
from unforget.nets.layout import fan_in_uniform, xavier_uniform
from unforget.nets.vae import VAE

SEEDS = torch.arange(3)


def modules(sizes, flat, bias=True):
    """A plain stack of torch layers with these weights [W1, b1, ...]."""
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    nn.utils.vector_to_parameters(flat if bias else torch.cat([flat, torch.zeros(sizes[-1] // 2)]), net.parameters())
    return net


def parts(model, condition=None):
    encoder = fan_in_uniform(model.encoder, SEEDS, "encoder")
    decoder = fan_in_uniform(model.decoder.layout, SEEDS, "decoder")
    x = random.uniform(SEEDS, "x", 0, (5, 2, 6))
    noise = random.normal(SEEDS, "z", 0, (5, model.latent))
    mean, log_variance = model.encode(encoder, x)
    z = vae.reparametrise(mean, log_variance, noise)
    return encoder, decoder, x, noise, mean, log_variance, model.decode(decoder, z, condition)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("told", [0, 3])
def test_the_loss_equals_torch_distributions_one_sample_at_a_time(bias, told):
    model = VAE(12, (7, 6), (5, 8), latent=4, condition=told, log_variance_bias=bias)
    condition = random.normal(SEEDS, "condition", 0, (1, told)) if told else None
    encoder, decoder, x, noise, mean, log_variance, logits = parts(model, condition)
    total = vae.loss(logits, x, mean, log_variance)
    for s in range(3):
        encode, decode = modules((12, 7, 6, 8), encoder[s], bias), modules((4 + told, 5, 8, 12), decoder[s])
        losses = []
        for i in range(5):
            pixels = x[s, i].flatten()
            m, v = encode(pixels).split(4)
            q = Normal(m, v.exp().sqrt())
            z = q.loc + q.scale * noise[s, i]
            p = Bernoulli(logits=decode(torch.cat([z, condition[s, 0]]) if told else z), validate_args=False)
            kl = kl_divergence(q, Normal(torch.zeros(4), torch.ones(4))).sum()
            losses.append(-p.log_prob(pixels).mean() + kl / 12)
        torch.testing.assert_close(total[s], torch.stack(losses).mean(), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(
            vae.sample_losses(logits, x, mean, log_variance)[s], torch.stack(losses), rtol=1e-5, atol=1e-6
        )


def test_a_sample_is_the_probability_of_every_pixel():
    model = VAE(12, (7,), (5, 8), latent=4, condition=2)
    decoder = xavier_uniform(model.decoder.layout, SEEDS, "decoder")
    z, condition = random.normal(SEEDS, "z", 1, (6, 4)), random.normal(SEEDS, "c", 0, (1, 2))
    images = model.sample(decoder, z, condition)
    for s in range(3):
        decode = modules((6, 5, 8, 12), decoder[s])
        plain = torch.stack([torch.sigmoid(decode(torch.cat([z[s, i], condition[s, 0]]))) for i in range(6)])
        torch.testing.assert_close(images[s], plain, rtol=1e-5, atol=1e-6)
    assert images.min() > 0 and images.max() < 1


def test_inputs_shared_by_all_replicas():
    model = VAE(12, (7,), (5,), latent=4)
    encoder = fan_in_uniform(model.encoder, SEEDS, "encoder")
    x = random.uniform(SEEDS[:1], "x", 0, (5, 12))
    for shared, own in zip(model.encode(encoder, x), model.encode(encoder, x.expand(3, -1, -1)), strict=True):
        torch.testing.assert_close(shared, own)


def test_numbers_of_weights():
    # Table of parameters in von Oswald et al., appendix C: an encoder of 400, 400 and three decoders told by 100 numbers.
    assert VAE(784, (400, 400), (400, 400), condition=100).encoder.size == 554_600
    for hidden, size in (((400, 400), 555_184), ((50, 150), 136_084), ((250, 350), 413_284)):
        assert VAE(784, (400, 400), hidden, condition=100).decoder.layout.size == size
    # van de Ven: no condition, and 100 biases fewer.
    model = VAE(784, (400, 400), (400, 400), log_variance_bias=False)
    assert (model.encoder.size, model.decoder.layout.size) == (554_500, 515_184)
