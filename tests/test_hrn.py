"""Hash-routed networks: the batched learner against one sample at a time, and what routing and bases promise."""

import math
from functools import partial

import pytest
import torch
from benchmarks.naive_hrn import NaiveHRN

from unforget.data.streams import Samples, Stage, Stream
from unforget.errors import UnforgetError
from unforget.methods import find
from unforget.methods.base import Replicas, options
from unforget.methods.hrn_scenarios import READINGS, SCENARIOS

COLOUR = {
    "units": ((2, 6, 3, 2, 2, False, "leaky", 0.5), (1, 6, 3, 1, 2, False, "leaky", 0.5), (1, 3, 2, 1, 1, False, "relu", 0.5)),
    "activation": "relu", "logit_dropout": 0.2, "s": 60,
}  # fmt: skip
GREY = {"s": 50, "hidden": (8, 6)}


def images(dtype=torch.float64, colour=False, tasks=2, n=64, hard=False):
    """Smooth random images; `hard` ones have duplicates, one image many times over, and black ones."""
    g = torch.Generator().manual_seed(1)

    def samples(t, n):
        coarse = torch.randn(n, 3 if colour else 1, 4, 4, generator=g)
        x = torch.nn.functional.interpolate(coarse, size=(12, 12), mode="bilinear").to(dtype)
        if hard:
            x[n // 2 : n // 2 + 8] = x[0]
            x[n - 12 : n - 4] = x[:8]
            x[n - 4 :] = 0
        y = torch.randint(0, 2, (n,), generator=g) + 2 * t
        return Samples(x, y, lambda x, y: x)

    return Stream(
        "smooth", 2, (3 if colour else 1, 12, 12), tuple(Stage(f"task {t + 1}", (t,), samples(t, n)) for t in range(tasks)),
        tuple(samples(t, 20) for t in range(tasks)), {},
    )  # fmt: skip


def learner(stream, seeds=(0,), scan=None, double=True, order="deferred", **changes):
    kind = find("hrn")
    one = kind(stream, "CL1", options(kind.Options, changes, "hrn"), Replicas(tuple(seeds), scan or {}))
    one.order = order
    if double:
        for name, value in one.state.items():
            if value.is_floating_point() and not name.endswith(".t"):
                one.state[name] = value.double()
    return one


def against_naive(stream, order="deferred", steps=30, seeds=(3,), **changes):
    """Both through all stages with the same batches; everything compared after every step."""
    fast = learner(stream, seeds, order=order, iterations=steps, **changes)
    slow = NaiveHRN(fast, 0, order)
    for stage in range(len(stream.stages)):
        (phase,) = fast.phases(stage)
        phase.begin(), slow.begin(stage)
        for step in range(steps):
            batch = phase.batches(step)
            draws = phase.step.args[1]
            slow.step(batch.x[0], batch.y[0], draws, step)
            phase.step(batch, step)
            compare(fast, slow, stage)
        test = stream.tests[stage].x
        torch.testing.assert_close(fast.features(test[None])[0], slow.features(test), rtol=0, atol=1e-10)
    return fast, slow


def compare(fast, slow, stage):
    state = {name: value[0] for name, value in fast.state.items()}
    for k, unit in enumerate(slow.units):
        n = len(unit.basis)
        assert state["held"][k] == n and state["age"][k] == unit.age and state["replaced"][k] == unit.replacements
        assert state["low"][k, :n].tolist() == unit.low
        if n:
            torch.testing.assert_close(state["V"][k, :n], torch.stack(unit.basis), rtol=0, atol=1e-10)
        assert not state["V"][k, n:].any()
        w = unit.weights()
        torch.testing.assert_close(state["w"][k, : len(w)], w, rtol=0, atol=1e-9)
        if unit.kind.norm:
            running = torch.stack((unit.mean, unit.var))
            torch.testing.assert_close(state["running"][k, :, : unit.kind.filters], running, rtol=0, atol=1e-9)
    psi = torch.cat([p.detach().flatten() for p in slow.psi])
    torch.testing.assert_close(state["psi"][stage], psi, rtol=0, atol=1e-9)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("order", ["deferred", "depth", "sample"])
def test_batched_equals_one_sample_at_a_time(reading, order):
    fast, slow = against_naive(images(), order, tau_expand=0.4, **GREY, **READINGS[reading])
    assert fast.state["replaced"].sum() > 4


@pytest.mark.parametrize("reading", READINGS)
def test_batched_equals_naive_over_sixty_batches(reading):
    against_naive(images(tasks=1, n=200), steps=60, **GREY, **READINGS[reading])


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("colour", [False, True])
def test_batched_equals_naive_where_it_is_hard(reading, colour):
    """Duplicates, black images, early stops, bases that expand often, units added half-way."""
    fast, slow = against_naive(
        images(hard=True, colour=colour), steps=20, tau_d=0.7, tau_expand=0.6, grow=(0, 2),
        **(COLOUR if colour else GREY), **READINGS[reading],
    )  # fmt: skip
    assert fast.state["w"].shape[1] == 6
