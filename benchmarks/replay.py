"""Steps of protected replay, one seed, against plain ones: the replay model, and the networks that learn beside it.

S: Split MNIST, at its second and its last task. Both draw the same batches and codes.
"""

from collections.abc import Callable

import torch.nn.functional as F

from benchmarks import sizes
from benchmarks.plain_replay import PlainInference, PlainRehearsal, PlainReplay
from benchmarks.reference import PlainClassifier, PlainHNET, cut
from benchmarks.timing import Setup, paired
from unforget import random
from unforget.methods import find
from unforget.methods.base import Learner, Replicas, options

TOY_OPTIONS = {
    "hidden": (7, 6), "batch": 16, "vae_encoder": (7,), "vae_decoder": (6,), "vae_latent": 3, "vae_condition_size": 4,
    "vae_hyper_hidden": (5, 4), "vae_task_embedding": 3, "vae_chunk_embedding": 2, "vae_chunk_size": 50,
}  # fmt: skip
# What is measured: method, phase, task (counted from 1; the last task has no replay model).
CASES = (
    ("hnet-r", "replay model", 1), ("hnet-r", "replay model", 4), ("hnet-r", "classifier", 2), ("hnet-r", "classifier", 5),
    ("hnet-tir", "replay model", 4), ("hnet-tir", "task inference", 5), ("rpl-ub", "classifier", 5),
)  # fmt: skip


def measure(setup: Setup) -> list[dict]:
    rows = []
    for method, phase, task in CASES:
        task = min(task, 3) if setup.toy else task
        took = paired({"ours": _ours(method, phase, task, setup), "plain": _plain(method, phase, task, setup)}, setup)
        rows.append({
            "size": "toy" if setup.toy else "S", "method": method, "phase": phase, "task": task, "ms": took["ours"],
            "plain ms": took["plain"], "plain / ours": took["plain"] / took["ours"],
        })  # fmt: skip
    return rows


def plain_replay(learner: Learner) -> PlainReplay:
    """The plain form of a learner's replay model, with the weights of the first replica."""
    model = learner.replay
    *layers, c = cut(model.decoder["theta"][0], model.hyper.layout.shapes.values())
    shapes = list(model.vae.decoder.layout.shapes.values())
    o = learner.options
    writer = PlainHNET(layers, c, model.decoder["e"][0], shapes, F.elu, lr=o.lr, beta=o.vae_beta)
    return PlainReplay(cut(model.state["vae.encoder"][0], model.vae.encoder.shapes.values()), writer, o.lr)


def draw(learner: Learner, plain: PlainReplay, stage: int, step: int, per_task: int) -> list:
    """The replayed images of a step for the first replica, task after task."""
    model = learner.replay
    z = random.normal(learner.seeds[:1], f"replay/{stage}", step, (stage, per_task, model.options.vae_latent))[0]
    return [plain.sample(t, z[t], model.condition[0, t]) for t in range(stage)]


def _learner(method: str, setup: Setup) -> Learner:
    size, kind = "toy" if setup.toy else "S", find(method)
    known = kind.Options.__dataclass_fields__
    values = {name: value for name, value in TOY_OPTIONS.items() if setup.toy and name in known}
    stream = sizes.stream(sizes.SIZES[size], setup.device)
    return kind(stream, "CL3", options(kind.Options, values, method), Replicas((0,), device=setup.device))


def _phase(learner: Learner, name: str, task: int):
    return next(phase for phase in learner.phases(task - 1) if phase.name == name)


def _ours(method: str, name: str, task: int, setup: Setup) -> Callable[[], None]:
    phase = _phase(_learner(method, setup), name, task)
    phase.begin()
    return _counting(lambda step: phase.step(phase.batches(step), step))


def _plain(method: str, name: str, task: int, setup: Setup) -> Callable[[], None]:
    learner, stage = _learner(method, setup), task - 1
    phase, lr = _phase(learner, name, task), learner.options.lr
    per_task = -(-learner.options.batch // stage) if stage else 0
    model = None if method == "rpl-ub" else plain_replay(learner)
    if name == "replay model":
        model.begin(stage)
        shape = (learner.options.batch, learner.options.vae_latent)

        def work(step: int) -> None:
            noise = random.normal(learner.seeds, f"vae.noise/{stage}", step, shape)[0]
            model.step(phase.batches(step).x[0], noise, learner.replay.condition[0, stage])

    elif name == "task inference":
        inference = PlainInference(PlainClassifier(learner.alpha.sizes, learner.state["alpha"][0], lr))
        inference.begin()

        def work(step: int) -> None:
            inference.step(phase.batches(step).x[0], stage, draw(learner, model, stage, step, per_task))

    else:
        classifier = PlainClassifier(learner.net.sizes, learner.state["theta"][0], lr)
        rehearsal = PlainRehearsal(classifier, "CL3", learner.head.classes)
        rehearsal.begin()

        def work(step: int) -> None:
            if model is None:
                batch, old = phase.batches(step)
                old = old[0].split(per_task)
            else:
                batch, old = phase.batches(step), draw(learner, model, stage, step, per_task)
            rehearsal.step(batch.x[0], batch.y[0], stage, old)

    return _counting(work)


def _counting(work: Callable[[int], None]) -> Callable[[], None]:
    """A function that does the next step."""
    steps = iter(range(2**31))
    return lambda: work(next(steps))
