"""Streams: what is in a task, and which samples a step sees."""

import pytest
import torch

from unforget import data
from unforget.data import images
from unforget.data.streams import Samples, Shuffled
from unforget.errors import UnforgetError

SEEDS = torch.tensor([0, 1])


def numbered(n):
    return Samples(torch.arange(n, dtype=torch.float32)[:, None], torch.arange(n))


@pytest.mark.parametrize("last, sizes", [("span", [4, 4, 4, 4, 4]), ("drop", [4, 4, 4, 4]), ("keep", [4, 4, 2, 4, 4, 2])])
def test_ends_of_passes(last, sizes):
    batches = Shuffled(numbered(10), SEEDS, "b", 4, last)
    drawn = [batches(step).y for step in range(len(sizes))]
    assert [y.shape[1] for y in drawn] == sizes
    per_pass = torch.cat(drawn, 1)[:, : 8 if last == "drop" else 10]
    assert all(len(set(row.tolist())) == per_pass.shape[1] for row in per_pass)
    assert torch.equal(Shuffled(numbered(10), SEEDS, "b", 4, last)(3).y, drawn[3])  # known without the steps before
    if last != "drop":
        assert torch.cat(drawn, 1)[0, :20].bincount(minlength=10).tolist() == [2] * 10


def test_steps_per_pass():
    assert [Shuffled(numbered(10), SEEDS, "b", 4, last).steps_per_pass for last in ("span", "drop", "keep")] == [3, 2, 3]
    with pytest.raises(UnforgetError, match="a batch of 11 does not fit into 10"):
        Shuffled(numbered(10), SEEDS, "b", 11, "drop")


def test_a_batch_larger_than_the_data_spans_passes():
    drawn = Shuffled(numbered(3), SEEDS, "b", 8)(0).y
    assert drawn.shape == (2, 8) and drawn[0].bincount().tolist() in ([3, 3, 2], [3, 2, 3], [2, 3, 3])


def test_split_digits():
    stream = data.build("split", image_set="digits", classes=2, tasks=5)
    for t in range(5):
        assert set(stream.stages[t].train.y.tolist()) == set(stream.tests[t].y.tolist()) == {2 * t, 2 * t + 1}
    batch = stream.stages[0].train.take(torch.tensor([[0, 1, 2]]))
    assert batch.x.dtype == torch.float32 and batch.x.shape == (1, 3, 1, 28, 28) and 0.5 < batch.x.max() <= 1
    merged = stream.merged()
    assert len(merged.stages) == 1 and merged.tasks == 5
    assert len(merged.stages[0].train) == sum(len(stage.train) for stage in stream.stages)


def test_dealt_digits():
    declared = {"image_set": "digits", "classes": 2, "tasks": 5}
    fixed = data.build("split", **declared)
    streams = [data.build("dealt", seed=seed, **declared) for seed in (0, 1, 0)]
    assert data.complete("dealt", **declared) == {"kind": "dealt"} | declared  # the seed is no part of a configuration
    assert data.by_seed("dealt") and not data.by_seed("split")
    with pytest.raises(UnforgetError, match="differs from seed to seed"):
        data.build("dealt", **declared)
    every = torch.cat([stage.train.x for stage in fixed.stages]).double().flatten(1).sum(0)
    digits = {x.numpy().tobytes(): int(y) for stage in fixed.stages for x, y in zip(stage.train.x, stage.train.y, strict=True)}
    dealt = []
    for stream in streams:
        assert len({len(test) for test in stream.tests}) == 1  # as many images for every seed
        for t in range(5):
            train, test = stream.stages[t].train, stream.tests[t]
            assert set(train.y.tolist()) == set(test.y.tolist()) == {2 * t, 2 * t + 1}
            assert test.y.bincount()[-2:].unique().numel() == 1
        torch.testing.assert_close(torch.cat([stage.train.x for stage in stream.stages]).double().flatten(1).sum(0), every)
        label_of = {(digits[x.numpy().tobytes()], int(y)) for s in stream.stages for x, y in zip(s.train.x, s.train.y, strict=True)}
        assert sorted(digit for digit, _ in label_of) == sorted(label for _, label in label_of) == list(range(10))
        dealt.append(label_of)
    assert dealt[0] == dealt[2] != dealt[1]


def test_permuted_digits_keep_task_one_and_the_multiset_of_pixels():
    stream = data.build("permuted", image_set="digits", tasks=3)
    drawn = [stream.tests[t].take(torch.arange(4)[None]) for t in range(3)]
    assert drawn[0].x.shape == (1, 4, 1024)
    assert torch.equal(drawn[0].x, stream.tests[0].x[:4].float()[None] / 255)
    for t in (1, 2):
        assert not torch.equal(drawn[t].x, drawn[0].x)
        assert torch.equal(drawn[t].x.sort(-1).values, drawn[0].x.sort(-1).values)
        assert torch.equal(drawn[t].y, drawn[0].y + 10 * t)
    again = data.build("permuted", image_set="digits", tasks=3)
    assert torch.equal(again.tests[2].take(torch.arange(4)[None]).x, drawn[2].x)


def test_toy_tasks_lie_on_their_curves():
    stream = data.build("toy regression")
    for stage, test, (low, high) in zip(stream.stages, stream.tests, [(-4, -2), (-1, 1), (2, 4)], strict=True):
        assert len(stage.train) == 100 and len(test) == 50
        assert low <= stage.train.x.min() and stage.train.x.max() <= high
        assert test.x.min() == low and test.x.max() == high
    x, y = stream.tests[1].x, stream.tests[1].y
    torch.testing.assert_close(y, 2 * x**2 - 1)
    noise = stream.stages[0].train.y - (stream.stages[0].train.x + 3)
    assert 0.03 < noise.std() < 0.07


def test_wrong_declarations_name_the_nearest():
    with pytest.raises(UnforgetError, match="did you mean 'split'"):
        data.build("splitt")
    with pytest.raises(UnforgetError, match="did you mean 'tasks'"):
        data.complete("split", image_set="digits", classes=2, task=5)
    with pytest.raises(UnforgetError, match="6 tasks of 2 classes need 12"):
        data.build("split", image_set="digits", classes=2, tasks=6)
    assert data.complete("permuted", image_set="mnist", tasks=10)["permutation_seed"] == 42


def test_split_mnist_sizes():
    if not images.available("mnist"):
        pytest.skip("mnist not found; set UNFORGET_DATA")
    stream = data.build("split", image_set="mnist", classes=2, tasks=5)
    assert [len(stage.train) for stage in stream.stages] == [12_665, 12_089, 11_263, 12_183, 11_800]
    assert [len(test) for test in stream.tests] == [2_115, 2_042, 1_874, 1_986, 1_983]
