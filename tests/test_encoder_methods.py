"""Methods with a classifier per task against plain torch modules; what each of them protects, and what it refuses."""

from functools import partial

import pytest
import tiny
import torch
from benchmarks.reference import PlainELL, PlainEncoder, PlainEncoderEWC, modules
from torch import nn

from unforget import random
from unforget.data.streams import Samples, Stage, Stream
from unforget.errors import UnforgetError
from unforget.experiments.hrn.sequences import svhn_cifar100
from unforget.methods import find
from unforget.methods.base import options
from unforget.nets.layout import fan_in_uniform

SEED = torch.tensor([5])


def follow(learner, plain, after_task=lambda stage: None):
    """Train a learner and its plain version side by side, on the same batches with the same dropout."""
    for stage in range(3):
        classifier, *others = learner.phases(stage)
        classifier.begin()
        plain.begin(modules(learner.head, learner.head.initial(SEED, f"head/{stage}")[0]))
        _, draws = classifier.step.args
        for step in range(classifier.steps):
            batch = classifier.batches(step)
            classifier.step(batch, step)
            plain.step(batch.x[0], batch.y[0], draws(step)[0])
        plain.end()
        for phase in others:
            phase.begin()
            batches = [phase.batches(step) for step in range(phase.steps)]
            plain.stabilise(autoencoder(learner, stage), [(b.x[0], b.y[0]) for b in batches])
            for step, batch in enumerate(batches):
                phase.step(batch, step)
        learner.end_stage(stage)
        after_task(stage)


def autoencoder(learner, stage):
    """Two linear modules with the initial weights of a stage's autoencoder."""
    parts = learner.autoencoder.split(fan_in_uniform(learner.autoencoder, SEED, f"autoencoder/{stage}")[0])
    encode, decode = nn.Linear(*parts["R"].shape), nn.Linear(*parts["W"].shape)
    for module, names in ((encode, "Wb"), (decode, "Rc")):
        module.weight.data, module.bias.data = (parts[name].clone() for name in names)
    return encode, decode


def same(learner, plain, data):
    """Encoder, every frozen classifier, and what both make of test images."""
    mine = [v for k, v in learner.encoder.layout.split(learner.state["theta"][0]).items() if k not in ("b1", "b2")]
    for a, b in zip(mine, plain.encoder.parameters(), strict=True):
        torch.testing.assert_close(a, b.detach(), rtol=1e-3, atol=2e-5)
    for task, head in enumerate(plain.heads):
        with torch.no_grad():
            theirs = head.eval()(plain.encoder.eval()(data.tests[task].x))
        found = learner.predict(data.tests[task].x[None], task, 3)[0]
        torch.testing.assert_close(found, theirs, rtol=1e-3, atol=1e-4)


def test_vc_equals_plain_modules():
    learner, data = tiny.learner("vc", seeds=(5,))
    plain = PlainEncoder(modules(learner.encoder, learner.state["theta"][0]))
    follow(learner, plain)
    same(learner, plain, data)


@pytest.mark.parametrize(("reading", "optimiser"), [("released", "adam"), ("standard", "adam"), ("released", "sgd")])
def test_encoder_ewc_equals_a_fisher_loop_and_all_its_parabolas(reading, optimiser):
    own = {} if optimiser == "adam" else {"lr": 0.02, "strength": 2.0}
    learner, data = tiny.learner("ewc-encoder", seeds=(5,), **{"fisher": reading, "strength": 200.0, "optimiser": optimiser} | own)
    encoder = modules(learner.encoder, learner.state["theta"][0])
    plain = PlainEncoderEWC(encoder, learner.options.strength, reading)
    plain.optimiser = partial({"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimiser], lr=learner.options.lr)

    def after_task(stage):
        if stage < 2:
            index = [random.integers(SEED, f"fisher/{stage}", t, (12,), 26)[0] for t in range(stage + 1)]
            plain.consolidate([data.stages[t].train.x[i] for t, i in enumerate(index)])

    follow(learner, plain, after_task)
    same(learner, plain, data)
    free, _ = tiny.learner("vc", seeds=(5,))
    tiny.train(free, data)
    assert (learner.state["theta"] - free.state["theta"]).abs().max() > 1e-3, "the penalty has an effect"


@pytest.mark.parametrize("reading, gradient", [("released", False), ("released", True), ("lwf", False)])
def test_ell_equals_deep_copies_of_the_networks_as_they_were(reading, gradient):
    learner, data = tiny.learner(
        "ell", seeds=(5,), distillation=reading, code_weight=20.0, teacher_gradient=gradient
    )
    plain = PlainELL(modules(learner.encoder, learner.state["theta"][0]), 20.0, reading, teacher_gradient=gradient)
    follow(learner, plain)
    same(learner, plain, data)
    for t, encode in enumerate(plain.autoencoders):
        kept = learner.state["W"][0, 4 * t : 4 * t + 4]
        torch.testing.assert_close(kept, encode.weight.detach(), rtol=1e-3, atol=2e-5)
    assert learner.state["W"].shape[1] == 4 * len(plain.autoencoders) == 8
    free, _ = tiny.learner("vc", seeds=(5,))
    tiny.train(free, data)
    assert (learner.state["theta"] - free.state["theta"]).abs().max() > 1e-3, "the penalty has an effect"


def test_a_frozen_classifier_never_changes():
    learner, data = tiny.learner("vc", seeds=(0, 1))
    tiny.train(learner, data, stages=1)
    first, statistics = learner.state["heads"][:, 0].clone(), learner.state["heads.mean1"][:, 0].clone()
    tiny.train(learner, data)
    assert not torch.equal(learner.state["heads"][:, 0], learner.state["heads"][:, 1])
    again, _ = tiny.learner("vc", seeds=(0, 1))
    tiny.train(again, data)
    assert torch.equal(again.state["heads"][:, 0], first)
    assert torch.equal(again.state["heads.mean1"][:, 0], statistics)


@pytest.mark.parametrize("method, weak", [("vc", {}), ("ewc-encoder", {"strength": 0.1}), ("ell", {"code_weight": 0.1})])
def test_they_learn_their_tasks(method, weak):
    longer = {"epochs": (20, 20, 20), "channel_dropout": (0.0, 0.0), "lr": 3e-3}
    learner, data = tiny.learner(method, seeds=(0,), **longer, **weak)
    tiny.train(learner, data)
    last = data.tests[2]
    assert (learner.predict(last.x[None], 2, 3).argmax(-1) == last.y).double().mean() > 0.8


@pytest.mark.parametrize("method, values, size", [
    ("vc", {}, {"encoder": 2_592, "head": 18_060, "trained": 2_592 + 5 * 18_060}),
    ("ell", {}, {"autoencoder": 57_988, "trained": 2_592 + 5 * 18_060 + 4 * 57_988}),
    ("ell", {"filters": (32, 64), "codes": 300}, {"encoder": 9_280, "head": 35_340, "autoencoder": 346_476}),
])  # fmt: skip
def test_parameters_of_the_paper(method, values, size):
    data = tiny.images()
    five = type(data)("five", 2, (1, 28, 28), data.stages[:1] * 5, data.tests[:1] * 5, {})
    kind = find(method)
    learner = kind(five, "CL1", options(kind.Options, values, method), tiny.Replicas((0,), {}, torch.device("cpu")))
    assert {name: learner.counts()[name] for name in size} == size


def test_autoencoder_of_the_colour_images_has_the_size_of_the_paper():
    """180 million weights, counted from their shapes; none is made."""
    (run,) = (run for run in svhn_cifar100.runs if run.name == "ell")
    samples = Samples(torch.zeros(16, 3, 32, 32), torch.zeros(16, dtype=torch.int64))
    data = Stream("shapes", 10, (3, 32, 32), (Stage("task 1", (0,), samples),), (samples,), {})
    kind = find("ell")
    chosen = options(kind.Options, run.options | {"epochs": (8,)}, "ell")
    learner = kind(data, "CL1", chosen, tiny.Replicas((0,), {}, torch.device("cpu")))
    counts, n = learner.counts(), 99 * 18 * 18
    assert learner.encoder.features == n and counts["encoder"] == 15_633
    assert counts["autoencoder"] == 179_660_476 == 2 * 2800 * n + 2800 + n
    assert max(value.numel() for value in learner.state.values()) < 7_000_000


def test_what_cannot_work_is_refused():
    with pytest.raises(UnforgetError, match="task-incremental"):
        tiny.learner("vc", scenario="CL3")
    with pytest.raises(UnforgetError, match="epochs has 2 entries for 3 tasks"):
        tiny.learner("ell", epochs=(1, 1))
    with pytest.raises(UnforgetError, match="one entry per layer each"):
        tiny.learner("vc", filters=(3, 4, 5))
    with pytest.raises(UnforgetError, match="head_dropout needs 2 entries"):
        tiny.learner("vc", head_dropout=(0.1,))
    with pytest.raises(UnforgetError, match="too small for these convolutions"):
        tiny.learner("vc", kernels=(9, 2), strides=(3, 3), paddings=(0, 0))
    learner, data = tiny.learner("vc")
    with pytest.raises(UnforgetError, match="own classifier"):
        learner.predict(data.tests[0].x[None], None, 1)
    with pytest.raises(UnforgetError, match="did you mean 'released'"):
        tiny.learner("ewc-encoder", fisher="relased")
