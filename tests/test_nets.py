import pytest
import torch
import torch.nn.functional as F
from benchmarks.reference import cut, fisher, mlp

from unforget.nets.fisher import squared_gradients
from unforget.nets.layout import Layout, fan_in_uniform, xavier_uniform
from unforget.nets.mlp import MLP

SEEDS = torch.tensor([3, 4])


def test_layout_splits_joins_and_finds():
    layout = Layout({"W": (2, 3), "b": (2,)})
    flat = torch.arange(16.0).view(2, 8)
    parts = layout.split(flat)
    assert parts["W"].shape == (2, 2, 3) and parts["b"].shape == (2, 2)
    assert torch.equal(layout.join(parts), flat) and torch.equal(flat[:, layout.slice("b")], parts["b"])


@pytest.mark.parametrize("sizes, size", [((784, 400, 400, 10), 478_410), ((784, 400, 400, 2), 475_202),
    ((1024, 1000, 1000, 100), 2_126_100), ((1024, 1000, 1000, 10), 2_036_010), ((1024, 100, 100, 100), 122_700),
    ((1024, 500, 500, 100), 813_100), ((1024, 2000, 2000, 100), 6_252_100), ((1, 10, 10, 1), 141),
    ((1024, 1000, 1000, 200), 2_226_200), ((784, 400, 400, 200), 554_600)])  # fmt: skip
def test_sizes_of_target_networks(sizes, size):
    assert MLP(sizes).layout.size == size


def test_mlp_equals_a_plain_one_per_replica():
    net = MLP((5, 7, 6, 4), "elu")
    weights, x = torch.randn(2, net.layout.size), torch.randn(2, 9, 5)
    for s in range(2):
        plain = mlp(F.elu)(cut(weights[s], net.layout.shapes.values()), x[s])
        torch.testing.assert_close(net.apply(weights, x)[s], plain)
    torch.testing.assert_close(net.apply(weights, x[:1])[1], net.apply(weights[1:], x[:1])[0])


def test_fisher_equals_the_per_sample_loop():
    net = MLP((5, 7, 4))
    weights, x = torch.randn(2, net.layout.size), torch.randn(1, 11, 5)
    found = squared_gradients(net, weights, x, lambda z: -z.log_softmax(-1).amax(-1))
    for s in range(2):
        tensors = cut(weights[s], net.layout.shapes.values())
        slow = fisher(mlp(), tensors, x[0], lambda z, i: -z.log_softmax(-1).max())
        torch.testing.assert_close(found[s], torch.cat([f.flatten() for f in slow]), rtol=1e-4, atol=1e-6)


def test_initial_values_have_their_bounds():
    layout = MLP((50, 30, 20)).layout
    xavier, fan_in = xavier_uniform(layout, SEEDS, "t"), fan_in_uniform(layout, SEEDS, "t")
    parts = layout.split(xavier)
    assert 0.95 * (6 / 80) ** 0.5 < parts["W1"].abs().max() < (6 / 80) ** 0.5 and parts["b1"].abs().max() == 0
    parts = layout.split(fan_in)
    assert 0.95 * 50**-0.5 < parts["W1"].abs().max() < 50**-0.5
    assert 30**-0.5 > parts["b2"].abs().max() > 0.8 * 30**-0.5


def test_a_kernel_counts_once_per_pixel():
    parts = Layout({"K": (32, 16, 3, 3), "b": (32,)})
    xavier, fan_in = (parts.split(f(parts, SEEDS, "t"))["K"].abs().max() for f in (xavier_uniform, fan_in_uniform))
    assert 0.98 < xavier / (6 / (9 * 48)) ** 0.5 <= 1 and 0.98 < fan_in / (9 * 16) ** -0.5 <= 1
