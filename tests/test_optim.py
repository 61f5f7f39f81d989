import pytest
import torch

from unforget.methods.optim import Adam


def stacked(lr, steps=12, active=None, fused=True):
    """Weights after some steps with fixed random gradients, and the optimiser."""
    g = torch.Generator().manual_seed(0)
    weights, state = torch.randn(3, 10, generator=g), {}
    gradients = [torch.randn(3, 10, generator=g) for _ in range(steps)]
    adam = Adam(state, "adam", torch.tensor(lr), fused=fused)
    adam.reset(weights)
    start = weights.clone()
    for i, gradient in enumerate(gradients):
        adam.step(weights, gradient, active(i) if active else None)
    return start, gradients, weights, adam


@pytest.mark.parametrize("lr", [[1e-2, 1e-2, 1e-2], [1e-1, 1e-2, 1e-3]], ids=["one rate (fused)", "a rate each (plain)"])
def test_stacked_adam_equals_separate_adams(lr):
    start, gradients, weights, adam = stacked(lr)
    assert (adam.fused_lr is None) == (len(set(lr)) > 1)
    for s in range(3):
        alone = start[s].clone().requires_grad_()
        torch_adam = torch.optim.Adam([alone], lr=lr[s])
        for gradient in gradients:
            alone.grad = gradient[s].clone()
            torch_adam.step()
        torch.testing.assert_close(weights[s], alone.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lr", [[1e-2] * 3, [1e-1, 1e-2, 1e-3]])
def test_look_ahead_is_the_step_that_would_be_made(lr):
    _, gradients, weights, adam = stacked(lr)
    before = {name: value.clone() for name, value in adam.state.items()}
    change = adam.lookahead(gradients[3])
    assert all(torch.equal(before[name], adam.state[name]) for name in before)
    expected = weights + change
    adam.step(weights, gradients[3])
    torch.testing.assert_close(weights, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("fused", [True, False])
def test_a_schedule_scales_the_step(fused):
    _, gradients, weights, adam = stacked([1e-2] * 3, fused=fused)
    whole, tenth = adam.lookahead(gradients[0]), adam.lookahead(gradients[0], rate=0.1)
    torch.testing.assert_close(tenth, whole / 10, rtol=1e-4, atol=1e-8)
    expected = weights + tenth
    adam.step(weights, gradients[0], rate=0.1)
    torch.testing.assert_close(weights, expected)


def test_inactive_replicas_stand_still():
    _, _, weights, _ = stacked([1e-2] * 3, steps=5)
    _, _, masked, adam = stacked(
        [1e-2] * 3, steps=9, active=lambda i: torch.tensor([True, i < 5, True]), fused=False
    )
    torch.testing.assert_close(masked[1], weights[1])
    assert adam.state["adam.t"].tolist() == [9, 5, 9]
