"""What `runtime.settle` does to a process that trains."""

import pytest
import torch

from unforget import runtime
from unforget.methods.optim import Adam


@pytest.fixture
def unsettled():
    """Three threads and short products, until the test ends."""
    products = torch.backends.cuda.matmul, torch.backends.cudnn
    before = torch.get_num_threads(), [each.allow_tf32 for each in products]
    torch.set_num_threads(3)
    for each in products:
        each.allow_tf32 = True
    yield products
    torch.set_num_threads(before[0])
    for each, value in zip(products, before[1], strict=True):
        each.allow_tf32 = value


def test_a_settled_process_has_one_thread_and_full_float32_products(unsettled):
    runtime.settle()
    assert torch.get_num_threads() == 1
    assert not any(each.allow_tf32 for each in unsettled)


@pytest.fixture
def denormals():
    yield torch.set_flush_denormal
    torch.set_flush_denormal(False)


def test_denormal_moments_change_no_weight(denormals):
    """They are flushed to zero; a gradient that stays zero after one step leaves them behind."""

    def trained():
        weights, state = torch.full((1, 64), 0.3), {}
        adam = Adam(state, "adam", torch.tensor([1e-3]))
        adam.reset(weights)
        for step in range(900):
            adam.step(weights, torch.full_like(weights, 0.5 * (step == 0)))
        return weights, state["adam.m"]

    denormals(False)
    weights, moment = trained()
    assert 0 < moment[0, 0] < torch.finfo(torch.float32).tiny
    runtime.settle()
    flushed, zero = trained()
    assert torch.equal(weights, flushed) and not zero.any()
