"""Feature hashing and convolutional units as pure functions."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from unforget import random
from unforget.nets import hashing
from unforget.nets.units import Kind, advance_running

SEEDS = torch.tensor([3, 4])


def phi(x, s=20, name="a"):
    return hashing.hashed(x, hashing.slots(SEEDS[:1], name, 200, s), [(0, 0, len(x))], s)


def dense(table, n, s):
    """The same hash as a matrix."""
    matrix = torch.zeros(s, n)
    for j in range(n):
        matrix[table[j] % s, j] = 1.0 if table[j] < s else -1.0
    return matrix


def test_hash_equals_a_matrix_forward_and_backward():
    tables, x = hashing.slots(SEEDS, "a", 30, 7), torch.randn(5, 25, requires_grad=True)
    h = hashing.hashed(x, tables, [(1, 0, 2), (0, 2, 5)], 7)
    matrices = [dense(table, 25, 7) for table in tables]
    expected = torch.cat((x[:2] @ matrices[1].T, x[2:] @ matrices[0].T))
    torch.testing.assert_close(h, expected)
    weight = torch.randn(5, 7)
    ours, theirs = (torch.autograd.grad((value * weight).sum(), x)[0] for value in (h, expected))
    torch.testing.assert_close(ours, theirs)


def test_hash_is_linear_and_uses_the_beginning_of_its_table():
    x, y = torch.randn(2, 3, 200)
    torch.testing.assert_close(phi(2 * x + y), 2 * phi(x) + phi(y), rtol=1e-4, atol=1e-4)
    short = torch.cat((x[:, :50], torch.zeros(3, 150)), 1)
    assert torch.equal(phi(short), phi(x[:, :50]))
    assert torch.equal(hashing.slots(SEEDS, "a", 10, 9), hashing.slots(SEEDS, "a", 50, 9)[:, :10])


def test_division_by_the_largest_entry_cancels():
    x = torch.randn(4, 200)
    x[3] = 0
    plain, length = hashing.normalised(phi(x))
    largest = x.abs().amax(1, keepdim=True).clamp(min=1e-9)
    torch.testing.assert_close(plain, hashing.normalised(phi(x / largest))[0])
    torch.testing.assert_close(plain.norm(dim=1), torch.tensor([1.0, 1, 1, 0]))
    assert length[3] == 0 and plain[3].isfinite().all()


def test_inner_products_are_kept_on_average_and_other_hashes_are_orthogonal():
    s, draws = 50, 4000
    seeds, x = torch.arange(draws), F.normalize(torch.randn(2, 100, generator=torch.Generator().manual_seed(0)), dim=1)

    def hashes(name, v):
        rows = v.expand(draws, -1)
        return hashing.hashed(rows, hashing.slots(seeds, name, 100, s), [(i, i, i + 1) for i in range(draws)], s)

    a, b, other = hashes("a", x[0]), hashes("a", x[1]), hashes("b", x[1])
    for products, mean in (((a * b).sum(1), x[0] @ x[1]), ((a * other).sum(1), 0.0)):
        deviation = products.std()
        assert abs(products.mean() - mean) < 4 * deviation / draws**0.5
        assert 0.8 * s**-0.5 < deviation < 1.25 * s**-0.5  # the error is about 1/√s


@pytest.mark.parametrize("kind", [Kind(6, 3, 2, 1, True), Kind(6, 3, 1, 2), Kind(4, 2, 1, 1, False, "relu", 0.5)])
@pytest.mark.parametrize("chunks", [1, 4])
def test_rows_through_their_own_units_equal_convolutions(kind, chunks):
    layout, x = kind.layout(3), torch.randn(5, 3 * chunks, 8, 8)
    w = kind.initial(3, torch.arange(5), "unit") + 0.01 * torch.randn(5, layout.size)
    keep = torch.rand(5, chunks, kind.filters) >= 0.5
    y, statistics = kind.apply(w, x, 3, keep if kind.dropout else None)
    running = torch.rand(2, kind.filters) + 0.5
    for row in range(5):
        p, train, test = layout.split(w[row]), 0.0, 0.0
        for number, chunk in enumerate(x[row].split(3)):
            z = F.conv2d(chunk[None], p["W"], p.get("b"), kind.stride, kind.padding)
            fixed = z
            if kind.norm:
                fixed = F.batch_norm(z, *running, p["gamma"], p["beta"])
                mean, var = torch.zeros(kind.filters), torch.ones(kind.filters)
                z = F.batch_norm(z, mean, var, p["gamma"], p["beta"], training=True, momentum=1.0)
                torch.testing.assert_close(statistics[row, number], torch.stack((mean, var)))
            z, fixed = (F.leaky_relu(v) if kind.activation == "leaky" else F.relu(v) for v in (z, fixed))
            train, test = (
                train + z * (keep[row, number] * 2.0)[:, None, None] if kind.dropout else train + z,
                test + fixed,
            )
        torch.testing.assert_close(y[row], train[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(kind.infer(w[row], x[row : row + 1], 3, running), test, rtol=1e-4, atol=1e-4)


def test_running_statistics_in_closed_form_equal_a_loop():
    g = torch.Generator().manual_seed(0)
    running, statistics = torch.rand(3, 2, 4, generator=g), torch.rand(9, 2, 4, generator=g)
    units, expected = torch.tensor([0, 2, 0, 0, 2, 0, 0, 0, 2]), running.clone()
    for unit, value in zip(units, statistics, strict=True):
        expected[unit] = 0.9 * expected[unit] + 0.1 * value
    advance_running(running, statistics, units)
    torch.testing.assert_close(running, expected)


def test_kernels_that_do_not_fit_are_known():
    assert Kind(4, 2, 3, 0).output((1, 1)) is None and Kind(4, 2, 3, 0).output((3, 3)) == (1, 1)
    assert Kind(16, 5, 3, 2).output((28, 28)) == (10, 10) and Kind(36, 3, 1, 2).output((32, 32)) == (34, 34)


# --- The published code's functions ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def primes():
    sieve = np.ones(hashing.LARGEST, bool)
    sieve[:2] = False
    for d in range(2, math.isqrt(len(sieve)) + 1):
        if sieve[d]:
            sieve[d * d :: d] = False
    return np.flatnonzero(sieve)


def test_affine_slots_equal_a_loop_over_the_inputs(primes):
    seeds, n = torch.tensor([3, 4, 2**40]), 2000
    for s, number in ((300, 0), (300, 5), (2800, 0), (2800, 3)):
        tables, words = hashing.affine_slots(seeds, "a", n, s, number), random.words(seeds, "affine hash/a", 0, 5).tolist()
        p = int(primes[{300: 151, 2800: 551}[s] + number])  # the 152nd and the 552nd prime, and those after them
        for slots, row in zip(tables.tolist(), words, strict=True):
            q = int(primes[np.searchsorted(primes, 3 + (row[4] * (hashing.LARGEST - 3) >> 32), side="right") - 1])
            a, b, a_sign, b_sign = (w * m >> 32 for w, m in zip(row, (p - 1, p, q - 1, q), strict=False))
            for j, slot in enumerate(slots):
                bucket, odd = (((a + 1) * j + b) % p) % s, (((a_sign + 1) * j + b_sign) % q) % 2
                assert slot == bucket + s * odd


def test_affine_slots_repeat_their_buckets_after_p_inputs_but_not_their_signs():
    table = hashing.affine_slots(SEEDS, "a", 3000, 300, 1)
    assert torch.equal((table % 300)[:, :-883], (table % 300)[:, 883:])  # 883 follows 881
    assert not torch.equal(table[:, :-883], table[:, 883:])
    assert table.min() >= 0 and table.max() < 600 and ((table >= 300).float().mean(1) - 0.5).abs().max() < 0.1
    assert torch.equal(hashing.affine_slots(SEEDS, "a", 10, 300), hashing.affine_slots(SEEDS, "a", 50, 300)[:, :10])


def test_affine_slots_do_not_depend_on_what_is_drawn_beside_them():
    together = hashing.affine_slots(SEEDS, "a", 100, 300)
    assert torch.equal(together[1:], hashing.affine_slots(SEEDS[1:], "a", 100, 300))
    others = [hashing.affine_slots(SEEDS, name, 100, 300, number) for name, number in (("b", 0), ("a", 1))]
    assert not any(torch.equal(together, other) for other in others) and not torch.equal(together[0], together[1])


def test_published_primes_exceed_the_number_of_buckets():
    assert [hashing.published_prime(s) for s in (50, 880, 881, 4002, 4003)] == [881, 881, 4003, 4003, 4007]
