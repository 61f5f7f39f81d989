"""What the appendix of the HNET paper offers beside its defaults, each against its plain form."""

import pytest
import tiny
import torch
import torch.nn.functional as F
from benchmarks.reference import cut, fisher, mlp


def at_task_3(**changes):
    """A learner at the start of its third task, and a θ away from θ*."""
    learner, data = tiny.learner("hnet", **changes)
    tiny.train(learner, data, stages=2)
    learner.classifier.begin(2)
    ahead = learner.state["theta"] + 0.05 * torch.randn(
        learner.state["theta"].shape, generator=torch.Generator().manual_seed(0)
    )
    return learner, data, ahead


def squares(learner, ahead):
    """(h(e_t, θ*) − h(e_t, θ))² of the two old tasks: [S, 2, target]."""
    old = learner.state["e"][:, :2]
    return (learner.hyper.generate(learner.state["theta_star"], old) - learner.hyper.generate(ahead, old)) ** 2


def test_a_subset_draws_old_tasks_anew_at_every_step():
    learner, _, ahead = at_task_3(subset=1)
    terms, drawn = 0.5 * squares(learner, ahead).sum(-1), []
    for step in range(20):
        penalty = learner.classifier.penalty(2, step, ahead, learner.state["e"])
        is_term = torch.isclose(penalty[:, None], terms, rtol=1e-4)
        assert is_term.sum(1).eq(1).all()  # one old task, its full weight
        drawn.append(is_term.int().argmax(1))
    assert all(0 < share < 1 for share in torch.stack(drawn).float().mean(0))  # every replica draws both
    assert (torch.stack(drawn)[:, 0] != torch.stack(drawn)[:, 1]).any()  # and its own


def test_a_subset_as_large_as_the_past_is_no_subset():
    whole, data = tiny.learner("hnet")
    part, _ = tiny.learner("hnet", subset=2)
    tiny.train(whole, data), tiny.train(part, data)
    assert torch.equal(whole.state["theta"], part.state["theta"])


def test_importance_is_the_fisher_information_of_the_written_weights():
    learner, data = tiny.learner("hnet", importance="fisher")
    tiny.train(learner, data, stages=1)
    x, y = data.stages[0].train.x, data.stages[0].train.y
    for s in range(3):
        weights = cut(learner.classifier.weights(0)[s], learner.net.layout.shapes.values())
        plain = fisher(mlp(), weights, x, lambda z, i: F.cross_entropy(z[:, :2], y[i : i + 1]))
        plain = torch.cat([f.flatten() for f in plain])
        torch.testing.assert_close(learner.state["importance"][s, 0], plain / plain.mean(), rtol=1e-3, atol=1e-5)


def test_importance_weighs_what_is_held():
    learner, _, ahead = at_task_3(importance="fisher")
    weighted = (squares(learner, ahead) * learner.state["importance"][:, :2]).sum((1, 2))
    penalty = learner.classifier.penalty(2, 0, ahead, learner.state["e"])
    torch.testing.assert_close(penalty, 0.5 / 2 * weighted, rtol=1e-4, atol=0)


@pytest.mark.parametrize("form", ["direct", "gram"])
def test_plastic_embeddings_follow_the_regulariser(form):
    learner, data, _ = at_task_3(plastic=True, form=form)
    (phase,) = learner.phases(2)
    e = learner.state["e"].clone()
    plain, star = e[:, :2].clone().requires_grad_(), learner.hyper.generate(learner.state["theta_star"], e[:, :2])
    adam = torch.optim.Adam([plain], lr=1e-3)
    for step in range(4):
        batch = phase.batches(step)
        # Δθ of this step, found on a copy of the learner's state.
        loss = learner.losses(2, learner.outputs(learner.classifier.write(2), batch.x, 2), batch.y).mean(1)
        (g,) = torch.autograd.grad(loss.sum(), learner.classifier._leaves[0])
        ahead = learner.state["theta"] + learner.classifier.adam.lookahead(g)
        plain.grad = None
        (0.25 * (star - learner.hyper.generate(ahead, plain)) ** 2).sum().backward()
        adam.step()
        phase.step(batch, step)
    torch.testing.assert_close(learner.state["e"][:, :2], plain.detach(), rtol=1e-3, atol=2e-5)
    assert (learner.state["e"][:, :2] - e[:, :2]).abs().min() > 0


def test_plastic_embeddings_of_a_replica_alone():
    together, data = tiny.learner("hnet", plastic=True)
    alone, _ = tiny.learner("hnet", seeds=(1,), plastic=True)
    tiny.train(together, data), tiny.train(alone, data)
    torch.testing.assert_close(together.state["e"][1:2], alone.state["e"], rtol=1e-3, atol=1e-4)


def test_old_embeddings_stay_without_it():
    learner, data, _ = at_task_3()
    before = learner.state["e"].clone()
    (phase,) = learner.phases(2)
    phase.step(phase.batches(0), 0)
    assert torch.equal(before[:, :2], learner.state["e"][:, :2]) and (before != learner.state["e"])[:, 2].all()


def test_smoothed_targets():
    learner, data = tiny.learner("hnet", "CL2", data=tiny.stream(classes=4), smoothing=0.05)
    z, y = torch.randn(3, 8, 4), torch.randint(4, 8, (3, 8))
    target = torch.full((3, 8, 4), 0.05 / 3).scatter(-1, (y % 4)[..., None], 0.95)
    torch.testing.assert_close(learner.losses(1, z, y), -(target * z.log_softmax(-1)).sum(-1))
