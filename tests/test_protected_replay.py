"""Replay from a model whose decoder a hypernetwork protects, each part against its plain version."""

from dataclasses import replace

import pytest
import test_loop
import tiny
import torch
from benchmarks.plain_replay import PlainInference, PlainRehearsal
from benchmarks.reference import PlainClassifier
from benchmarks.replay import draw, plain_replay

from unforget import probes, random
from unforget.data.streams import Samples, Stream
from unforget.errors import UnforgetError
from unforget.experiments import hnet, lstm
from unforget.experiments.spec import PROFILES
from unforget.methods import find
from unforget.methods.base import Replicas, options
from unforget.probes import replay as replay_probes

REPLAY = ("hnet-r", "hnet-tir")
registered = test_loop.registered


def grey():
    """The tiny stream with inputs in (0, 1), as pixels are."""
    stream = tiny.stream()

    def squash(samples):
        return Samples(samples.x.sigmoid(), samples.y)

    stages = tuple(replace(stage, train=squash(stage.train)) for stage in stream.stages)
    return replace(stream, stages=stages, tests=tuple(map(squash, stream.tests)))


def trained(method, scenario="CL1", stages=1, seeds=(7,), data=None, **changes):
    """A learner after its first tasks, each replica's codes and images worth telling apart."""
    learner, data = tiny.learner(method, scenario, seeds, data=data or grey(), **changes)
    return tiny.train(learner, data, stages=stages), data


@pytest.mark.parametrize("condition", ["gaussian", "one-hot", "nothing"])
def test_the_replay_model_equals_a_plain_one(condition):
    learner, _ = tiny.learner("hnet-r", seeds=(7,), data=grey(), vae_condition=condition)
    model, plain = learner.replay, plain_replay(learner)
    for stage in range(2):
        (phase,) = model.phases(stage)
        phase.begin(), plain.begin(stage)
        for step in range(phase.steps):
            batch = phase.batches(step)
            phase.step(batch, step)
            noise = random.normal(learner.seeds, f"vae.noise/{stage}", step, (8, 3))[0]
            plain.step(batch.x[0], noise, model.condition[0, stage])
    theta = torch.cat([p.detach().flatten() for p in plain.writer.theta])
    encoder = torch.cat([p.detach().flatten() for p in plain.encoder])
    torch.testing.assert_close(learner.state["vae.theta"][0], theta, rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(learner.state["vae.encoder"][0], encoder, rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(learner.state["vae.e"][0], torch.stack(plain.writer.e).detach(), rtol=1e-3, atol=2e-5)


def drawn_plainly(learner, stage, step):
    """The replay of a step for the first replica, task by task."""
    return draw(learner, plain_replay(learner), stage, step, -(-8 // stage))


@pytest.mark.parametrize("scenario, unseen", [
    ("CL1", "zero probability"), ("CL2", "zero probability"), ("CL3", "zero probability"), ("CL3", "zero logit"),
])  # fmt: skip
@pytest.mark.parametrize("method", ["hnet-r", "rpl-ub"])
def test_rehearsal_equals_a_plain_one(method, scenario, unseen):
    learner, _ = tiny.learner(method, scenario, (7,), data=grey(), unseen=unseen, lr=3e-3)
    # In float64: where pupil and teacher are still the same, rounding would be all of a gradient that a fresh Adam scales.
    theta = learner.state["theta"][0].double()
    plain = PlainRehearsal(PlainClassifier(learner.net.sizes, theta, 3e-3), scenario, 2, unseen)
    for stage in range(3):
        phase, *rest = learner.phases(stage)
        per_task = -(-8 // stage) if stage else 0
        phase.begin(), plain.begin()
        for step in range(phase.steps):
            batch, old = phase.batches(step), None
            phase.step(batch, step)
            if method == "rpl-ub":
                batch, old = batch
                old = [] if old is None else list(old[0].split(per_task))
            else:
                old = drawn_plainly(learner, stage, step) if stage else []
            assert [len(images) for images in old] == [per_task] * stage
            plain.step(batch.x[0].double(), batch.y[0], stage, [images.double() for images in old])
        for later in rest:
            later.begin()
            for step in range(later.steps):
                later.step(later.batches(step), step)
    torch.testing.assert_close(learner.state["theta"][0], plain.plain.flat.detach().float(), rtol=1e-3, atol=5e-5)


def test_task_inference_equals_a_plain_classifier_of_tasks():
    learner, data = trained("hnet-tir")
    plain = PlainInference(PlainClassifier(learner.alpha.sizes, learner.state["alpha"][0]))
    for stage in (1, 2):
        _, phase, *rest = learner.phases(stage)
        assert phase.name == "task inference"
        phase.begin(), plain.begin()
        for step in range(phase.steps):
            batch = phase.batches(step)
            plain.step(batch.x[0], stage, drawn_plainly(learner, stage, step))
            phase.step(batch, step)
        for later in rest:
            later.begin()
            for step in range(later.steps):
                later.step(later.batches(step), step)
    torch.testing.assert_close(learner.state["alpha"][0], plain.plain.flat.detach(), rtol=1e-3, atol=2e-5)
    x = data.tests[0].x[None]
    assert torch.equal(learner.infer_task(x, 2)[0], plain.plain.net(x[0])[:, :2].argmax(1))


@pytest.mark.parametrize("scenario", ["CL1", "CL2"])
def test_the_classifier_of_tir_is_that_of_hnet(scenario):
    tir, data = trained("hnet-tir", scenario, stages=3)
    hnet, _ = tiny.learner("hnet", scenario, (7,), data=data)
    tiny.train(hnet, data)
    assert torch.equal(tir.state["theta"], hnet.state["theta"]) and torch.equal(tir.state["e"], hnet.state["e"])
    x = data.tests[1].x[None]
    assert torch.equal(tir.predict(x, 1, 3), hnet.predict(x, 1, 3))


@pytest.mark.parametrize("scenario", ["CL2", "CL3"])
def test_tir_answers_with_the_classifier_of_the_inferred_task(scenario):
    learner, data = trained("hnet-tir", scenario, stages=3)
    x = data.tests[1].x[None]
    tasks, answers = learner.infer_task(x, 3)[0].tolist(), learner.predict(x, None, 3)[0].argmax(-1).tolist()
    own = [int(learner.predict(x[:, i : i + 1], t, 3)[0, 0].argmax()) for i, t in enumerate(tasks)]
    assert answers == [label + (2 * t if scenario == "CL3" else 0) for label, t in zip(own, tasks, strict=True)]
    assert set(learner.infer_task(x, 1)[0].tolist()) == {0}


@pytest.mark.parametrize("scenario", ["CL2", "CL3"])
def test_tir_asks_few_networks_and_answers_as_if_it_asked_all(scenario, monkeypatch):
    learner, data = trained("hnet-tir", scenario, stages=3, seeds=(0, 1, 2))
    asked, outputs = [], learner.outputs
    monkeypatch.setattr(learner, "outputs", lambda weights, x, t: asked.append(x.shape[1]) or outputs(weights, x, t))
    for test in data.tests:
        x = test.x[None]
        few, n = learner.predict(x, None, 3), sum(asked)
        asked.clear()
        every = find("hnet").predict(learner, x, None, 3)
        torch.testing.assert_close(few, every)
        assert n < sum(asked) == 3 * x.shape[1]
        asked.clear()


@pytest.mark.parametrize("tasks, batch, per_task", [(2, 128, (128,)), (5, 128, (128, 64, 43, 32))])
def test_a_step_sees_a_batch_and_its_share_of_every_old_task(tasks, batch, per_task, monkeypatch):
    for method in (*REPLAY, "rpl-ub"):
        learner, data = tiny.learner(method, "CL3", data=tiny.stream(tasks, n=200), batch=batch)
        for stage, count in enumerate(per_task, 1):
            phases = {phase.name: phase for phase in learner.phases(stage)}
            phase = phases["task inference" if method == "hnet-tir" else "classifier"]
            given = phase.batches(0)
            if method == "rpl-ub":
                given, old = given
                assert old.shape[:2] == (3, stage * count)
                for j, images in enumerate(old.split(count, 1)):  # real images of task j, none twice in a pass
                    kept = {tuple(image) for image in data.stages[j].train.x.tolist()}
                    assert all({tuple(x) for x in replica} <= kept for replica in images.tolist())
                    assert all(len({tuple(x) for x in replica}) == count for replica in images.tolist())
            else:
                asked = []
                draw = learner.replay.sample

                def sample(name, step, old, count, asked=asked, draw=draw):
                    asked.append((old, count))
                    return draw(name, step, old, count)

                monkeypatch.setattr(learner.replay, "sample", sample)
                phase.begin(), phase.step(given, 0)
                assert asked == [(range(stage), count)]
                assert draw("s", 0, *asked[0]).shape == (3, stage, count, 5)
            assert given.x.shape[1] == batch


def test_the_replay_model_is_not_trained_at_the_last_task():
    for method in REPLAY:
        learner, _ = tiny.learner(method)
        names = [[phase.name for phase in learner.phases(stage)] for stage in range(3)]
        first = {"hnet-r": ["classifier"], "hnet-tir": ["hypernetwork"]}[method]
        inferring = ["task inference"] if method == "hnet-tir" else []
        assert names == [[*first, "replay model"], [*first, *inferring, "replay model"], [*first, *inferring]]
        assert learner.state["vae.e"].shape[1] == 2


def test_conditions():
    model = tiny.learner("hnet-r", seeds=(1, 2))[0].replay
    assert model.condition.shape == (2, 2, 4) and model.condition.flatten(0, 1).unique(dim=0).shape[0] == 4
    again = tiny.learner("hnet-r", seeds=(2,))[0].replay
    assert torch.equal(model.condition[1:], again.condition)
    one_hot = tiny.learner("hnet-r", vae_condition="one-hot")[0].replay
    assert one_hot.condition[0].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    nothing = tiny.learner("hnet-r", vae_condition="nothing")[0].replay
    assert nothing.vae.decoder.sizes == (3, 7, 5) and one_hot.vae.decoder.sizes == (3 + 4, 7, 5)
    with pytest.raises(UnforgetError, match="2 tasks need vae_condition_size of at least that; got 1"):
        tiny.learner("hnet-r", vae_condition="one-hot", vae_condition_size=1)


def test_the_condition_matters():
    learner, _ = trained("hnet-r")
    before = learner.replay.sample("s", 0, range(1), 4)
    learner.replay.condition = learner.replay.condition + 1
    assert (learner.replay.sample("s", 0, range(1), 4) - before).abs().min() > 0


def test_samples_follow_the_weights():
    # Written decoders are kept between steps; a step lets go of them.
    learner, _ = trained("hnet-r")
    before = learner.replay.sample("s", 0, range(1), 4)
    assert torch.equal(learner.replay.sample("s", 0, range(1), 4), before)
    phase = learner.phases(1)[-1]
    phase.begin(), phase.step(phase.batches(0), 0)
    assert not torch.equal(learner.replay.sample("s", 0, range(1), 4), before)


def test_what_was_written_for_old_tasks_is_held():
    def drift(beta):
        learner, data = trained("hnet-r", vae_beta=beta, iterations=60, lr=1e-2)
        before = learner.replay.sample("s", 0, range(1), 20)
        phase = learner.phases(1)[-1]
        phase.begin()
        for step in range(phase.steps):
            phase.step(phase.batches(step), step)
        return (learner.replay.sample("s", 0, range(1), 20) - before).square().mean()

    assert drift(0.5) < 0.2 * drift(0.0)


def test_a_replica_has_its_own_strength_of_the_replay_model():
    learner, data = tiny.learner("hnet-tir", seeds=(0, 0), scan={"vae_beta": (0.0, 1.0)})
    tiny.train(learner, data)
    for i, beta in enumerate((0.0, 1.0)):
        alone, _ = tiny.learner("hnet-tir", seeds=(0,), vae_beta=beta)
        tiny.train(alone, data)
        for name in ("theta", "vae.theta"):
            torch.testing.assert_close(learner.state[name][i], alone.state[name][0], rtol=1e-3, atol=2e-5)
    assert (learner.state["vae.theta"][0] - learner.state["vae.theta"][1]).abs().max() > 1e-4


@pytest.mark.parametrize("method", [*REPLAY, "rpl-ub"])
def test_interrupted_and_resumed_equals_uninterrupted_bit_for_bit(method, tmp_path):
    test_loop.test_interrupted_anywhere_equals_uninterrupted_bit_for_bit(method, tmp_path / "anywhere")
    test_loop.test_stopped_over_and_over_still_ends_the_same(method, tmp_path / "over")


@pytest.mark.parametrize("method", [*REPLAY, "rpl-ub"])
def test_operations_of_every_phase_do_not_depend_on_replicas(method):
    from test_methods import CountOperations

    counts = []
    for seeds in ((0,), (0, 1, 2, 3, 4)):
        learner, data = tiny.learner(method, "CL3", seeds)
        tiny.train(learner, data, stages=1)
        counts.append({})
        for phase in learner.phases(1):
            phase.begin()
            phase.step(phase.batches(0), 0)
            with CountOperations() as counter:
                phase.step(phase.batches(1), 1)
            counts[-1][phase.name] = counter.count
    assert counts[0] == counts[1] and all(counts[0].values())


@pytest.mark.parametrize(("method", "model"), [("hnet-r", "vae"), ("hnet-gan", "gan")])
def test_shown_images_are_those_of_then_and_of_now(method, model):
    learner, data = tiny.learner(method, data=grey(), **{f"{model}_show": 2})
    assert learner.state[f"{model}.e"].shape[1] == 3  # the last task, too
    then = []
    for stage in range(3):
        for phase in learner.phases(stage):
            phase.begin()
            for step in range(phase.steps):
                phase.step(phase.batches(step), step)
        learner.end_stage(stage)
        then.append(learner.replay.show(stage))
    found = probes.find("replay samples")(learner, data)
    assert found.shape == (3, 3, 2, 2, 5) and found.dtype == torch.int64 and 0 <= found.min() and found.max() <= 255
    assert torch.equal(found[:, :, 0], (255 * torch.stack(then, 1)).round().long())
    assert torch.equal(found[:, 2, 0], found[:, 2, 1]) and not torch.equal(found[:, 0, 0], found[:, 0, 1])


def test_recognition_counts_what_a_judge_of_real_images_finds(monkeypatch):
    monkeypatch.setattr(replay_probes, "PER_TASK", 20)
    learner, data = trained("hnet-r", stages=2, seeds=(3, 4), iterations=40, lr=1e-2)
    found = probes.find("replay recognition")(learner, data)
    judge, everything = tiny.learner("finetune", "CL3", (0,), data=data.merged(), hidden=(400, 400), iterations=40)
    tiny.train(judge, everything)

    def share(images, t):
        return sum(int(judge.predict(image[None, None], None, 3).argmax()) // 2 == t for image in images) / len(images)

    assert found.shape == (2, 2, 2)
    for t in range(2):
        drawn = learner.replay.sample(f"recognition/{t}", 0, range(t, t + 1), 20)[:, 0]
        assert found[:, 0, t].tolist() == [share(images, t) for images in drawn]
        assert found[:, 1, t].tolist() == [share(data.tests[t].x, t)] * 2
    assert found[:, 1].max() > 0


def test_declared_runs_fill_their_cells():
    pairs = [(experiment, run) for experiment in hnet.EXPERIMENTS for run in experiment.runs]
    runs = {experiment.resolve(run, profile)["run"]: run for experiment, run in pairs for profile in PROFILES}
    for cell in hnet.CELLS + lstm.CELLS:
        assert cell.view in runs[cell.run].views
    for experiment in hnet.EXPERIMENTS:
        assert all(experiment.minutes_of(run.name) > 0 for run in experiment.runs)


def test_a_regression_is_refused():
    with pytest.raises(UnforgetError, match="a regression has none"):
        tiny.learner("rpl-ub", "regression")


P10 = {
    "hidden": (1000, 1000), "vae_hyper_hidden": (25, 25), "vae_task_embedding": 24, "vae_chunk_embedding": 8,
    "vae_chunk_size": 85_000,
}  # fmt: skip
P10_TIR = P10 | {"vae_encoder": (1000, 1000), "vae_decoder": (1000, 1000), "hyper_hidden": (25, 25),
                 "task_embedding": 24, "chunk_embedding": 8, "chunk_size": 78_000}  # fmt: skip
# method, pixels, tasks, options -> classifier, encoder, decoder, θ of its hypernetwork, its embeddings
SIZES = {
    "S R": ("hnet-r", 784, 5, {}, 478_410, 554_600, 413_284, 552_904, 384),
    "S TIR": ("hnet-tir", 784, 5, {}, 478_410, 554_600, 136_084, 552_328, 384),
    "S as printed": ("hnet-r", 784, 5, {"vae_decoder": (400, 400)}, 478_410, 554_600, 555_184, 553_192, 384),
    "P10 R": ("hnet-r", 1024, 10, P10 | {"vae_encoder": (400, 400), "vae_decoder": (400, 400)},
              2_126_100, 650_600, 651_424, 2_211_539, 216),
    "P10 TIR": ("hnet-tir", 1024, 10, P10_TIR, 2_126_100, 2_226_200, 2_227_024, 2_211_691, 216),
}  # fmt: skip


@pytest.mark.parametrize("name", SIZES)
def test_parameter_counts(name):
    method, pixels, tasks, changes, *expected = SIZES[name]
    kind, none = find(method), Samples(torch.zeros(0, pixels), torch.zeros(0, dtype=torch.int64))
    stream = Stream("empty", 10 if pixels == 1024 else 2, (pixels,), (), (none,) * tasks, {})
    learner = kind(stream, "CL1", options(kind.Options, changes, method), Replicas((0,)))
    counts = learner.counts()
    assert [counts[k] for k in ("target", "encoder", "vae target", "vae theta", "vae task embeddings")] == expected
    trained = {k for k in learner.state if not k.startswith(("adam.", "teacher"))}
    assert counts["trained"] == sum(learner.state[k][0].numel() for k in trained if learner.state[k].ndim > 1)
