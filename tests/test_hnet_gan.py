"""HNET+R with a GAN for a replay model, against modules under torch's own Adam, one seed, one update after the other."""

import pytest
import test_loop
import test_protected_replay as shared
import tiny
import torch
from benchmarks.plain_gan import PlainGAN
from benchmarks.plain_replay import PlainRehearsal
from benchmarks.reference import PlainClassifier
from torch import nn

from unforget import probes, random
from unforget.data.streams import Samples, Stream
from unforget.methods import find
from unforget.methods.base import Replicas, options
from unforget.probes import replay as replay_probes

registered = test_loop.registered


def both(dropout=0.4, **changes):
    """A learner after the replay model's phase of two tasks, and its plain form."""
    learner, data = tiny.learner("hnet-gan", "CL3", (7,), data=shared.grey(), gan_dropout=dropout, **changes)
    model, plain = learner.replay, PlainGAN(learner)
    for stage in range(2):
        (phase,) = model.phases(stage)
        phase.begin(), plain.begin(stage)
        for step in range(phase.steps):
            batch = phase.batches(step)
            phase.step(batch, step)
            z = random.normal(learner.seeds, f"gan.z/{stage}", step, (8, 3))[0]
            plain.step(batch.x[0], z, random.uniform(learner.seeds, f"gan.dropout/{stage}", step, (24, 22))[0])
    return learner, plain


@pytest.mark.parametrize("dropout, beta", [(0.4, 0.5), (0.0, 0.5), (0.4, 0.0)])
def test_the_replay_model_equals_a_plain_one(dropout, beta):
    learner, plain = both(dropout, gan_beta=beta)
    theta = torch.cat([p.detach().flatten() for p in plain.writer.theta])
    torch.testing.assert_close(learner.state["gan.theta"][0], theta, rtol=1e-3, atol=2e-5)
    D = nn.utils.parameters_to_vector(plain.D.parameters()).detach()
    torch.testing.assert_close(learner.state["gan.discriminator"][0], D, rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(learner.state["gan.e"][0], torch.stack(plain.writer.e).detach(), rtol=1e-3, atol=2e-5)


def test_samples_are_what_the_written_generators_make_of_codes():
    learner, plain = both()
    found = learner.replay.sample("s", 3, range(2), 4)
    assert found.shape == (1, 2, 4, 5) and 0 <= found.min() and found.max() <= 1
    z = random.normal(learner.seeds, "s", 3, (2, 4, 3))[0]
    for task in range(2):
        torch.testing.assert_close(found[0, task], plain.sample(task, z[task]), rtol=1e-3, atol=2e-5)
        torch.testing.assert_close(learner.replay.sample("t", 0, range(task, task + 1), 4)[:, 0],
                                   learner.replay.sample("t", 0, range(task, task + 1), 5)[:, 0, :4])  # fmt: skip


def test_samples_follow_the_weights():
    # Written generators are kept between steps; a step lets go of them.
    learner, _ = both()
    before = learner.replay.sample("s", 0, range(1), 4)
    assert torch.equal(learner.replay.sample("s", 0, range(1), 4), before)
    (phase,) = learner.replay.phases(1)
    phase.step(phase.batches(0), 0)
    assert not torch.equal(learner.replay.sample("s", 0, range(1), 4), before)


def test_the_classifier_rehearses_what_the_generators_draw():
    learner, _ = tiny.learner("hnet-gan", "CL3", (7,), data=shared.grey())
    # In float64: see the same test of HNET+R.
    theta = learner.state["theta"][0].double()
    plain = PlainRehearsal(PlainClassifier(learner.net.sizes, theta, 3e-3), "CL3", 2)
    for stage in range(3):
        phase, *rest = learner.phases(stage)
        assert [later.name for later in rest] == ["replay model"] * (stage < 2)
        per_task = -(-8 // stage) if stage else 0
        phase.begin(), plain.begin()
        for step in range(phase.steps):
            batch, old = phase.batches(step), []
            if stage:
                z = random.normal(learner.seeds, f"replay/{stage}", step, (stage, per_task, 3))[0]
                old = [PlainGAN(learner).sample(task, z[task]).double() for task in range(stage)]
            phase.step(batch, step)
            plain.step(batch.x[0].double(), batch.y[0], stage, old)
        for later in rest:
            later.begin()
            for step in range(later.steps):
                later.step(later.batches(step), step)
    torch.testing.assert_close(learner.state["theta"][0], plain.plain.flat.detach().float(), rtol=1e-3, atol=5e-5)


def test_what_was_written_for_old_tasks_is_held():
    def drift(beta):
        learner, data = tiny.learner("hnet-gan", seeds=(7,), data=shared.grey(), gan_beta=beta, gan_iterations=60, gan_lr=1e-2)
        tiny.train(learner, data, stages=1)
        before = learner.replay.sample("s", 0, range(1), 20)
        phase = learner.phases(1)[-1]
        phase.begin()
        for step in range(phase.steps):
            phase.step(phase.batches(step), step)
        return (learner.replay.sample("s", 0, range(1), 20) - before).square().mean()

    assert drift(0.5) < 0.2 * drift(0.0)


@pytest.mark.parametrize("name, values", [("gan_beta", (0.0, 1.0)), ("gan_lr", (1e-3, 4e-3)), ("lr", (1e-3, 4e-3))])
def test_a_replica_has_its_own_value_of_a_scan(name, values):
    learner, data = tiny.learner("hnet-gan", seeds=(0, 0), scan={name: values})
    tiny.train(learner, data)
    for i, value in enumerate(values):
        alone, _ = tiny.learner("hnet-gan", seeds=(0,), **{name: value})
        tiny.train(alone, data)
        for key in ("theta", "gan.theta", "gan.discriminator"):
            torch.testing.assert_close(learner.state[key][i], alone.state[key][0], rtol=1e-3, atol=2e-5)
    changed = "theta" if name == "lr" else "gan.theta"
    assert (learner.state[changed][0] - learner.state[changed][1]).abs().max() > 1e-4


def test_seeds_together_interrupted_and_in_one_program(tmp_path):
    test_loop.test_interrupted_anywhere_equals_uninterrupted_bit_for_bit("hnet-gan", tmp_path / "anywhere")
    test_loop.test_stopped_over_and_over_still_ends_the_same("hnet-gan", tmp_path / "over")
    test_loop.test_seeds_together_equal_one_alone_through_the_loop("hnet-gan")
    shared.test_operations_of_every_phase_do_not_depend_on_replicas("hnet-gan")


def test_a_judge_sees_what_it_draws(monkeypatch):
    monkeypatch.setattr(replay_probes, "PER_TASK", 20)
    learner, data = tiny.learner("hnet-gan", "CL3", data=shared.grey(), gan_show=2)
    tiny.train(learner, data)
    assert probes.find("replay recognition")(learner, data).shape == (3, 2, 3)


def test_parameter_counts():
    # Generator 100-400-400-784, D 784-400-400-1; hypernetwork 192-25-25-75,000 and seven chunk embeddings of 96.
    kind, none = find("hnet-gan"), Samples(torch.zeros(0, 784), torch.zeros(0, dtype=torch.int64))
    stream = Stream("empty", 1, (784,), (), (none,) * 10, {})
    learner = kind(stream, "CL3", options(kind.Options, {"gan_show": 4}, "hnet-gan"), Replicas((0,)))
    counts = learner.counts()
    assert counts["gan target"] == 100 * 400 + 400 + 400 * 400 + 400 + 400 * 784 + 784 == 515_184
    assert counts["discriminator"] == 784 * 400 + 400 + 400 * 400 + 400 + 400 + 1 == 474_801
    assert counts["gan theta"] == 192 * 25 + 25 + 25 * 25 + 25 + 25 * 75_000 + 75_000 + 7 * 96 == 1_956_147
    assert counts["gan task embeddings"] == 960
    trained = {k for k in learner.state if not k.startswith(("adam.", "vae.shown"))}
    assert counts["trained"] == sum(learner.state[k][0].numel() for k in trained) == 478_410 + 474_801 + 1_956_147 + 960
