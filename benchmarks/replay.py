"""Steps of protected replay, one seed, against plain ones: the replay model, and the networks that learn beside it.

S: Split MNIST; P10: ten permutations of MNIST. Both draw the same batches and codes.
"""

from collections.abc import Callable

import torch.nn.functional as F

from benchmarks import sizes
from benchmarks.plain_gan import PlainGAN
from benchmarks.plain_replay import PlainInference, PlainRehearsal, PlainReplay
from benchmarks.reference import PlainClassifier, PlainHNET, cut
from benchmarks.timing import Setup, paired
from unforget import random
from unforget.methods.base import Learner, Phase
from unforget.methods.hnet_gan import HNETGAN

# What is measured: size, method, phase, task (counted from 1; the last task has no replay model).
CASES = (
    ("S", "hnet-r", "replay model", 1), ("S", "hnet-r", "replay model", 4), ("S", "hnet-r", "classifier", 2),
    ("S", "hnet-r", "classifier", 5), ("S", "hnet-tir", "replay model", 4), ("S", "hnet-tir", "task inference", 5),
    ("S", "rpl-ub", "classifier", 5), ("S", "hnet-gan", "replay model", 4),
    ("P10", "hnet-r", "replay model", 9), ("P10", "hnet-r", "classifier", 10), ("P10", "hnet-tir", "replay model", 9),
    ("P10", "hnet-tir", "task inference", 10), ("P10", "rpl-ub", "classifier", 10),
)  # fmt: skip
TOY_CASES = tuple(("toy", method, phase, min(task, 3)) for size, method, phase, task in CASES if size == "S")


def measure(setup: Setup) -> list[dict]:
    rows = []
    for size, method, phase, task in setup.chosen(TOY_CASES if setup.toy else CASES):
        ours, plain = (sizes.learner(size, method, 1, setup.device, scenario="CL3") for _ in range(2))
        took = paired({"ours": sizes.stepper(ours, task - 1, phase), "plain": _plain(plain, phase, task - 1)}, setup)
        rows.append({
            "size": size, "method": method, "phase": phase, "task": task, "ms": took["ours"],
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


def _plain(learner: Learner, name: str, stage: int) -> Callable[[], None]:
    phase, lr = sizes.phase_of(learner, stage, name), learner.options.lr
    per_task = -(-learner.options.batch // stage) if stage else 0
    if isinstance(learner, HNETGAN):
        return _plain_gan(learner, phase, stage)
    model = plain_replay(learner) if hasattr(learner, "replay") else None
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

    return sizes.counting(work)


def _plain_gan(learner: Learner, phase: Phase, stage: int) -> Callable[[], None]:
    model, o = PlainGAN(learner), learner.options
    model.begin(stage)

    def work(step: int) -> None:
        z = random.normal(learner.seeds, f"gan.z/{stage}", step, (o.batch, o.gan_latent))[0]
        draws = random.uniform(learner.seeds, f"gan.dropout/{stage}", step, (3 * o.batch, sum(o.gan_discriminator)))[0]
        model.step(phase.batches(step).x[0], z, draws)

    return sizes.counting(work)
