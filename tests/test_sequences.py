"""The sequences of Berjaoui (2020): sizes, labels as they are, and normalised inputs."""

import pytest
import torch
from torchvision import transforms

from unforget import data
from unforget.data import images
from unforget.data.normalised import CONSTANTS, normalise
from unforget.errors import UnforgetError


def need(*sets):
    for name in sets:
        if not images.available(name):
            pytest.skip(f"{name} not found; set UNFORGET_DATA")


def sizes(stream):
    return [len(stage.train) for stage in stream.stages], [len(test) for test in stream.tests]


def labels(stream):
    found = [test.y.unique().tolist() for test in stream.tests]
    assert found == [stage.train.y.unique().tolist() for stage in stream.stages]
    return found


def test_pairs_of_digits():
    need("mnist")
    stream = data.build("pairwise")
    assert sizes(stream) == ([12_665, 12_089, 11_263, 12_183, 11_800], [2_115, 2_042, 1_874, 1_986, 1_983])
    assert labels(stream) == [[2 * t, 2 * t + 1] for t in range(5)]
    assert (stream.tasks, stream.classes, stream.input_shape) == (5, 2, (1, 28, 28))


def test_fashion_then_digits():
    need("mnist", "fashion-mnist")
    stream = data.build("fashion then mnist")
    assert sizes(stream) == ([60_000] * 2, [10_000] * 2)
    assert labels(stream) == [list(range(10))] * 2, "labels are not counted over tasks"
    assert set(stream.checksums) == {f"{s}/{a}_{p}" for s in ("fashion-mnist", "mnist") for a in "xy"
                                     for p in ("train", "test")}  # fmt: skip


def test_ten_times_ten_classes():
    need("cifar100")
    stream = data.build("cifar100 in ten tasks")
    assert sizes(stream) == ([5_000] * 10, [1_000] * 10)
    assert labels(stream) == [list(range(10 * t, 10 * t + 10)) for t in range(10)]
    assert stream.classes == 10 and stream.input_shape == (3, 32, 32)


def test_house_numbers_then_ten_times_ten_classes():
    need("svhn", "cifar100")
    stream = data.build("svhn then cifar100")
    assert sizes(stream) == ([73_257, *[5_000] * 10], [26_032, *[1_000] * 10])
    assert labels(stream) == [list(range(10)), *[list(range(10 * t, 10 * t + 10)) for t in range(10)]]


def test_missing_house_numbers_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("UNFORGET_DATA", str(tmp_path / "nowhere"))
    images.load.cache_clear()
    with pytest.raises(UnforgetError) as error:
        data.build("svhn then cifar100")
    images.load.cache_clear()
    assert "\n" not in str(error.value) and "nowhere" in str(error.value)


def test_stand_ins_have_the_same_form():
    pairs = data.build("pairwise", image_set="digits")
    assert labels(pairs) == [[2 * t, 2 * t + 1] for t in range(5)]
    colours = data.build("svhn then cifar100", first="colour-digits", second="colour-digits-100", tasks=3)
    assert labels(colours) == [list(range(10)), *[list(range(10 * t, 10 * t + 10)) for t in range(3)]]
    assert labels(data.build("cifar100 in ten tasks", image_set="colour-digits-100", tasks=3)) == labels(colours)[1:]
    assert labels(data.build("fashion then mnist", first="digits", second="digits")) == [list(range(10))] * 2


@pytest.mark.parametrize("name", ["digits", "colour-digits-100"])
def test_inputs_are_normalised_as_torchvision_does(name):
    loaded = images.load(name)
    plain = transforms.Normalize(*CONSTANTS[name])(loaded.x_test[:5].float() / 255)
    assert torch.equal(normalise(name)(loaded.x_test[None, :5], loaded.y_test[None, :5])[0], plain)
    assert loaded.x_test.dtype == torch.uint8, "the data set itself stays as it is"


def test_the_real_pixels_have_the_declared_mean_and_spread():
    need("mnist", "cifar100")
    for name in ("mnist", "cifar100"):
        x = images.load(name).x_train
        prepared = normalise(name)(x[None, :20_000], torch.zeros(1, 20_000))[0].double()
        torch.testing.assert_close(prepared.mean((0, 2, 3)), torch.zeros(x.shape[1]).double(), atol=0.02, rtol=0)
        torch.testing.assert_close(prepared.std((0, 2, 3)), torch.ones(x.shape[1]).double(), atol=0.02, rtol=0)


def test_pairs_can_be_trained_jointly():
    merged = data.build("pairwise", image_set="digits").merged()
    assert len(merged.stages[0].train) == 1352 and merged.tasks == 5


def test_too_many_tasks_are_refused():
    with pytest.raises(UnforgetError, match="6 tasks of 2 classes need 12"):
        data.build("pairwise", image_set="digits", tasks=6)
    with pytest.raises(UnforgetError, match="11 tasks of 10 classes need 110"):
        data.build("svhn then cifar100", first="colour-digits", second="colour-digits-100", tasks=11)
