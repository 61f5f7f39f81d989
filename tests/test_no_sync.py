"""No step waits for the device: it neither reads a value back to the host nor sends one there.

On a CPU what would wait on CUDA is refused; where there is CUDA, torch itself refuses it. HRN is exempt by nature: a
sample's route through the units is chosen on the host, from hashes of its features.
"""

from contextlib import contextmanager

import pytest
import tiny
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from unforget import data
from unforget.methods import METHODS

CASES = tuple((method, {}) for method in METHODS if method != "hrn") + (
    ("hnet", {"importance": "fisher"}), ("hnet", {"subset": 1}), ("hnet", {"plastic": True}), ("hnet", {"form": "gram"}),
    ("hnet", {"form": "direct"}), ("hnet", {"look_ahead": False}), ("hnet", {"smoothing": 0.1}),
    ("hnet-r", {"vae_condition": "one-hot"}), ("ewc-encoder", {"fisher": "standard"}), ("ell", {"distillation": "lwf"}),
)  # fmt: skip
"""Every method whose steps stay on the device, with defaults and with options that change its step."""
NAMES = ["-".join((method, *(f"{name}={value}" for name, value in changes.items()))) for method, changes in CASES]
cases = pytest.mark.parametrize("method, changes", CASES, ids=NAMES)


class Waited(Exception):
    """An operation that waits for the device."""


READS = {"_local_scalar_dense", "item", "is_nonzero", "equal"}
SIZES_FROM_VALUES = {
    "nonzero", "masked_select", "_unique", "_unique2", "unique_dim", "unique_consecutive", "unique_dim_consecutive", "bincount",
}  # fmt: skip
"""The shape of what they return depends on values, so the host has to know these."""
READING_METHODS = {"cpu", "numpy", "tolist", "item", "__bool__", "__float__", "__int__", "__index__", "__array__"}
SENDING = {"tensor", "as_tensor", "asarray", "from_numpy", "new_tensor"}


class _RefuseOperations(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function.overloadpacket.__name__
        masks = name in ("index", "index_put", "index_put_", "_index_put_impl_") and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )
        repeats = function is torch.ops.aten.repeat_interleave.Tensor and kwargs.get("output_size") is None
        # A list as an index. A number that fills a slice comes this way, too, as a tensor without axes, and does not wait.
        sends = name == "lift_fresh" and args[0].ndim > 0
        moves = name == "copy_" and args[0].device != args[1].device
        moves |= name == "_to_copy" and kwargs.get("device", args[0].device) != args[0].device
        if name in READS | SIZES_FROM_VALUES or masks or repeats or sends or moves:
            raise Waited(str(function))
        return function(*args, **kwargs)


class _RefuseMethods(TorchFunctionMode):
    """What the dispatcher does not see where the tensor is on the CPU already."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "") in READING_METHODS | SENDING:
            raise Waited(function.__name__)
        return function(*args, **(kwargs or {}))


@contextmanager
def refused_on_a_cpu():
    with _RefuseMethods(), _RefuseOperations():
        yield


@contextmanager
def refused_by_cuda():
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def run(learner, stream, refused, first=0):
    """All stages; names of the phases whose batches and steps `first`, ... were made with synchronisation `refused`."""
    names = []
    for stage in range(len(stream.stages)):
        for phase in learner.phases(stage):
            phase.begin()
            for step in range(2):
                if step < first:
                    phase.step(phase.batches(step), step)
                    continue
                with refused():
                    phase.step(phase.batches(step), step)
            names.append((stage, phase.name))
        learner.end_stage(stage)
    return names


def expected(method, stages):
    """The phases of a method, in order."""
    per_stage = {
        "hnet-r": ["classifier", "replay model"], "hnet-gan": ["classifier", "replay model"],
        "hnet-tir": ["hypernetwork", "task inference", "replay model"],
        "ell": ["classifier", "stabilisation"], "hnet": ["hypernetwork"], "hnet-joint": ["hypernetwork"],
    }.get(method, ["classifier"])  # fmt: skip
    absent = {(0, "task inference"), (stages - 1, "replay model"), (stages - 1, "stabilisation")}
    return [(stage, name) for stage in range(stages) for name in per_stage if (stage, name) not in absent]


@cases
def test_no_step_waits(method, changes):
    learner, stream = tiny.learner(method, **changes)
    assert run(learner, stream, refused_on_a_cpu) == expected(method, len(stream.stages))


@pytest.mark.parametrize("method", [method for method in METHODS if method in tiny.OPTIONS])
@pytest.mark.parametrize("scenario", ["CL2", "CL3"])
def test_no_step_waits_in_other_scenarios(method, scenario):
    run(*tiny.learner(method, scenario), refused_on_a_cpu)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@cases
def test_no_step_waits_on_cuda(method, changes):
    learner, stream = tiny.learner(method, device="cuda", **changes)
    # The first step of a phase may load kernels and libraries, which waits.
    assert run(learner, stream, refused_by_cuda, first=1) == expected(method, len(stream.stages))


@pytest.mark.parametrize("stream", [
    {"kind": "split", "image_set": "digits", "classes": 2, "tasks": 2},
    {"kind": "permuted", "image_set": "digits", "tasks": 2},
], ids=lambda stream: stream["kind"])  # fmt: skip
def test_no_batch_waits(stream):
    stages = data.build(**stream).stages
    batches = stages[1].batches(torch.tensor([0, 1]), "batches", 16)
    batches(0)  # a permuted stream brings its orders to the device at its first batch
    with refused_on_a_cpu():
        assert batches(1).x.shape[:2] == (2, 16)


WAITING = {
    "item": lambda x: x.sum().item(),
    "float": lambda x: float(x[0]),
    "bool": lambda x: 1 if x[0] > 0 else 2,
    "tolist": lambda x: x.tolist(),
    "cpu": lambda x: x.cpu(),
    "numpy": lambda x: x.numpy(),
    "to another device": lambda x: x.to("meta"),
    "copy to another device": lambda x: torch.empty(3, device="meta").copy_(x),
    "range": lambda x: range(x.argmax()),
    "slice": lambda x: x[: x.argmax()],
    "nonzero": lambda x: x.nonzero(),
    "where": lambda x: torch.where(x > 0),
    "mask": lambda x: x[x > 0],
    "put by mask": lambda x: x.clone().index_put_((x > 0,), x[:1]),
    "masked_select": lambda x: x.masked_select(x > 0),
    "unique": lambda x: x.unique(),
    "bincount": lambda x: x.long().bincount(),
    "repeat_interleave": lambda x: x.repeat_interleave(torch.ones_like(x).long()),
    "equal": lambda x: torch.equal(x, x.clone()),
    "numbers from the host": lambda x: x * torch.tensor([1.0, 2.0, 3.0]),
    "a number from the host": lambda x: x * torch.tensor(2.0),
    "a list as index": lambda x: x[[0, 2]],
}


@pytest.mark.parametrize("wait", WAITING.values(), ids=WAITING)
def test_what_waits_is_caught(wait):
    x = torch.tensor([1.0, 2.0, 3.0])
    wait(x)
    with pytest.raises(Waited), refused_on_a_cpu():
        wait(x)


def test_a_learner_that_waits_is_caught(monkeypatch):
    learner, stream = tiny.learner("finetune")
    update = learner.update

    def report(stage, gradient):
        update(stage, gradient)
        if stage == 1:
            gradient.norm().item()

    monkeypatch.setattr(learner, "update", report)
    with pytest.raises(Waited):
        run(learner, stream, refused_on_a_cpu)
