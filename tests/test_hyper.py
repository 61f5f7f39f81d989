from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from benchmarks.reference import cut, mlp

from unforget import random
from unforget.hyper import regulariser
from unforget.hyper.chunked import ChunkedHypernet
from unforget.nets.layout import Layout, linear_shapes
from unforget.nets.mlp import MLP


def cifar(channels, classifier, norm=False):
    """Shapes of a network for split CIFAR: 3×3 convolutions with biases, then fully connected layers."""
    convolutions = {f"conv{i}": (n_out, n_in, 3, 3) for i, (n_in, n_out) in enumerate(pairwise(channels))}
    biases = {f"bias{i}": (n,) for i, n in enumerate(channels[1:])}
    norms = {f"{part}{i}": (n,) for part in ("gain", "offset") for i, n in enumerate(channels[1:])} if norm else {}
    return Layout({**convolutions, **biases, **norms, **linear_shapes(classifier)})


CLASSES = 60  # six heads of ten
N = 5
STAGES = [width for width in (16, 32, 64) for _ in range(2 * N)]
# He et al.: 6n + 2 layers, shortcuts without weights, a batch norm after every convolution, global average pooling.
RESNET_32 = cifar((3, 16, *STAGES), (64, CLASSES), norm=True)
# Zenke et al.: of two convolutions the first is padded and the second is not; pooling halves what is left of 32 pixels.
SIDE = ((32 - 2) // 2 - 2) // 2
ZENKENET = cifar((3, 32, 32, 64, 64), (64 * SIDE**2, 512, CLASSES))

# Configuration: sizes or layout of the target, hidden, e, c, chunk, tasks -> chunks, used of the last, θ, embeddings.
COUNTS = {
    "P10 CL1, CL3": ((1024, 1000, 1000, 100), (25, 25), 24, 8, 78_000, 10, 28, 20_100, 2_029_699, 240),
    "P10 CL2": ((1024, 1000, 1000, 10), (25, 25), 24, 8, 78_000, 10, 27, 8_010, 2_029_691, 240),
    "P10 VAE decoder, TIR": ((200, 1000, 1000, 1024), (25, 25), 24, 8, 85_000, 9, 27, 17_024, 2_211_691, 216),
    "P10 VAE decoder, R": ((200, 400, 400, 1024), (25, 25), 24, 8, 85_000, 9, 8, 56_424, 2_211_539, 216),
    "S CL1, CL3": ((784, 400, 400, 10), (10, 10), 96, 96, 42_000, 5, 12, 16_410, 465_192, 480),
    "S CL2": ((784, 400, 400, 2), (10, 10), 96, 96, 42_000, 5, 12, 13_202, 465_192, 480),
    "S VAE, related work": ((200, 400, 400, 784), (10, 10), 96, 96, 50_000, 4, 12, 5_184, 553_192, 384),
    "S VAE decoder, TIR": ((200, 50, 150, 784), (10, 10), 96, 96, 50_000, 4, 3, 36_084, 552_328, 384),
    "S VAE decoder, R": ((200, 250, 350, 784), (10, 10), 96, 96, 50_000, 4, 9, 13_284, 552_904, 384),
    "P100 CL1, CL3": ((1024, 1000, 1000, 1000), (200, 250, 350), 128, 12, 7_500, 100, 404, 4_500, 2_803_648, 12_800),
    "P100 CL2, paper": ((1024, 1000, 1000, 10), (200, 250, 300), 128, 12, 6_000, 100, 340, 2_010, 1_963_830, 12_800),
    "P100 CL2, code": ((1024, 1000, 1000, 10), (200, 250, 350), 128, 12, 7_500, 100, 272, 3_510, 2_802_064, 12_800),
    "Figure A2b": ((1024, 1000, 1000, 1000), (200, 250, 300), 128, 12, 6_000, 100, 505, 3_000, 1_965_810, 12_800),
    "P100 VAE decoder": ((200, 400, 600, 1024), (100,), 128, 12, 20_000, 99, 47, 16_424, 2_034_664, 12_672),
    "P250 CL1": ((1024, 1000, 1000, 2500), (200, 250, 350), 128, 12, 12_000, 250, 378, 4_500, 4_382_836, 32_000),
    "P10 small": ((1024, 100, 100, 100), (100, 75, 50), 64, 12, 2_000, 10, 62, 700, 121_819, 640),
    "P50 small": ((1024, 100, 100, 500), (100, 100), 64, 12, 2_000, 50, 82, 1_100, 220_784, 3_200),
    "ResNet-32": (RESNET_32, (), 32, 32, 7_000, 6, 67, 6_540, 457_144, 192),
    "ZenkeNet": (ZENKENET, (100, 150, 200), 48, 80, 5_500, 6, 233, 508, 1_182_390, 288),
    "toy": ((1, 10, 10, 1), (10, 10), 2, 0, None, 3, 1, 141, 1_691, 6),
}
# Weights of the target, and all trained parameters in proportion to them (the paper prints the 1.37).
TARGETS = {
    "P10 CL1, CL3": (2_126_100, 0.955), "P10 CL2": (2_036_010, 0.997), "P10 VAE decoder, TIR": (2_227_024, 0.993),
    "P10 VAE decoder, R": (651_424, 3.40), "S CL1, CL3": (478_410, 0.973), "S CL2": (475_202, 0.980),
    "S VAE, related work": (555_184, 0.997), "S VAE decoder, TIR": (136_084, 4.06), "S VAE decoder, R": (413_284, 1.34),
    "P100 CL1, CL3": (3_027_000, 0.930), "P100 CL2, paper": (2_036_010, 0.971), "P100 CL2, code": (2_036_010, 1.38),
    "Figure A2b": (3_027_000, 0.654), "P100 VAE decoder": (936_424, 2.19), "P250 CL1": (4_528_500, 0.975),
    "P10 small": (122_700, 0.998), "P50 small": (163_100, 1.37), "ResNet-32": (468_540, 0.976),
    "ZenkeNet": (1_276_508, 0.926), "toy": (141, 12.0),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_parameter_counts(name):
    target, hidden, e, c, chunk, tasks, chunks, last, theta, embeddings = COUNTS[name]
    layout = target if isinstance(target, Layout) else MLP(target).layout
    net = ChunkedHypernet(layout, hidden, e, c, chunk)
    assert (layout.size, float(f"{(net.layout.size + tasks * e) / layout.size:.3g}")) == TARGETS[name]
    assert (net.chunks, net.last_used, net.layout.size, tasks * e) == (chunks, last, theta, embeddings)


def small(dtype=torch.float64):
    net = ChunkedHypernet(Layout({"W": (100, 10)}), (7, 5), 6, 4, 130)
    g = torch.Generator().manual_seed(1)
    theta = net.initial(torch.arange(3)).to(dtype)
    e = torch.randn(3, 4, 6, generator=g, dtype=dtype)
    ahead = theta + 0.05 * torch.randn(theta.shape, generator=g, dtype=dtype)
    return net, theta, e, ahead


def test_generated_weights_equal_chunk_by_chunk_generation():
    net, theta, e, _ = small()
    generated = net.generate(theta, e)
    assert generated.shape == (3, 4, 1000)
    for s in range(3):
        *layers, c = cut(theta[s], net.layout.shapes.values())
        for t in range(4):
            rows = [mlp(F.elu)(layers, torch.cat([e[s, t], c[j]])[None])[0] for j in range(net.chunks)]
            torch.testing.assert_close(generated[s, t], torch.cat(rows)[:1000])


def value_and_gradients(function, at, e, weights):
    leaves = at.clone().requires_grad_(), e.clone().requires_grad_()
    value = function(*leaves)
    return value.detach(), *torch.autograd.grad((value * weights).sum(), leaves)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("form", ["direct", "gram", "weighted"])
@pytest.mark.parametrize("old", [1, 4])
def test_regulariser_equals_the_plain_sum(dtype, tolerance, form, old):
    net, theta, e, ahead = small(dtype)
    e = e[:, :old]
    targets = net.generate(theta, e)
    importance = torch.rand(targets.shape, generator=torch.Generator().manual_seed(2), dtype=dtype)
    fast = {
        "direct": regulariser.Direct(net, targets), "gram": regulariser.Gram(net, theta, e),
        "weighted": regulariser.Direct(net, targets, importance),
    }[form]  # fmt: skip
    factor = importance if form == "weighted" else 1.0
    weights = torch.tensor([1.0, 2.0, 3.0], dtype=dtype)
    moved = e + 0.01  # plastic embeddings move, too
    value, *gradients = value_and_gradients(fast, ahead, moved, weights)
    plain, *plain_gradients = value_and_gradients(
        lambda at, e: ((net.generate(at, e) - targets) ** 2 * factor).sum((1, 2)), ahead, moved, weights
    )
    torch.testing.assert_close(value, plain, rtol=tolerance, atol=0)
    for gradient, other in zip(gradients, plain_gradients, strict=True):
        assert (gradient - other).norm() <= tolerance * other.norm()


def test_regulariser_is_zero_where_nothing_moved():
    net, theta, e, _ = small(torch.float32)
    for form in (regulariser.Gram(net, theta, e), regulariser.Direct(net, net.generate(theta, e))):
        value, gradient, _ = value_and_gradients(form, theta, e, torch.ones(3))
        assert value.abs().max() < 1e-8 and gradient.abs().max() < 1e-4


@pytest.mark.parametrize("sizes, hidden, e, c, chunk, activation, expected", [
    ((1024, 1000, 1000, 100), (25, 25), 24, 8, 78_000, "elu", 0.015),
    ((784, 400, 400, 10), (10, 10), 96, 96, 42_000, "relu", 0.012),
    ((1024, 100, 100, 100), (100, 75, 50), 64, 12, 2_000, "elu", 0.138),
])  # fmt: skip
def test_spread_of_generated_weights_at_the_start(sizes, hidden, e, c, chunk, activation, expected):
    net = ChunkedHypernet(MLP(sizes).layout, hidden, e, c, chunk, activation)
    spreads = []
    for seed in range(16):  # a single small ReLU network spreads by a factor
        seeds = torch.tensor([seed])
        spreads.append(net.generate(net.initial(seeds), random.normal(seeds, "e", 0, (1, e))).std())
    assert 0.7 * expected < torch.stack(spreads).mean() < 1.3 * expected
