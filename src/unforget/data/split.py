"""Split streams: the classes of an image set dealt out to tasks (split MNIST, pairwise MNIST, split CIFAR-100)."""

from torch import Tensor

from unforget.data import images
from unforget.data.streams import Samples, Stage, Stream
from unforget.errors import UnforgetError


def split(image_set: str, classes: int, tasks: int) -> Stream:
    """The classes of an image set in label order, `classes` per task (split MNIST: 2 per task, 5 tasks)."""
    data, available = images.load(image_set), images.describe(image_set).classes
    if classes * tasks > available:
        raise UnforgetError(f"{tasks} tasks of {classes} classes need {classes * tasks}; {data.title} has {available}")

    def part(x: Tensor, y: Tensor, t: int) -> Samples:
        own = (y >= t * classes) & (y < (t + 1) * classes)
        return Samples(x[own], y[own])

    return Stream(
        title=f"Split {data.title}", classes=classes, input_shape=tuple(data.x_train.shape[1:]),
        stages=tuple(Stage(f"task {t + 1}", (t,), part(data.x_train, data.y_train, t)) for t in range(tasks)),
        tests=tuple(part(data.x_test, data.y_test, t) for t in range(tasks)), checksums=data.checksums,
    )  # fmt: skip
