"""Split streams whose classes are dealt to the tasks anew for every seed, as in the code of van de Ven & Tolias (2019)."""

from dataclasses import replace

import torch

from unforget import random
from unforget.data.split import split
from unforget.data.streams import Samples, Stage, Stream


def dealt(image_set: str, classes: int, tasks: int, *, seed: int) -> Stream:
    """As `split`, but which classes make up a task is a function of the seed.

    Tests hold equally many images of each class, the first ones, so that all seeds are tested on as many. Seeds have
    different data, so they train one after the other.
    """
    fixed = split(image_set, classes, tasks)
    position = random.permutation(torch.tensor([seed]), "deal", 0, classes * tasks)[0]
    (every,) = fixed.merged().stages
    tested = Samples(torch.cat([test.x for test in fixed.tests]), torch.cat([test.y for test in fixed.tests]))
    fewest = int(tested.y.bincount().min())
    first = torch.cat([(tested.y == label).nonzero()[:fewest, 0] for label in range(classes * tasks)])
    tested = Samples(tested.x[first], tested.y[first])

    def part(samples: Samples, t: int) -> Samples:
        y = position[samples.y]
        own = y // classes == t
        return Samples(samples.x[own], y[own])

    stages = tuple(Stage(stage.name, (t,), part(every.train, t)) for t, stage in enumerate(fixed.stages))
    tests = tuple(part(tested, t) for t in range(tasks))
    return replace(fixed, title=f"{fixed.title}, dealt anew", stages=stages, tests=tests)
