"""What each image set is, where it comes from, and what its files must contain."""

from dataclasses import dataclass
from functools import partial

from unforget.data import readers
from unforget.data.files import Form, Source


@dataclass(frozen=True)
class Description:
    """Facts about an image set, for the book and the command line."""

    name: str
    title: str
    classes: int
    shape: tuple[int, int, int]  # channels, height, width
    train: int
    test: int
    maker: str
    address: str
    citation: tuple[str, ...]  # keys of the bibliography
    terms: str  # as the makers state them
    source: Source | None = None  # None: embedded

    @property
    def embedded(self) -> bool:
        """Whether it ships with the installed packages, so that nothing is downloaded."""
        return self.source is None


def _shapes(image: tuple[int, int, int], train: int, test: int) -> dict[str, tuple[int, ...]]:
    return {"x_train": (train, *image), "y_train": (train,), "x_test": (test, *image), "y_test": (test,)}


def _torchvision(name: str, *options: dict):
    """A function of a folder that downloads a data set of torchvision there."""

    def download(folder: str) -> None:
        from torchvision import datasets

        for option in options or ({},):
            getattr(datasets, name)(folder, download=True, **option)

    return download


def _mnist_like(
    name: str, packed: dict[str, str], plain: dict[str, str], checksums: dict[str, str]
) -> Source:  # fmt: skip
    def form(md5s: dict[str, str], suffix: str) -> Form:
        paths = {f"{name}/raw/{file}-ubyte{suffix}": md5 for file, md5 in md5s.items()}
        return Form(paths, partial(readers.idx, names=list(paths)))

    forms = (form(packed, ".gz"), form(plain, ""))
    return Source(forms, _shapes((1, 28, 28), 60_000, 10_000), checksums, _torchvision(name))


def _cifar_pickles(folder, name: str):
    from torchvision import datasets

    return readers.cifar_pickles(folder, getattr(datasets, name))


def _cifar(
    name: str, folder: str, pickles: dict[str, str], binary: dict[str, str], archives: tuple[str, str],
    checksums: dict[str, str], label_bytes: int,
) -> Source:  # fmt: skip
    *train, test = binary
    return Source(
        (
            Form(
                {f"{folder}/{file}": md5 for file, md5 in pickles.items()},
                partial(_cifar_pickles, name=name), verify_first=True, archive=archives[0],
            ),
            Form(
                binary, partial(readers.cifar_binary, train=train, test=[test], label_bytes=label_bytes),
                archive=archives[1],
            ),
        ),
        _shapes((3, 32, 32), 50_000, 10_000), checksums, _torchvision(name),
    )  # fmt: skip


MNIST = _mnist_like(
    "MNIST",
    packed={
        "train-images-idx3": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    plain={
        "train-images-idx3": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1": "27ae3e4e09519cfbb04c329615203637",
    },
    checksums={
        "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
        "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    },
)

FASHION_MNIST = _mnist_like(
    "FashionMNIST",
    packed={
        "train-images-idx3": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    plain={
        "train-images-idx3": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1": "15d484375f8d13e6eb1aabb0c3f46965",
    },
    checksums={
        "x_train": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
        "y_train": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
        "x_test": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
        "y_test": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    },
)

CIFAR10 = _cifar(
    "CIFAR10", "cifar-10-batches-py",
    pickles={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
    binary={
        "cifar-10-batches-bin/data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
        "cifar-10-batches-bin/data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
        "cifar-10-batches-bin/data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
        "cifar-10-batches-bin/data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
        "cifar-10-batches-bin/data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
        "cifar-10-batches-bin/test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
    },
    archives=("cifar-10-python.tar.gz with md5 c58f30108f718f92721af3b95e74349a", "cifar-10-binary.tar.gz"),
    checksums={
        "x_train": "9d5c2eddadb0deff02c14c350c0385aab7b1d5ff1edfeb4997c8dc8644960111",
        "y_train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
        "x_test": "177777c33ba79825320efa646ad04a94bdc3c80e4ebe3bd21724f8cdfd4b9d56",
        "y_test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    },
    label_bytes=1,
)  # fmt: skip

CIFAR100 = _cifar(
    "CIFAR100", "cifar-100-python",
    pickles={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        "meta": "7973b15100ade9c7d40fb424638fde48",
    },
    binary={
        "cifar-100-binary/train.bin": "6172c7755cfe09b2fe270c85cebc1b15",
        "cifar-100-binary/test.bin": "4499cfba6c016c1be1438163640a0898",
    },
    archives=("cifar-100-python.tar.gz with md5 eb9058c3a382ffc7106e4002c42a8d85", "cifar-100-binary.tar.gz"),
    checksums={
        "x_train": "de64658905c6b161606e3649ddafce7cf86c7634a0cf9116d518e64ef46a33c5",
        "y_train": "9f11b9f97aad759ba6df0a33e3218b01d8deaf4ed3a14aa1185d69b9ad7ebcb3",
        "x_test": "83c56492b2c11211ad1bb2dbd4f2eef4170a0441e41a41f3039c3144b1f5a511",
        "y_test": "4dad7d09c7c97d33f6cb928d705cf4196221316fd6e31bdd978a08ed9103ee0b",
    },
    label_bytes=2,  # coarse, then fine
)  # fmt: skip

SVHN = Source(
    (
        Form(
            {
                "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
                "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
            },
            partial(readers.svhn, train="train_32x32.mat", test="test_32x32.mat"),
            verify_first=True,
        ),
    ),
    _shapes((3, 32, 32), 73_257, 26_032),
    checksums={},  # the md5s stand in: no file was at hand to take the sha256 of its arrays
    download=_torchvision("SVHN", {"split": "train"}, {"split": "test"}),
)

_DIGITS = "E. Alpaydin and C. Kaynak; the 1797 test images (8x8) of the UCI set, as shipped in scikit-learn"
_UCI = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"
_COLOUR_TERMS = "digits: CC BY 4.0 (UCI); the photographs china.jpg and flower.jpg: CC BY 2.0"

DESCRIPTIONS = {
    about.name: about
    for about in (
        Description(
            "digits", "scikit-learn digits", 10, (1, 28, 28), 1352, 445,
            f"{_DIGITS}, enlarged to 28x28", _UCI,
            ("alpaydin1998", "pedregosa2011"), "CC BY 4.0 (UCI)",
        ),
        *(
            Description(
                name, title, classes, (3, 32, 32), 60 * classes, 20 * classes,
                f"{_DIGITS}, composed on patches of its two sample photographs", _UCI,
                ("alpaydin1998", "pedregosa2011"), _COLOUR_TERMS,
            )
            for name, title, classes in (
                ("colour-digits", "colour digits", 10),
                ("colour-digits-100", "colour digits (100 classes)", 100),
            )
        ),
        Description(
            "mnist", "MNIST", 10, (1, 28, 28), 60_000, 10_000, "Y. LeCun, C. Cortes and C. J. C. Burges",
            "http://yann.lecun.com/exdb/mnist/", ("lecun1998",),
            "no licence stated by the makers", MNIST,
        ),
        Description(
            "fashion-mnist", "Fashion-MNIST", 10, (1, 28, 28), 60_000, 10_000, "Zalando Research",
            "https://github.com/zalandoresearch/fashion-mnist", ("xiao2017",),
            "MIT licence", FASHION_MNIST,
        ),
        Description(
            "cifar10", "CIFAR-10", 10, (3, 32, 32), 50_000, 10_000, "A. Krizhevsky, V. Nair and G. Hinton",
            "https://www.cs.toronto.edu/~kriz/cifar.html", ("krizhevsky2009",),
            "no licence stated; the makers ask to cite the technical report", CIFAR10,
        ),
        Description(
            "cifar100", "CIFAR-100", 100, (3, 32, 32), 50_000, 10_000, "A. Krizhevsky, V. Nair and G. Hinton",
            "https://www.cs.toronto.edu/~kriz/cifar.html", ("krizhevsky2009",),
            "no licence stated; the makers ask to cite the technical report", CIFAR100,
        ),
        Description(
            "svhn", "SVHN", 10, (3, 32, 32), 73_257, 26_032,
            "Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu and A. Y. Ng",
            "http://ufldl.stanford.edu/housenumbers/", ("netzer2011",),
            "non-commercial use only", SVHN,
        ),
    )
}  # fmt: skip
