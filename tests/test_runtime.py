"""What `runtime.settle` does to a process that trains; that it has denormals flushed is in test_optim."""

import pytest
import torch

from unforget import runtime


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
