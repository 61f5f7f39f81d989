"""What there is to reach: a network from scratch for every task, and the hypernetwork on all tasks at once."""

import pytest
import tiny
import torch
import torch.nn.functional as F
from benchmarks.reference import PlainClassifier, PlainJointHNET, cut, infer_task, mlp

from unforget.errors import UnforgetError

SCENARIOS = ("CL1", "CL2", "CL3")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_from_scratch_equals_a_new_classifier_for_every_task(scenario):
    learner, data = tiny.learner("scratch", scenario, seeds=(3,))
    tiny.train(learner, data)
    networks, x = [], data.tests[1].x
    for stage in range(3):
        (phase,) = learner.phases(stage)
        own = learner.head.own(stage)
        phase.begin()
        plain = PlainClassifier(learner.net.sizes, learner.state["theta"][0], own=own)
        for step in range(phase.steps):
            batch = phase.batches(step)
            plain.step(batch.x[0], batch.y[0] - 2 * stage)
        networks.append(plain.flat.detach())
        torch.testing.assert_close(learner.state["networks"][0, stage], networks[-1], rtol=1e-3, atol=2e-5)
        outputs = plain.net(x)[:, own]
        torch.testing.assert_close(learner.predict(x[None], stage, 3)[0], outputs, rtol=1e-3, atol=1e-4)
    assert all((a != b).any() for a, b in zip(networks, networks[1:], strict=False))
    shapes = learner.net.layout.shapes.values()
    for seen in (1, 2, 3):
        kept = learner.state["networks"][0]
        best, outputs = infer_task(lambda t: cut(kept[t], shapes), mlp(), learner.head.own, x, seen)  # noqa: B023
        assert learner.infer_task(x[None], seen)[0].tolist() == best
        answers = learner.predict(x[None], None, seen)[0]
        assert answers.shape == (20, learner.head.outputs)
        for answer, task, logits in zip(answers, best, outputs, strict=True):
            torch.testing.assert_close(answer[learner.head.own(task)], logits, rtol=1e-4, atol=1e-5)
            if scenario != "CL2":
                assert answer.isfinite().sum() == 2
    assert len({*best}) > 1
    assert learner.counts()["trained"] == 3 * learner.counts()["target"] == learner.state["networks"][0].numel()


def test_networks_from_scratch_start_differently():
    learner, _ = tiny.learner("scratch", "CL1", seeds=(0, 1))
    started = []
    for stage in range(3):
        learner.phases(stage)[0].begin()
        started.append(learner.state["theta"].clone())
        assert not learner.state["adam.m"].any() and not learner.state["adam.t"].any()
    assert F.mse_loss(started[0], started[1]) > 1e-3 and F.mse_loss(started[0][0], started[0][1]) > 1e-3


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_joint_hnet_equals_one_task_after_the_other_in_a_sum(scenario):
    learner, data = tiny.learner("hnet-joint", scenario, seeds=(3,))
    (phase,) = learner.phases(0)
    assert phase.steps == 3 * tiny.SHARED["iterations"] and len(data.stages) == 1
    *layers, c = cut(learner.state["theta"][0], learner.hyper.layout.shapes.values())
    shapes = list(learner.net.layout.shapes.values())
    plain = PlainJointHNET(layers, c, learner.state["e"][0], shapes, F.elu, lr=1e-3, beta=0.0)
    plain.begin()
    for step in range(phase.steps):
        x, y = (part[0] for part in phase.batches(step))
        plain.step(x, y % 2, lambda task: slice(None) if scenario == "CL2" else slice(2 * task, 2 * task + 2))
    tiny.train(learner, data)
    theta = torch.cat([p.detach().flatten() for p in [*plain.layers, plain.c]])
    torch.testing.assert_close(learner.state["theta"][0], theta, rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(learner.state["e"][0], torch.stack(plain.e).detach(), rtol=1e-3, atol=2e-5)


def test_joint_hnet_sees_every_task_equally_often():
    learner, _ = tiny.learner("hnet-joint", "CL1")
    batch = learner.phases(0)[0].batches(0)
    assert batch.x.shape == (3, 3, 3, 5)  # 8 samples asked for: 3 of each of the 3 tasks
    assert torch.equal(batch.y // 2, torch.arange(3)[None, :, None].expand(3, 3, 3))


def test_joint_hnet_refuses_what_it_does_not_know():
    for scenario, changes in (("regression", {}), ("CL1", {"smoothing": 0.1}), ("CL1", {"importance": "fisher"})):
        with pytest.raises(UnforgetError, match="hnet-joint knows no regression, no smoothing and no importance"):
            tiny.learner("hnet-joint", scenario, **changes)
