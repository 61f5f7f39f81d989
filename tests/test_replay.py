"""Methods that keep old answers, on the task's own images or on replayed ones, against torch modules."""

import pytest
import tiny
import torch
from benchmarks.reference import PlainClassifier, PlainGenerator, PlainReplay

from unforget import random
from unforget.errors import UnforgetError

SCENARIOS = ("CL1", "CL2", "CL3")


def unit(data):
    """The same stream with features in [0, 1], where binary cross-entropy is defined."""
    for stage in data.stages:
        stage.train.x.sigmoid_()
    return data


def plain_classifier(learner, scenario, soft, over_classes="sum"):
    plain = PlainClassifier(learner.net.sizes, learner.state["theta"][0], learner.options.lr)
    return PlainReplay(plain, scenario, 2, soft, mean_over_classes=over_classes == "mean")


@pytest.mark.parametrize("over_classes", ["sum", "mean"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_lwf_equals_its_plain_form(scenario, over_classes):
    learner, data = tiny.learner("lwf", scenario, seeds=(3,), lr=1e-2, over_classes=over_classes)
    plain = plain_classifier(learner, scenario, True, over_classes)
    for stage in range(3):
        (phase,) = learner.phases(stage)
        for step in range(phase.steps):
            x, y = (part[0] for part in phase.batches(step))
            plain.step(x, y, stage, replayed=x)
        plain.end_task()
    tiny.train(learner, data)
    torch.testing.assert_close(learner.state["theta"][0], plain.plain.flat.detach(), rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("method, changes", [("dgr", {}), ("dgr-distill", {}), ("dgr-distill", {"over_classes": "mean"})])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_dgr_equals_its_plain_form(method, changes, scenario):
    learner, data = tiny.learner(method, scenario, seeds=(3,), data=unit(tiny.stream()), lr=1e-2, **changes)
    plain = plain_classifier(learner, scenario, method == "dgr-distill", changes.get("over_classes"))
    encoder, decoder = learner.state["generator"][0].split(learner.sizes)
    generator = PlainGenerator((5, 7, 6), 3, encoder, decoder, lr=1e-2)
    for stage in range(3):
        (phase,) = learner.phases(stage)
        for step in range(phase.steps):
            x, y = (part[0] for part in phase.batches(step))
            noise = random.normal(learner.seeds, f"code/{stage}", step, (16 if stage else 8, 3))[0]
            images = generator.replay(random.normal(learner.seeds, f"replay/{stage}", step, (8, 3))[0]) if stage else None
            plain.step(x, y, stage, images)
            generator.step(x, noise[:8], stage, images, noise[8:])
        plain.end_task(), generator.end_task()
    tiny.train(learner, data)
    torch.testing.assert_close(learner.state["theta"][0], plain.plain.flat.detach(), rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(learner.state["generator"][0], generator.flat.detach(), rtol=1e-3, atol=2e-5)


def test_each_step_replays_as_many_images_as_the_batch_has(monkeypatch):
    learner, data = tiny.learner("dgr", "CL3")
    seen = []
    monkeypatch.setattr(learner, "train_classifier", lambda stage, x, y: seen.append((stage, x, y.shape[1])))
    monkeypatch.setattr(learner, "train_generator", lambda stage, x, step: seen.append((stage, x, None)))
    for stage in range(3):
        (phase,) = learner.phases(stage)
        for step in range(2):
            phase.step(phase.batches(step), step)
    assert [(stage, x.shape[1], labelled) for stage, x, labelled in seen] == [
        (stage, 16 if stage else 8, labelled) for stage in range(3) for _ in range(2) for labelled in (8, None)
    ]
    for (_, for_classifier, _), (_, for_generator, _) in zip(seen[::2], seen[1::2], strict=True):
        assert torch.equal(for_classifier, for_generator)
    replayed = [x[:, 8:] for stage, x, labelled in seen if stage and labelled]
    assert all((a != b).any() for i, a in enumerate(replayed) for b in replayed[:i])  # new images at every step
    assert all((x[0] != x[1]).any() for x in replayed)  # and for every replica


def test_replay_comes_from_the_networks_as_they_stood_before_the_task():
    learner, data = tiny.learner("dgr-distill", "CL3", seeds=(0,))
    tiny.train(learner, data, stages=1)
    before = {name: learner.state[name].clone() for name in ("theta", "generator")}
    (phase,) = learner.phases(1)
    for step in range(phase.steps):
        phase.step(phase.batches(step), step)
    assert (learner.state["theta"] != before["theta"]).any() and (learner.state["generator"] != before["generator"]).any()
    assert torch.equal(learner.state["old classifier"], before["theta"])
    assert torch.equal(learner.state["old decoder"], before["generator"][:, learner.sizes[0] :])
    learner.end_stage(1)
    assert torch.equal(learner.state["old classifier"], learner.state["theta"])


@pytest.mark.parametrize("method", ["lwf", "dgr", "dgr-distill"])
def test_what_cannot_be_distilled_is_refused(method):
    with pytest.raises(UnforgetError, match="a regression has no classes"):
        tiny.learner(method, "regression")
    if method != "dgr":
        with pytest.raises(UnforgetError, match="the temperature must be above 0; got 0.0"):
            tiny.learner(method, temperature=0.0)


def test_the_lwf_teacher_on_new_classes():
    found = {
        unseen: tiny.train(*tiny.learner("lwf", "CL3", seeds=(0,), unseen=unseen)).state["theta"]
        for unseen in ("zero probability", "zero logit")
    }
    assert not torch.equal(*found.values())


def test_numbers_of_weights():
    # Two networks of 400, 400 for split MNIST: 784 -> 10 outputs, and the generator of van de Ven & Tolias.
    for method in ("dgr", "dgr-distill"):
        learner, _ = tiny.learner(method, "CL1", seeds=(0,), hidden=(40, 30), latent=10)
        target = 5 * 40 + 40 + 40 * 30 + 30 + 30 * 6 + 6
        encoder = 5 * 40 + 40 + 40 * 30 + 30 + 30 * 10 + 10 + 30 * 10
        decoder = 10 * 30 + 30 + 30 * 40 + 40 + 40 * 5 + 5
        counts = {"target": target, "generator": encoder + decoder, "trained": target + encoder + decoder}
        assert learner.counts() == counts
        assert learner.state["theta"].shape[1] + learner.state["generator"].shape[1] == counts["trained"]
