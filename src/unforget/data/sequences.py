"""The task sequences of Berjaoui (2020): pairs of digits, and one image set after another.

Labels are those of the image sets, not counted over tasks: every task has a classifier of its own (view
"own classifier"), with as many outputs as the sequence has labels. Inputs are normalised per image set.
"""

from torch import Tensor

from unforget.data import images
from unforget.data.images import ImageSet
from unforget.data.normalised import normalise
from unforget.data.streams import Samples, Stage, Stream
from unforget.errors import UnforgetError

Task = tuple[ImageSet, int, int]  # an image set and the labels of it that are the task's: first, one after the last


def pairwise(image_set: str = "mnist", tasks: int = 5) -> Stream:
    """Pairwise MNIST: the digits 0 and 1, then 2 and 3, and so on."""
    return _stream(f"Pairwise {images.describe(image_set).title}", _groups(image_set, 2, tasks))


def fashion_then_mnist(first: str = "fashion-mnist", second: str = "mnist") -> Stream:
    """Two tasks of ten classes, an image set each; both use the labels 0 to 9."""
    title = f"{images.describe(first).title}, then {images.describe(second).title}"
    return _stream(title, [*_groups(first, 10, 1), *_groups(second, 10, 1)])


def cifar100_in_ten(image_set: str = "cifar100", tasks: int = 10) -> Stream:
    """CIFAR-100, ten classes at a time in label order: tasks 1 to 10 of the longest sequence, without SVHN before them."""
    return _stream(f"{images.describe(image_set).title} in {tasks} tasks", _groups(image_set, 10, tasks))


def svhn_then_cifar100(first: str = "svhn", second: str = "cifar100", tasks: int = 10) -> Stream:
    """SVHN, then ten classes of CIFAR-100 at a time; the labels 0 to 9 occur in the first two tasks."""
    title = f"{images.describe(first).title}, then {images.describe(second).title} in {tasks} tasks"
    return _stream(title, [*_groups(first, 10, 1), *_groups(second, 10, tasks)])


def _groups(image_set: str, classes: int, tasks: int) -> list[Task]:
    """Tasks of `classes` labels each, in label order."""
    about = images.describe(image_set)
    if classes * tasks > about.classes:
        raise UnforgetError(
            f"{tasks} tasks of {classes} classes need {classes * tasks}; {about.title} has {about.classes}"
        )
    data = images.load(image_set)
    return [(data, t * classes, (t + 1) * classes) for t in range(tasks)]


def _stream(title: str, tasks: list[Task]) -> Stream:
    sets = {data.name: data for data, _, _ in tasks}
    return Stream(
        title=title, classes=tasks[0][2] - tasks[0][1], input_shape=tuple(tasks[0][0].x_train.shape[1:]),
        stages=tuple(
            Stage(f"task {t + 1}", (t,), _part(data, data.x_train, data.y_train, *labels))
            for t, (data, *labels) in enumerate(tasks)
        ),
        tests=tuple(_part(data, data.x_test, data.y_test, *labels) for data, *labels in tasks),
        checksums=_checksums(list(sets.values())),
    )  # fmt: skip


def _part(data: ImageSet, x: Tensor, y: Tensor, first: int, end: int) -> Samples:
    own = (y >= first) & (y < end)
    return Samples(x[own], y[own], normalise(data.name))


def _checksums(sets: list[ImageSet]) -> dict[str, str]:
    return {f"{d.name}/{k}" if len(sets) > 1 else k: value for d in sets for k, value in d.checksums.items()}
