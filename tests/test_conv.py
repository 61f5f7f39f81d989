"""Encoders and classifiers against torch's own modules, one replica at a time."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from unforget.nets.conv import Conv, Dense, Network, squared_gradients

ENCODER = Network((3, 9, 9), (Conv(5, 3, 2, 2), Conv(4, 2, 1, 0, norm=False, activation="relu", dropout=0.5)))
CLASSIFIER = Network((16,), (Dense(7, norm=True, activation="relu", dropout=0.4), Dense(6), Dense(4, activation="linear")))
SEEDS = torch.tensor([3, 4])
ACTIVATION = {"leaky_relu": nn.LeakyReLU, "relu": nn.ReLU, "linear": nn.Identity}


def plain(net, weights):
    """The same network as torch modules, without dropout; weights of one replica."""
    modules, tensors = [], net.layout.split(weights)
    for i, (layer, shape) in enumerate(zip(net.layers, net.shapes), 1):
        if isinstance(layer, Conv):
            module = nn.Conv2d(shape[0], layer.filters, layer.kernel, layer.stride, layer.padding)
            norm = nn.BatchNorm2d(layer.filters)
        else:
            module, norm = nn.Linear(shape[0], layer.neurons), nn.BatchNorm1d(layer.neurons)
        module.weight.data, module.bias.data = tensors[f"W{i}"].clone(), tensors[f"b{i}"].clone()
        modules.append(module)
        if layer.norm:
            norm.weight.data, norm.bias.data = tensors[f"gamma{i}"].clone(), tensors[f"beta{i}"].clone()
            modules.append(norm)
        modules.append(ACTIVATION[layer.activation]())
    return nn.Sequential(*modules, nn.Flatten())


def prepared(net):
    """Weights with shaken batch normalisation, and fresh statistics."""
    weights = net.initial(SEEDS, "t") + 0.1 * torch.randn(2, net.layout.size)
    return weights, net.fresh_statistics(2, weights.device)


def bare(net):
    """Without dropout."""
    return Network(net.input_shape, tuple(replace(layer, dropout=0.0) for layer in net.layers))


TRAINING = torch.empty(2, 11, 0)  # no dropout needs no numbers, but says that the network trains


@pytest.mark.parametrize("net", [ENCODER, CLASSIFIER])
def test_training_equals_torch_modules_in_outputs_statistics_and_gradients(net):
    net = bare(net)
    weights, statistics = prepared(net)
    others = [plain(net, w) for w in weights]
    for _ in range(3):
        flat, x, target = weights.clone().requires_grad_(), torch.randn(2, 11, *net.input_shape), torch.randn(11, net.features)
        out = net.apply(flat, x, statistics, TRAINING)
        (gradient,) = torch.autograd.grad((out - target).square().mean((1, 2)).sum(), flat)
        for s, other in enumerate(others):
            other.zero_grad()
            expected = other(x[s])
            (expected - target).square().mean().backward()
            torch.testing.assert_close(out[s], expected, rtol=1e-4, atol=1e-5)
            theirs = torch.cat([p.grad.flatten() for p in other.parameters()])
            torch.testing.assert_close(gradient[s], theirs, rtol=1e-3, atol=1e-6)
            for i, layer in enumerate(net.layers, 1):
                if layer.norm:
                    assert (gradient[s, net.layout.slice(f"b{i}")] == 0).all(), "no rounding noise for Adam to blow up"
    for s, other in enumerate(others):
        norms = [m for m in other if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
        for i, norm in enumerate(norms, 1):
            torch.testing.assert_close(statistics[f"mean{i}"][s] + plain_bias(net, weights[s], i), norm.running_mean)
            torch.testing.assert_close(statistics[f"var{i}"][s], norm.running_var)


def plain_bias(net, weights, i):
    """What the modules' running mean holds and ours does not: the bias, from three batches with momentum 0.1."""
    return net.layout.split(weights)[f"b{i}"] * (1 - 0.9**3)


@pytest.mark.parametrize("net", [ENCODER, CLASSIFIER])
def test_evaluation_equals_torch_modules(net):
    weights, statistics = prepared(net)
    for name, value in statistics.items():
        value.copy_(torch.rand_like(value) + (0.5 if "var" in name else 0))
    x = torch.randn(1, 6, *net.input_shape)
    before = {k: v.clone() for k, v in statistics.items()}
    out = net.apply(weights, x, statistics)
    assert all(torch.equal(before[k], statistics[k]) for k in before)
    for s in range(2):
        other, seen = plain(net, weights[s]).eval(), 0
        norms = [m for m in other if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
        for i, layer in enumerate(net.layers, 1):
            if layer.norm:
                bias = net.layout.split(weights[s])[f"b{i}"]
                norms[seen].running_mean, norms[seen].running_var = statistics[f"mean{i}"][s] + bias, statistics[f"var{i}"][s]
                seen += 1
        torch.testing.assert_close(out[s], other(x[0]), rtol=1e-4, atol=1e-5)


def test_dropout_drops_whole_channels_at_its_rate_and_keeps_the_mean():
    net = Network((1, 4, 4), (Conv(200, 1, 1, 0, norm=False, activation="linear", dropout=0.3),))
    weights = net.initial(SEEDS, "t")
    x, draws = torch.rand(2, 50, 1, 4, 4) + 0.5, torch.rand(2, 50, net.draws)
    dropped = net.apply(weights, x, {}, draws).view(2, 50, 200, 16)
    whole = net.apply(weights, x, {}).view(2, 50, 200, 16)
    kept = draws >= 0.3
    assert abs(kept.float().mean() - 0.7) < 0.01
    torch.testing.assert_close(dropped, whole * (kept / 0.7)[..., None])


def test_squared_gradients_equal_a_loop_over_samples():
    weights, statistics = prepared(ENCODER)
    for name, value in statistics.items():
        value.copy_(torch.rand_like(value) + (0.5 if "var" in name else 0))
    x = torch.randn(2, 7, 3, 9, 9)
    found = squared_gradients(ENCODER, weights, x, statistics, lambda f: -f.log_softmax(-1).amax(-1))
    slow = torch.zeros_like(weights)
    for i in range(7):
        flat = weights.clone().requires_grad_()
        loss = -ENCODER.apply(flat, x[:, i : i + 1], statistics).log_softmax(-1).amax(-1)
        slow += torch.autograd.grad(loss.sum(), flat)[0] ** 2
    torch.testing.assert_close(found, slow, rtol=1e-4, atol=1e-7)


PAIRWISE = Network((1, 28, 28), (Conv(16, 5, 3, 2), Conv(32, 2, 3, 0)))
FASHION = Network((1, 28, 28), (Conv(32, 5, 3, 2), Conv(64, 2, 3, 0)))
COLOUR = Network((3, 32, 32), (Conv(36, 3, 2, 2), Conv(99, 2, 1, 1)))


@pytest.mark.parametrize("net, shapes, size", [
    (PAIRWISE, [(1, 28, 28), (16, 10, 10), (32, 3, 3)], 2_592), (FASHION, [(1, 28, 28), (32, 10, 10), (64, 3, 3)], 9_280),
    (COLOUR, [(3, 32, 32), (36, 17, 17), (99, 18, 18)], 15_633),
])  # fmt: skip
def test_encoders_of_the_paper(net, shapes, size):
    assert net.shapes == shapes and net.layout.size == size


@pytest.mark.parametrize("inputs, sizes, norm, size", [
    (288, (60, 10, 10), False, 18_060), (576, (60, 10, 10), False, 35_340), (300, (60, 10, 10), False, 18_780),
    (32_076, (200, 100, 100), True, 6_446_400), (2_800, (200, 100, 100), False, 590_400),
])  # fmt: skip
def test_classifiers_of_the_paper(inputs, sizes, norm, size):
    assert Network((inputs,), tuple(Dense(n, norm) for n in sizes)).layout.size == size


def test_initial_weights_are_torchs_and_batch_normalisation_the_identity():
    tensors = COLOUR.layout.split(COLOUR.initial(SEEDS, "t"))
    assert 0.95 * 27**-0.5 < tensors["W1"].abs().max() <= 27**-0.5 and tensors["b2"].abs().max() <= (36 * 4) ** -0.5
    assert (tensors["gamma1"] == 1).all() and (tensors["beta2"] == 0).all()
