"""Hash-routed networks: the batched learner against one sample at a time, and what routing and bases promise."""

import math
from collections import Counter

import pytest
import torch
from benchmarks.naive_hrn import NaiveHRN

from unforget import records
from unforget.data import KINDS
from unforget.data.streams import Samples, Stage, Stream
from unforget.errors import UnforgetError
from unforget.experiments import work
from unforget.loop import Control, Interrupted
from unforget.methods import find
from unforget.methods.base import Replicas, options
from unforget.methods.hrn.ahead import Ahead
from unforget.methods.hrn.scenarios import READINGS, SCENARIOS
from unforget.nets import hashing
from unforget.nets.units import Kind
from unforget.probes.hrn import unit_usage

COLOUR = {
    "units": ((2, 6, 3, 2, 2, False, "leaky", 0.5), (1, 6, 3, 1, 2, False, "leaky", 0.5),
              (1, 3, 2, 1, 1, False, "relu", 0.5)),
    "activation": "relu", "logit_dropout": 0.2, "s": 60,
}  # fmt: skip
GREY = {"s": 50, "hidden": (8, 6)}
RULES = READINGS | {"figure1, countdown": {"n_res": 3, "rule": "countdown"}}
"""Every number of residues under every rule."""


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

    stages = tuple(Stage(f"task {t + 1}", (t,), samples(t, n)) for t in range(tasks))
    return Stream(
        "smooth", 2, (3 if colour else 1, 12, 12), stages, tuple(samples(t, 20) for t in range(tasks)), {}
    )


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
    """Both through all stages with the same batches; after every step each sample's route and H, all bases and weights.

    Returns the batched one, and how many samples went through how many units."""
    fast = learner(stream, seeds, order=order, iterations=steps, **changes)
    slow, encoded, lengths = NaiveHRN(fast, 0, order), listen(fast), Counter()
    for stage in range(len(stream.stages)):
        (phase,) = fast.phases(stage)
        phase.begin(), slow.begin(stage)
        uses = [0] * len(slow.units)
        for step in range(steps):
            batch = phase.batches(step)
            draws = phase.step.args[1]
            H = slow.step(batch.x[0], batch.y[0], draws, step)
            phase.step(batch, step)
            routes, of_batch = encoded.pop()
            assert routes == slow.log and not encoded
            torch.testing.assert_close(of_batch, H, rtol=0, atol=1e-10)
            lengths.update(map(len, slow.log))
            for route in slow.log:
                for k in route:
                    uses[k] += 1
            assert fast.state["uses"][0, stage].tolist() == uses
            compare(fast, slow, stage)
        test = stream.tests[stage].x
        torch.testing.assert_close(fast.features(test[None])[0], slow.features(test), rtol=0, atol=1e-10)
    return fast, lengths


def listen(one):
    """A list that gains, with every step, the route of each sample (its units in order) and H [B, s]; of the first seed."""
    encode, heard = one.encode, []

    def noted(*given):
        H, l1, routes = encode(*given)
        levels, n, chosen = routes.levels, one.options.n_res, []
        for part in (levels[i : i + n] for i in range(0, len(levels), n)):  # a sample's, or those of the whole batch
            chosen += zip(*(level.unit[0] for level in part), strict=True)
        heard.append(([[k for k in row if k >= 0] for row in chosen], H[0].detach()))
        return H, l1, routes

    one.encode = noted
    return heard


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


@pytest.mark.parametrize("reading", RULES)
@pytest.mark.parametrize("order", ["deferred", "depth", "sample"])
def test_batched_equals_one_sample_at_a_time(reading, order):
    fast, _ = against_naive(images(), order, 12, tau_expand=0.4, **GREY, **RULES[reading])
    assert fast.state["replaced"].sum() > 2


@pytest.mark.parametrize("reading", RULES)
def test_batched_equals_naive_over_sixty_batches(reading):
    fast, _ = against_naive(images(tasks=1, n=200), steps=60, tau_expand=0.4, **GREY, **RULES[reading])
    assert fast.state["replaced"].sum() >= 40 and (fast.state["held"] == fast.options.m).all()


HARD = [(colour, reading, "deferred") for colour, reading in [*((False, name) for name in RULES), (True, "figure1"), (True, "released")]]
OTHER_ORDERS = [(False, reading, order) for reading in ("algorithm1", "released") for order in ("depth", "sample")]


@pytest.mark.parametrize("colour, reading, order", [*HARD, *OTHER_ORDERS, (True, "released", "depth")])
def test_batched_equals_naive_where_it_is_hard(colour, reading, order):
    """Duplicates, black images, early stops, bases that expand and change often, units added half-way, after 30 of 60 batches."""
    fast, lengths = against_naive(
        images(hard=True, colour=colour), order, steps=30, tau_d=0.7, tau_expand=0.6, grow=(0, 2),
        **(COLOUR if colour else GREY), **RULES[reading],
    )  # fmt: skip
    assert fast.state["w"].shape[1] == 6 and fast.state["replaced"].sum() >= 40
    early, whole = sum(lengths[n] for n in range(1, fast.options.n_res)), lengths[fast.options.n_res]
    assert lengths[0] > 20 and early > 100 and whole > 100, "black images, early stops, whole routes"


def test_other_choices_equal_naive():
    """One residue; four on small maps (where a kernel does not fit, and where it leaves one number), no basis update,
    single vectors replaced, projections in the output (also of images that find no unit left)."""
    against_naive(images(), steps=12, n_res=1, **GREY)
    against_naive(images(), steps=12, n_res=4, **GREY)
    against_naive(images(), steps=12, update=False, tau_expand=0.4, **GREY)
    against_naive(images(), steps=12, update_single=True, projections=True, **GREY)
    against_naive(images(), steps=12, n_res=5, projections=True, **GREY)


def test_affine_hash_equals_naive_and_changes_nothing_else():
    against_naive(images(colour=True), steps=8, hash="affine", grow=(0, 2), **(COLOUR | READINGS["figure1"]))
    plain, affine = (learner(images(), (0, 1), hash=family, **GREY) for family in ("random", "affine"))
    assert plain.options == find("hrn").Options(**GREY)  # the default
    assert all(torch.equal(plain.state[name], affine.state[name]) for name in plain.state)
    own = hashing.slots(plain.seeds, "input", 144, 50), hashing.slots(plain.seeds, "unit 2", plain.units.longest, 50)
    assert torch.equal(plain.phi_0, own[0]) and torch.equal(plain.units.tables().view(2, 4, -1)[:, 2], own[1])
    assert torch.equal(affine.phi_0, hashing.affine_slots(plain.seeds, "input", 144, 50))
    units = affine.units.tables().view(2, 4, -1)
    assert torch.equal(units[:, 2], hashing.affine_slots(plain.seeds, "unit 2", plain.units.longest, 50, 3))


def trained(steps=40, seeds=(0, 1), scan=None, stream=None, **changes):
    stream = stream or images(torch.float32)
    one = learner(stream, seeds, scan, double=False, iterations=steps, **(GREY | changes))
    for stage in range(len(stream.stages)):
        (phase,) = one.phases(stage)
        phase.begin()
        for step in range(steps):
            phase.step(phase.batches(step), step)
        one.end_stage(stage)
    return one, stream


@pytest.mark.parametrize("rule", ["age", "countdown"])
def test_bases_stay_orthonormal(rule):
    one, _ = trained(80, tau_expand=0.5, rule=rule, rho=1.05)
    V, held = one.state["V"], one.state["held"]
    assert one.state["replaced"].sum() > 50 and (held > 1).any()
    products = V @ V.mT
    for r in range(2):
        for k in range(V.shape[1]):
            n = int(held[r, k])
            torch.testing.assert_close(products[r, k, :n, :n], torch.eye(n), rtol=0, atol=1e-5)
            assert not V[r, k, n:].any()


def test_number_of_replacements_follows_the_aging_rate():
    """A cycle of the age rule is ⌊α ρⁱ⌋ selections and one that replaces."""
    one, stream = trained(0, seeds=(0,), tau_expand=1.0)
    one.bases.begin()
    g, rows = torch.Generator().manual_seed(0), torch.eye(50)
    for _ in range(3):
        one.bases.update(0, 0, [0.0] * 3, torch.randn(50, generator=g) / 50**0.5)
    assert one.bases.held[0, 0] == 3
    start, N = int(one.bases.age[0, 0]), 2000
    for _ in range(N):
        h = rows[torch.randint(0, 50, (), generator=g)]
        one.bases.update(0, 0, (one.bases.V[0, 0] @ h).tolist(), h)
    expected, left = 0, N + start
    while left >= math.floor(5.0 * 1.2**expected) + 1:
        left, expected = left - math.floor(5.0 * 1.2**expected) - 1, expected + 1
    assert one.bases.replaced[0, 0] == expected
    assert abs(expected - math.log(1 + N * 0.2 / 5) / math.log(1.2)) < 3


def test_no_unit_is_used_twice_and_prediction_changes_nothing(monkeypatch):
    from unforget.methods.hrn import method as hrn

    routes, make = [], hrn.Routes

    def record(levels):
        routes.append(make(levels))
        return routes[-1]

    monkeypatch.setattr(hrn, "Routes", record)
    one, stream = trained(20, n_res=3)
    visited = [[k for k in row if k >= 0] for route in routes for r in range(2)
               for row in zip(*(level.unit[r] for level in route.levels), strict=True)]  # fmt: skip
    assert len(visited) == 2 * 2 * 20 * 16 and all(len(set(row)) == len(row) for row in visited)
    uses = torch.tensor([sum(k == unit for row in visited for k in row) for unit in range(4)])
    assert torch.equal(one.state["uses"].sum((0, 1)), uses)
    before = {name: value.clone() for name, value in one.state.items()}
    one.predict(stream.tests[0].x[None], 0, 2), one.predict(stream.tests[0].x[None], None, 2)
    assert all(torch.equal(before[name], one.state[name]) for name in before)


def test_one_residue_trains_no_unit():
    one, stream = trained(20, n_res=1)
    fresh = learner(stream, (0, 1), double=False, **GREY)
    assert torch.equal(one.state["w"], fresh.state["w"]) and one.state["w.t"].sum() == 0
    assert not torch.equal(one.state["psi"], fresh.state["psi"]) and one.state["held"].sum() > 0


@pytest.mark.parametrize("moves", [False, True])
def test_one_residue_forgets_nothing_while_bases_stand_still(moves):
    """The second task leaves the first one's predictions as they are, bit for bit; where bases are updated they change, and
    with the old bases they are the same again."""
    one, stream = trained(20, n_res=1, stream=images(torch.float32, tasks=1))
    both, x = images(torch.float32), stream.tests[0].x[None]
    changes = {} if moves else {"update": False, "tau_expand": 0.0}
    after = learner(both, (0, 1), double=False, iterations=20, n_res=1, **GREY, **changes)
    for name, value in one.state.items():  # the second stage's classifier is untrained so far
        after.state[name] = torch.cat((value, after.state[name][:, 1:]), 1) if name in ("psi", "uses") else value.clone()
    V, held, said = after.state["V"].clone(), after.state["held"].clone(), after.predict(x, 0, 1)
    assert (held > 0).all() and torch.equal(said, one.predict(x, 0, 1))
    (phase,) = after.phases(1)
    phase.begin()
    for step in range(20):
        phase.step(phase.batches(step), step)
    after.end_stage(1)
    assert torch.equal(after.state["psi"][:, 0], one.state["psi"][:, 0]) and after.state["uses"][:, 1].sum() == 2 * 20 * 16
    assert torch.equal(after.state["V"], V) != moves and torch.equal(after.predict(x, 0, 2), said) != moves
    after.state["V"], after.state["held"] = V, held
    assert torch.equal(after.predict(x, 0, 2), said)


def test_only_units_that_ran_are_updated():
    many = ((40, 4, 5, 3, 2, True, "leaky", 0.0),)
    one, stream = trained(3, seeds=(0,), stream=images(torch.float32, tasks=1), units=many)
    fresh = learner(stream, (0,), double=False, units=many, **GREY)
    changed, steps = (one.state["w"] != fresh.state["w"]).any(-1), one.state["w.t"]
    assert (steps == 0).any() and ((steps > 0) & (steps < 3)).any()
    assert changed.any() and not changed[steps == 0].any()


def test_classifiers_are_frozen_after_their_stage():
    one, stream = trained(20)
    (phase,) = one.phases(1)
    before = one.state["psi"].clone()
    phase.begin(), phase.step(phase.batches(0), 0)
    assert torch.equal(before[:, 0], one.state["psi"][:, 0]) and not torch.equal(before[:, 1], one.state["psi"][:, 1])


@pytest.mark.parametrize("changes", [{}, {"hash": "affine"}, {"n_res": 3, "rule": "countdown"}, {"grow": (0, 2)},
                                     {"m": 1, "grow_when_full": 1, "tau_empty": 0.9}])  # fmt: skip
def test_seeds_together_equal_one_alone(changes):
    stream = images(tasks=3)
    together = learner(stream, (0, 1, 2), iterations=10, **GREY, **changes)
    alone = learner(stream, (1,), iterations=10, **GREY, **changes)
    for one in (together, alone):
        for stage in range(3):
            (phase,) = one.phases(stage)
            phase.begin()
            for step in range(10):
                phase.step(phase.batches(step), step)
    units = int((alone.state["kind"][0] >= 0).sum())
    for name, value in alone.state.items():
        other = together.state[name][1:2]
        if name not in ("psi", "psi.m", "psi.v", "psi.t"):
            other = other[:, :, :units] if name == "uses" else other[:, :units]
        torch.testing.assert_close(other, value, rtol=0, atol=1e-9)
    x = stream.tests[0].x[None]
    torch.testing.assert_close(together.predict(x, 0, 3)[1:2], alone.predict(x, 0, 3), rtol=0, atol=1e-9)


def test_full_networks_grow_by_themselves():
    one, _ = trained(10, stream=images(torch.float32, tasks=4), m=1, grow_when_full=1, tau_empty=0.99, seeds=(0, 1, 2))
    present = one.state["kind"] >= 0
    assert one.state["w"].shape[1] == present.sum(1).max() == 7
    assert (one.state["held"][~present] == 0).all()
    kept, _ = trained(10, stream=images(torch.float32, tasks=4), m=3, grow_when_full=1, tau_expand=0.0)
    assert kept.state["w"].shape[1] == 4


def test_scan_equals_runs_with_each_value():
    stream = images()
    values = {"lam": (0.0, 5.0), "rho": (1.1, 10.0), "lr": (1e-3, 1e-2), "tau_expand": (0.01, 0.5)}
    together = learner(stream, (0, 0), values, iterations=15, **GREY)
    runs = [learner(stream, (0,), iterations=15, **GREY, **{n: v[i] for n, v in values.items()}) for i in range(2)]
    for one in (together, *runs):
        (phase,) = one.phases(0)
        phase.begin()
        for step in range(15):
            phase.step(phase.batches(step), step)
    for i, alone in enumerate(runs):
        torch.testing.assert_close(together.state["w"][i : i + 1], alone.state["w"], rtol=0, atol=1e-9)
    assert not torch.equal(runs[0].state["w"], runs[1].state["w"])


def test_it_learns_and_names_the_task_less_well():
    stream = bright()
    one, _ = trained(150, seeds=(0,), stream=stream)
    right = [(one.predict(t.x[None], i, 2)[0].argmax(-1) == t.y).double().mean() for i, t in enumerate(stream.tests)]
    guessed = one.predict(stream.tests[1].x[None], None, 2)[0]
    assert min(right) > 0.9 and guessed.shape == (20, 10) and guessed.isfinite().all()


def bright():
    """Two kinds of pictures in each task."""
    g = torch.Generator().manual_seed(2)
    shapes = torch.nn.functional.interpolate(torch.randn(4, 1, 4, 4, generator=g), size=(12, 12), mode="bilinear")

    def samples(t, n):
        y = torch.randint(0, 2, (n,), generator=g) + 2 * t
        return Samples(shapes[y] + 0.3 * torch.randn(n, 1, 12, 12, generator=g), y)

    stages = tuple(Stage(f"task {t + 1}", (t,), samples(t, 64)) for t in range(2))
    return Stream("bright", 2, (1, 12, 12), stages, tuple(samples(t, 20) for t in range(2)), {})


def test_scenarios_have_the_sizes_of_the_paper():
    sizes = {"pairwise-mnist": (1, 28, 1056, 18_780), "fashion-mnist": (1, 28, 588, 18_780),
             "svhn-cifar": (3, 32, 5364, 590_400), "cifar": (3, 32, 5364, 590_400)}  # fmt: skip
    for scenario, (channels, side, units, classifier) in sizes.items():
        x, y = torch.zeros(40, channels, side, side, dtype=torch.uint8), torch.arange(40) % 10
        stages = tuple(Stage(str(t), (t,), Samples(x, y)) for t in range(3))
        stream = Stream("sizes", 10, (channels, side, side), stages, (Samples(x, y),) * 3, {})
        one = learner(stream, double=False, **SCENARIOS[scenario])
        assert (one.counts()["units"].tolist(), one.counts()["classifier"]) == ([units], classifier)
        epochs = {
            "pairwise-mnist": (5, 5, 5),
            "fashion-mnist": (20, 10, 10),
            "svhn-cifar": (8, 15, 15),
            "cifar": (15,) * 3,
        }
        steps = [one.phases(stage)[0].steps for stage in range(3)]
        assert steps == [40 // 16 * n for n in epochs[scenario]]
        one.begin(1)
        assert (
            one.state["w"].shape[1] == len(one.state["kind"][0]) == {"pairwise-mnist": 4, "cifar": 6}.get(scenario, 8)
        )


def test_biases_before_a_normalisation_are_all_that_the_printed_units_have_more():
    """With a bias for every filter the units of Pairwise MNIST have 1,120 weights. One that a normalisation follows
    changes nothing, so it is left out."""
    groups = SCENARIOS["pairwise-mnist"]["units"]
    kinds = [Kind(*kind) for number, *kind in groups for _ in range(number)]
    weights = sum(kind.layout(1).size for kind in kinds)
    biases = [kind.filters for kind in kinds if "b" not in kind.layout(1).shapes]
    assert (weights, biases, weights + sum(biases)) == (1056, [16] * 4, 1120)


def test_a_short_last_batch_is_kept_when_asked():
    one, _ = trained(5, stream=images(torch.float32, n=40), last="keep", seeds=(0,))
    assert one.phases(0)[0].batches(2).y.shape == (1, 8) and one.state["psi.t"].item() == 5


def test_what_does_not_fit_is_refused():
    with pytest.raises(UnforgetError, match="labels go up to 3"):
        learner(images(), outputs=3)
    with pytest.raises(UnforgetError, match="multiples of 3"):
        learner(images(colour=True), n_res=3)
    flat = Stream(
        "flat", 2, (5,), (Stage("t", (0,), Samples(torch.zeros(4, 5), torch.zeros(4, dtype=torch.int64))),), (), {}
    )
    with pytest.raises(UnforgetError, match="needs images"):
        learner(flat)


# --- Through the loop: killed and resumed, together and alone ------------------------------------------------------


def small_stream():
    return images(torch.float32, tasks=3)


@pytest.fixture
def job(monkeypatch):
    monkeypatch.setitem(KINDS, "small images", "test_hrn:small_stream")

    def make(seeds=(0, 1), checkpoints=None, **changes):
        options = GREY | {"iterations": 6, "grow": (0, 1), "n_res": 3} | changes
        return work.Job(
            {"run": "tiny/hrn", "stream": {"kind": "small images"}, "method": "hrn", "scenario": "CL1",
             "views": ["own classifier", "CL3"], "options": options, "probes": []},
            tuple(seeds), checkpoints=checkpoints,
        )  # fmt: skip

    return make


def test_interrupted_anywhere_equals_uninterrupted_bit_for_bit(job, tmp_path):
    whole, one, _ = work.train(job())
    for stop_after in (0, 5, 6, 7, 17):
        calls, again = iter(range(10_000)), job(checkpoints=tmp_path / str(stop_after))
        with pytest.raises(Interrupted):
            work.train(again, Control(stop=lambda: next(calls) >= stop_after, interval=0))  # noqa: B023
        resumed, other, _ = work.train(again)
        assert records.without_run(resumed) == records.without_run(whole)
        assert one.state.keys() == other.state.keys()
        assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)


def test_seeds_together_equal_one_alone_through_the_loop(job):
    together, *_ = work.train(job())
    alone, *_ = work.train(job(seeds=(1,)))
    assert together["replicas"][1] == alone["replicas"][0] and together["replicas"][0]["finite"]


def test_usage_is_probed(job):
    _, one, stream = work.train(job())
    per_stage = unit_usage(one, stream).sum(2)
    assert per_stage.shape == (2, 3) and (per_stage > 2 * 6 * 16).all() and (per_stage <= 3 * 6 * 16).all()


def test_numbers_drawn_ahead_do_not_depend_on_when_they_are_asked_for():
    seeds = torch.tensor([3, 4])
    forwards, backwards, alone = (Ahead(s, "a", (5, 2)) for s in (seeds, seeds, seeds[1:]))
    rows = [forwards(step) for step in range(600)]
    assert all(torch.equal(backwards(step), rows[step]) for step in (599, 3, 300, 0))
    assert torch.equal(alone(300), rows[300][1:]) and rows[0].shape == (2, 5, 2)
    assert len({float(row[0, 0, 0]) for row in rows}) > 590
