"""The worked example: a walk is what prediction computes, events are what the algorithms say."""

import pytest
import torch

from unforget.errors import UnforgetError
from unforget.methods.base import Replicas, options
from unforget.methods.hrn.method import HRN, Options
from unforget.methods.hrn.scenarios import READINGS, SCENARIOS
from unforget.results import figures
from unforget.theory import routing


@pytest.fixture(scope="module", params=["algorithm1", "figure1"])
def watched(request):
    found = routing.Watched(reading=request.param, tau_expand=0.1)
    while found.steps < 12:
        found.train()
    return found


def test_a_walk_ends_where_prediction_does(watched):
    images = watched.learner.stream.tests[0].take(torch.arange(40)[None]).x[0]
    H = watched.learner.features(images[None])[0]
    for image, wanted in zip(images, H, strict=True):
        walk = routing.walk(watched.learner, image)
        assert torch.allclose(sum(stop.r for stop in walk), wanted, atol=1e-5)
        assert len({stop.unit for stop in walk}) == len(walk) == watched.learner.options.n_res
        assert all(stop.norms[stop.unit] == max(x for x in stop.norms if x == x) for stop in walk)


def test_an_image_that_is_a_basis_vector_goes_no_further():
    found = routing.Watched()
    found.select()
    (first, *_) = found.events
    image = next(x for x in found.batch(0).x[0] if torch.allclose(found.learner.hash_input(x[None, None])[0][0, 0], first.h, atol=1e-6))
    (stop,) = routing.walk(found.learner, image)
    assert stop.unit == first.unit and stop.norms[stop.unit] == pytest.approx(1, abs=1e-5) and stop.r.norm() == 0


def test_events_obey_the_algorithms(watched):
    o, events = watched.learner.options, watched.events
    assert {event.kind for event in events} == {routing.FIRST, routing.FURTHER, routing.REPLACED}
    for name, kinds in (("replaced", {routing.REPLACED}), ("held", {routing.FIRST, routing.FURTHER})):
        counted = [sum(e.unit == k and e.kind in kinds for e in events) for k in range(4)]
        assert watched.learner.state[name][0].tolist() == counted
    for event in events:
        basis = event.after[event.after.norm(dim=1) > 0]
        assert torch.allclose(basis @ basis.T, torch.eye(len(basis)), atol=1e-4)
        if event.kind == routing.FIRST:
            assert event.held == 0 and torch.equal(event.after[0], event.h)
        elif event.kind == routing.FURTHER:
            assert event.norm < o.tau_expand and event.slot == event.held < o.m
            rest = event.h - event.before.T @ (event.before @ event.h)
            assert torch.allclose(event.after[event.slot], rest / rest.norm(), atol=1e-4)
        else:
            assert event.age >= event.longest and event.low[event.slot] == max(event.low)
            kept = [slot for slot in range(event.held) if slot != event.slot]
            assert torch.equal(event.after[kept], event.before[kept])


def test_watching_changes_nothing(watched):
    values = SCENARIOS["pairwise-mnist"] | READINGS["figure1" if watched.learner.options.n_res == 3 else "algorithm1"]
    plain = HRN(routing.digits(), "CL1", options(Options, values | {"tau_expand": 0.1}, "hrn"), Replicas((0,)))
    (phase,) = plain.phases(0)
    for step in range(12):
        phase.step(phase.batches(step), step)
    assert all(torch.equal(value, watched.learner.state[name]) for name, value in plain.state.items())


def test_until_stops_at_the_first_of_its_kind():
    found = routing.Watched(tau_expand=0.1)
    event = found.until(routing.REPLACED)
    assert event is next(e for e in found.events if e.kind == routing.REPLACED) and event.step == found.steps - 1
    with pytest.raises(UnforgetError, match="unknown event 'replacing'"):
        found.until("replacing")


def test_until_gives_up(monkeypatch):
    monkeypatch.setattr(routing, "MOST_STEPS", 2)
    with pytest.raises(UnforgetError, match="no replacement in 2 steps"):
        routing.Watched(update=False).until(routing.REPLACED)


def test_the_figures_name_the_routes_and_the_events(watched):
    image = watched.batch(0).x[0, 3]
    walk = routing.walk(watched.learner, image)
    plot = figures.routes({"a": walk, "b": walk})
    assert f"a: U{walk[0].unit} ({walk[0].norms[walk[0].unit]:.2f} of its hash" in plot.alt
    assert plot.data.chosen.sum() == 2 * len(walk)
    assert f"largest entries: h {walk[0].h.abs().max():.2f}, projection" in plot.alt
    strips = [axis for axis in plot.figure.axes if axis.images and axis.images[0].get_array().shape == (3, len(walk[0].h))]
    assert len(strips) == 2 * len(walk)
    for axis, stop in zip(strips, [*walk, *walk], strict=True):
        basis = watched.learner.state["V"][0, stop.unit]
        wanted = torch.stack([stop.h, basis.T @ (basis @ stop.h), stop.r])
        assert torch.allclose(torch.as_tensor(axis.images[0].get_array().data), wanted, atol=1e-5)
    entries = plot.data[(plot.data.image == "a") & (plot.data.level == 0)].set_index("what").value
    assert entries["h"].to_numpy() == pytest.approx((entries["projection"].to_numpy() + entries["residue"].to_numpy()), abs=1e-6)
    plot = figures.basis_events(watched.events, watched.steps, 4)
    number = sum(e.unit == 2 and e.kind == routing.REPLACED for e in watched.events)
    assert len(plot.data) == len(watched.events) and f"{number} replacements" in plot.alt.split("; ")[2]


def test_a_template_times_an_image_is_the_vectors_product_with_its_hash(watched):
    learner, x = watched.learner, watched.batch(0).x[0, 3]
    h, length = learner.hash_input(x[None, None])
    templates = routing.templates(learner)
    products = (templates * x).flatten(2).sum(-1)
    assert torch.allclose(products, learner.state["V"][0] @ (h[0, 0] * length[0, 0]), atol=1e-4)


def test_the_figure_of_bases_draws_every_vector_and_none_that_is_missing(watched):
    V, templates = watched.learner.state["V"][0].clone(), routing.templates(watched.learner)
    V[1, 1:], templates[1, 1:] = 0, 0
    plot = figures.bases(V, templates)
    held = [int((v.abs().amax(1) > 0).sum()) for v in V]
    assert held[1] == 1 and f"U1: 1 vector; U2: {held[2]} vector" in plot.alt
    pictures = [axis.images[0].get_array() for axis in plot.figure.axes if axis.images]
    assert sum(picture.shape == templates.shape[-2:] for picture in pictures) == sum(held)
    assert len(plot.data) == sum(held) * V.shape[2]
