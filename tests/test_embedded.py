"""The image sets that need no download."""

import time

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from unforget.data import embedded, files, images
from unforget.errors import UnforgetError

EMBEDDED = [name for name in images.names() if images.describe(name).embedded]

CHECKSUMS = {  # of the images; every recorded smoke result stands on these bytes
    "digits": (
        "2faa5dd0559a3ba6b5249aea5c0213219bb3d3500b9e838dd8fce753dec4d807",
        "bbe730e379183b3a887032feba7d593fd6b5f6f3a6b3f8996042729be8692962",
    ),
    "colour-digits": (
        "a7140c72848a22b1da96bd0279e7eeb2ab6556a5804db9ba604605eb3781348b",
        "c304104a9faac37c7d07b891205883d24b28dc3496b6537c4e07d72a014b256a",
    ),
    "colour-digits-100": (
        "15a07173e935f547f8c6d75bd3728050544ba8505d857eca85853ef7c01e7671",
        "73cce825a8502d59d411bdf6dfcdef9336bacf275c3cdc9a04923365b5ac4896",
    ),
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_as_described_and_always_the_same_bytes(name):
    about, loaded = images.describe(name), images.load(name)
    assert loaded.x_train.shape == (about.train, *about.shape) and loaded.x_train.dtype == torch.uint8
    assert loaded.x_test.shape == (about.test, *about.shape)
    assert loaded.y_train.unique().tolist() == loaded.y_test.unique().tolist() == list(range(about.classes))
    assert loaded.y_train.dtype == torch.int64 and loaded.title == about.title
    assert (loaded.checksums["x_train"], loaded.checksums["x_test"]) == CHECKSUMS[name]
    assert files.checksums(images.EMBEDDED[name]()) == loaded.checksums


def test_loaded_once_in_a_process():
    assert images.load("digits") is images.load("digits")


def test_digits_are_split_within_each_class():
    loaded = images.load("digits")
    train, test = loaded.y_train.bincount(), loaded.y_test.bincount()
    assert torch.equal(train + test, torch.from_numpy(load_digits().target).bincount())
    assert torch.equal(test, (train + test) // 4)


def test_enlarging_is_bilinear_interpolation():
    small = torch.from_numpy(load_digits().images)[:, None]
    large = F.interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)[:, 0] * 255 / 16
    ours = torch.from_numpy(embedded._enlarge(load_digits().images.astype("int64")))
    assert (ours - large).abs().max() <= 0.5 + 1e-9


@pytest.mark.parametrize("name", EMBEDDED)
def test_no_image_occurs_twice(name):
    loaded = images.load(name)
    everything = torch.cat([loaded.x_train, loaded.x_test])
    assert len({image.numpy().tobytes() for image in everything}) == len(everything)


LEAST = {"digits": 0.95, "colour-digits": 0.8, "colour-digits-100": 0.65}


@pytest.mark.parametrize(("name", "least"), LEAST.items())
def test_classes_can_be_learnt(name, least):
    """Even a nearest neighbour, which knows nothing of shift and ink, does far better than chance."""
    loaded = images.load(name)
    train, test = (x.flatten(1).numpy() / 255.0 for x in (loaded.x_train, loaded.x_test))
    assert KNeighborsClassifier(1).fit(train, loaded.y_train).score(test, loaded.y_test) > least


def test_colour_classes_are_digit_and_patch():
    """The background's colour tells the patch, which is the tens digit of the class."""
    loaded = images.load("colour-digits-100")
    means = torch.stack([loaded.x_train[loaded.y_train == c].float().mean((0, 2, 3)) for c in range(100)])
    means = means.view(10, 10, 3)  # patch, digit, colour
    within, between = means.std(1).mean(), means.mean(1).std(0).mean()
    assert between > 3 * within


@pytest.mark.parametrize("classes", [0, 101])
def test_impossible_numbers_of_colour_classes_are_refused(classes):
    with pytest.raises(UnforgetError, match="1 to 100 classes"):
        embedded.colour_digits(classes)


def test_colour_digits_are_made_quickly():
    start = time.process_time()
    embedded.colour_digits(100)
    assert time.process_time() - start < 2
