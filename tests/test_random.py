import pytest
import torch

from unforget import random

# Known answers of Philox 4x32-10 published with the Random123 library.
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]  # fmt: skip
SEEDS = torch.tensor([0, 1, 2])


@pytest.mark.parametrize("counter, key, expected", VECTORS)
def test_published_vectors(counter, key, expected):
    found = random.philox(tuple(map(torch.tensor, counter)), tuple(map(torch.tensor, key)))
    assert tuple(int(word) for word in found) == expected


@pytest.mark.parametrize("draw", [random.uniform, random.normal])
def test_a_replica_depends_on_its_own_seed_only(draw):
    together = draw(SEEDS, "noise", 5, (4, 3))
    alone = draw(SEEDS[1:2], "noise", 5, (4, 3))
    assert torch.equal(together[1:2], alone)


def test_streams_steps_and_seeds_differ():
    draws = [
        random.words(torch.tensor([seed]), stream, step, 8)
        for seed in (0, 1, 2**40) for stream in ("a", "b") for step in (0, 1)
    ]  # fmt: skip
    assert len({tuple(d[0].tolist()) for d in draws}) == len(draws)


def test_step_may_be_a_tensor():
    assert torch.equal(random.words(SEEDS, "a", 7, 5), random.words(SEEDS, "a", torch.tensor(7), 5))


def test_first_words_do_not_depend_on_how_many_are_drawn():
    assert torch.equal(random.words(SEEDS, "a", 0, 5), random.words(SEEDS, "a", 0, 50)[:, :5])


def test_distributions():
    many = torch.arange(8)
    u, z = random.uniform(many, "u", 0, (20000,)), random.normal(many, "z", 0, (20001,))
    assert u.min() >= 0 and u.max() < 1
    assert abs(u.mean() - 0.5) < 0.005 and abs(u.var() - 1 / 12) < 0.002
    assert abs(z.mean()) < 0.01 and abs(z.var() - 1) < 0.02 and abs((z**4).mean() - 3) < 0.1
    counts = random.integers(many, "i", 0, (20000,), 7).flatten().bincount()
    assert len(counts) == 7 and (counts / counts.sum() - 1 / 7).abs().max() < 0.005


def test_permutation_is_one_and_is_fair():
    orders = random.permutation(torch.arange(3000), "p", 0, 5)
    assert torch.equal(orders.sort(1).values, torch.arange(5).expand(3000, 5))
    first = orders[:, 0].bincount() / 3000
    assert (first - 0.2).abs().max() < 0.03


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_same_integers_on_cuda():
    assert torch.equal(random.words(SEEDS.cuda(), "a", 3, 1000).cpu(), random.words(SEEDS, "a", 3, 1000))
