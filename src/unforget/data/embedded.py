"""Image sets made from what ships inside scikit-learn, for runs without a download.

All arithmetic is on integers and all chance from numpy's frozen `RandomState`, so that the same bytes come
out on every machine. They stand in for MNIST, CIFAR and SVHN in shape only; no result on them is compared
with a paper. scikit-learn is imported where it is used: that takes a second.
"""

import numpy as np

from unforget.data.files import Arrays
from unforget.errors import UnforgetError

SIDE = 28  # of an enlarged digit
GREY_LEVELS = 16  # scikit-learn's digits count 0 ... 16 dark pixels
TEST_EVERY = 4  # every fourth image of a class is a test image

PATCH_SIDE = 48  # the part of a photograph, at half its size, that 32x32 backgrounds are cut from
PATCHES = (  # photograph (0 temple, 1 flower), top, left; chosen by eye to differ in colour and texture
    (0, 160, 52),  # green leaves
    (0, 2, 216),  # sky
    (1, 76, 110),  # petals
    (0, 128, 76),  # lower roof and gallery
    (1, 52, 2),  # blue-green leaf, out of focus
    (0, 106, 168),  # lake
    (0, 48, 84),  # upper roof
    (1, 160, 56),  # nearly black
    (0, 162, 216),  # grey-green crown of a tree
    (1, 158, 168),  # edge of two flowers
)
TRAIN_PER_CLASS, TEST_PER_CLASS = 60, 20
SHIFT = 32 - SIDE  # a digit lies up to this many pixels from the top and the left


def digits() -> Arrays:
    """scikit-learn's handwritten digits: uint8 [1352, 1, 28, 28] to train on, [445, 1, 28, 28] to test on."""
    arrays = _digits()
    return {part: values[:, None] if part.startswith("x") else values for part, values in arrays.items()}


def colour_digits(classes: int = 10) -> Arrays:
    """Digits on patches of photographs: uint8 [60 x classes, 3, 32, 32] for training, 20 x classes for tests.

    Class 10 p + d is the digit d on patch p. A class's images differ in the handwritten digit, its place,
    its ink, and where in the patch the background is cut out. Raises `UnforgetError` for more classes than
    there are patches.
    """
    if not 1 <= classes <= 10 * len(PATCHES):
        raise UnforgetError(f"colour digits have 1 to {10 * len(PATCHES)} classes, not {classes}")
    plain, backgrounds = _digits(), _patches()
    random = np.random.RandomState(0)
    arrays = {}
    for part, count in (("train", TRAIN_PER_CLASS), ("test", TEST_PER_CLASS)):
        x, y = plain[f"x_{part}"], plain[f"y_{part}"]
        images = np.empty((classes, count, 3, 32, 32), np.uint8)
        for c in range(classes):
            patch, digit = divmod(c, 10)
            own = x[y == digit]
            chosen = own[(patch * count + np.arange(count)) % len(own)]
            images[c] = _compose(chosen, backgrounds[patch], random)
        # classes take turns, so that any stretch of the data holds all of them
        arrays[f"x_{part}"] = np.ascontiguousarray(images.swapaxes(0, 1)).reshape(-1, 3, 32, 32)
        arrays[f"y_{part}"] = np.tile(np.arange(classes, dtype=np.uint8), count)
    return arrays


def _digits() -> Arrays:
    """Enlarged digits [n, 28, 28] and labels [n], split within each class in file order."""
    from sklearn.datasets import load_digits

    data = load_digits()
    x, y = _enlarge(data.images.astype(np.int64)), data.target.astype(np.uint8)
    test = np.zeros(len(y), bool)
    for digit in range(10):
        test[np.flatnonzero(y == digit)[TEST_EVERY - 1 :: TEST_EVERY]] = True
    return {"x_train": x[~test], "y_train": y[~test], "x_test": x[test], "y_test": y[test]}


def _enlarge(images: np.ndarray) -> np.ndarray:
    """[n, 8, 8] with values 0 ... 16 to uint8 [n, 28, 28], bilinear, pixel centres aligned as in torch.

    Weights are counted in 2 x 28ths and divided out once at the end, which keeps the result exact.
    """
    old, unit = images.shape[-1], 2 * SIDE
    weights = np.zeros((SIDE, old), np.int64)
    for i in range(SIDE):
        # centre of new pixel i in old pixels is (i + 1/2) old / SIDE - 1/2, here times `unit`; edges repeat
        centre = min(max((2 * i + 1) * old - SIDE, 0), (old - 1) * unit)
        left, towards_right = divmod(centre, unit)
        weights[i, left] += unit - towards_right
        if towards_right:
            weights[i, left + 1] += towards_right
    scale = unit * unit * GREY_LEVELS
    return ((2 * 255 * (weights @ images @ weights.T) + scale) // (2 * scale)).astype(np.uint8)


def _patches() -> np.ndarray:
    """The patches at half their photographs' size, int64 [patch, 3, 48, 48]."""
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images  # temple, flower: uint8 [427, 640, 3]
    patches = []
    for photograph, top, left in PATCHES:
        cut = photographs[photograph][2 * top : 2 * (top + PATCH_SIDE), 2 * left : 2 * (left + PATCH_SIDE)]
        blocks = cut.astype(np.int64).reshape(PATCH_SIDE, 2, PATCH_SIDE, 2, 3)
        patches.append((blocks.sum((1, 3)) // 4).transpose(2, 0, 1))
    return np.stack(patches)


def _compose(digit: np.ndarray, patch: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Digits uint8 [n, 28, 28] on random cuts of a patch [3, 48, 48], as uint8 [n, 3, 32, 32]."""
    images, bright = np.empty((len(digit), 3, 32, 32), np.uint8), patch.mean() >= 128
    for image, strokes in zip(images, digit, strict=True):
        top, left = random.randint(0, PATCH_SIDE - 32 + 1, 2)
        down, right = random.randint(0, SHIFT + 1, 2)
        background, tint = patch[:, top : top + 32, left : left + 32], random.randint(0, 64, (3, 1, 1))
        # dark ink on a lightened background or light ink on a darkened one, else petals hide the digits
        if bright:
            ink, background = tint, 255 - (255 - background) * 5 // 8
        else:
            ink, background = 255 - tint, background * 5 // 8
        cover = np.pad(strokes.astype(np.int64), ((down, SHIFT - down), (right, SHIFT - right)))
        image[:] = (cover * ink + (255 - cover) * background) // 255
    return images
