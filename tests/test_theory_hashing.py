"""Feature hashing in numbers: closed forms against sums over all hash functions, bounds that can be broken."""

import itertools
import math

import numpy as np
import pytest
import torch

from unforget.errors import UnforgetError
from unforget.nets import hashing
from unforget.results import claims, figures
from unforget.results.claims.hrn import routing as hrn
from unforget.theory import hashing as theory


def slow(x, slots, s):
    """φ(x), one input after the other."""
    h = [0.0] * s
    for value, slot in zip(x.tolist(), slots.tolist(), strict=False):
        h[slot % s] += value if slot < s else -value
    return np.array(h)


def test_products_are_those_of_hash_vectors_made_one_by_one():
    x = theory.digits(3)
    found = theory.products(x, 7, "other", 105)
    for t in (0, 99, 104):
        seed = torch.tensor([t])
        one, other = (hashing.slots(seed, name, x.shape[1], 7)[0] for name in ("phi", "other"))
        wanted = [[slow(a, one, 7) @ slow(b, other, 7) for b in x] for a in x]
        assert np.allclose(found[t], wanted)


def test_spread_is_that_over_all_hash_functions():
    """Three inputs, two buckets: 4³ functions, all of them."""
    a, b, s = torch.tensor([1.0, -2.0, 0.5]).double(), torch.tensor([0.3, 1.0, 2.0]).double(), 2
    products = []
    for slots in itertools.product(range(2 * s), repeat=3):
        products.append(slow(a, torch.tensor(slots), s) @ slow(b, torch.tensor(slots), s))
    assert np.mean(products) == pytest.approx(float(a @ b)) and np.std(products) == pytest.approx(theory.spread(a, b, s))


def test_eq_1_holds_for_all_hash_functions_of_a_small_case():
    v, x, s = torch.tensor([0.6, 0.8]).double(), torch.tensor([1.0, 0.4, 0.7, 0.2]).double(), 2
    sizes = [abs(slow(x, torch.tensor(slots), s) @ v.numpy()) for slots in itertools.product(range(2 * s), repeat=4)]
    epsilon = np.linspace(0.1, 4, 40)
    tail = np.array([np.mean(np.array(sizes) > e) for e in epsilon])
    assert (tail <= theory.bound(epsilon, s, v, x)).all() and (theory.bound(epsilon, s, v, x) < 1).any()
    assert (theory.bound(epsilon, s, v, x) <= theory.free_bound(epsilon, s, 4) + 1e-12).all()
    assert not (tail <= theory.bound(epsilon, 40 * s, v, x)).all(), "a wrong s breaks it"


def test_tails_average_over_pairs():
    x, epsilon = theory.digits(2), np.array([0.2, 1.0, 3.0])
    tail = theory.tails(x, 40, epsilon, 130)
    x = theory.bounded(x)
    v = [theory.hash_vectors(x, 40, "fixed", 1)[0, j] for j in (0, 1)]
    size = np.abs([float(theory.hash_vectors(x, 40, "phi", 1, t)[0, i] @ (v[1 - i] / v[1 - i].norm())) for t in range(130) for i in (0, 1)])
    assert np.allclose(tail.measured, [(size > e).mean() for e in epsilon])


def test_dividing_by_the_largest_number_cancels():
    x = theory.digits(4)
    one, other = (hashing.normalised(theory.hash_vectors(y, 50, "phi", 3))[0] for y in (x, 7 * theory.bounded(x)))
    assert torch.allclose(one, other, atol=1e-12)


def test_hash_vectors_have_a_length():
    with pytest.raises(UnforgetError, match="at least one number, not 0"):
        theory.hash_vectors(theory.digits(1), 0, "phi")


def test_the_spread_falls_by_the_square_root():
    assert theory.exponent() == pytest.approx(-0.5, abs=0.03)
    assert theory.findings(300).spread == pytest.approx(300**-0.5, rel=0.05)


def test_r13_is_computed_and_fails_for_what_the_text_says_of_the_error():
    outcome = claims.judge(claims.find("r13"), claims.ours(claims_frame(), "hrn"))
    assert {c.name for c in outcome.cells if c.holds is False} == {"the error falls as 1/s"}
    assert outcome.verdict == "held in part" and len(outcome.cells) == 4 * len(hrn.HASHED) + 1


def test_r13_sees_functions_without_signs(monkeypatch):
    """Without ξ inner products of images are too large, different functions far from orthogonal, and tails too heavy."""
    signed = hashing.slots
    monkeypatch.setattr(hashing, "slots", lambda seeds, name, n, s: signed(seeds, name, n, s) % s)
    theory.findings.cache_clear(), hrn.hashing.cache_clear()
    try:
        outcome = claims.judge(claims.find("r13"), claims.ours(claims_frame(), "hrn"))
    finally:
        theory.findings.cache_clear(), hrn.hashing.cache_clear()
    failed = {c.name for c in outcome.cells if c.holds is False}
    assert {f"{what} at s = {s}" for what in ("products kept", "orthogonal", "Eq. 1") for s in hrn.HASHED} <= failed


def claims_frame():
    from unforget.results import measured

    return measured.from_records([])


def test_figures_say_what_was_measured():
    tails = [theory.tails(theory.digits(2), s, np.array([0.5, 1.0]) * math.sqrt(784 / s), 20) for s in (50, 100)]
    plot = figures.hash_tails(tails)
    assert f"{100 * tails[0].measured[1]:.2g} %" in plot.alt and len(plot.data) == 2 * 2 * 3
    rows = [theory.findings(s, 20) for s in (50, 300)]
    plot = figures.hash_spreads(rows, {"τ_expand": 0.01})
    assert f"{rows[1].spread:.3f} at 300" in plot.alt and "τ_expand = 0.01 is below all" in plot.alt
    assert "is below all" not in figures.hash_spreads(rows, {"τ_empty": 0.1}).alt
