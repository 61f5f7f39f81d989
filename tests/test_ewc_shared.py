"""EWC with one classifier for all tasks against torch modules, torch's optimisers and a Fisher loop over single images."""

from functools import partial

import pytest
import tiny
import torch
import torch.nn.functional as F
from benchmarks.reference import PlainEncoder, modules

from unforget import random
from unforget.errors import UnforgetError
from unforget.experiments import catalogue
from unforget.methods import ewc_shared

SEED = torch.tensor([5])
# Gradient descent is only stable while 2 · learning rate · λ · F stays below 2 for every weight.
SETTINGS = {"sgd": {"lr": 0.05, "strength": 5.0}, "adam": {"lr": 1e-3, "strength": 200.0}}


class Plain(PlainEncoder):
    """One head; λ Σ F (θ − θ*)² as a term of the loss, differentiated by autograd."""

    def __init__(self, encoder, head, optimiser, lr, strength):
        super().__init__(encoder)
        self.heads, self.strength, self.terms = [head], strength, None
        self.optimiser = partial({"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimiser], lr=lr)

    @property
    def parameters(self):
        return [*self.encoder.parameters(), *self.heads[0].parameters()]

    def begin(self):
        self.encoder.train(), self.heads[0].train()
        self.fresh = self.optimiser(self.parameters)

    def penalty(self, x, features, logits):
        if self.terms is None:
            return 0.0
        weighed = zip(self.parameters, *self.terms, strict=True)
        return self.strength * sum((f * (p - star) ** 2).sum() for p, f, star in weighed)

    def consolidate(self, images):
        squares = [torch.zeros_like(p) for p in self.parameters]
        for x in images:
            logits = self.heads[0](self.encoder(x[None]))
            loss = F.nll_loss(logits.log_softmax(1), logits.argmax(1))
            squares = [s + g**2 for s, g in zip(squares, torch.autograd.grad(loss, self.parameters), strict=True)]
        self.terms = [s / len(images) for s in squares], [p.detach().clone() for p in self.parameters]


def parts(learner, prefix="", suffix=""):
    """Encoder and classifier as the modules list them; biases in front of batch normalisation are left out there."""
    found = []
    for net, name in ((learner.encoder, "theta"), (learner.head, "head")):
        unused = [f"b{i}" for i, layer in enumerate(net.layers, 1) if layer.norm]
        tensors = net.layout.split(learner.state[f"{prefix}{name}{suffix}"][0])
        found += [value for key, value in tensors.items() if key not in unused]
    return found


def same(found, expected):
    for mine, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, plain.detach(), rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("head_norm", [True, False])
@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_it_equals_plain_modules_with_the_penalty_in_the_loss(optimiser, head_norm):
    chosen = SETTINGS[optimiser]
    learner, data = tiny.learner("ewc-shared", seeds=(5,), optimiser=optimiser, head_norm=head_norm, **chosen)
    head = modules(learner.head, learner.head.initial(SEED, "head/0")[0])
    plain = Plain(modules(learner.encoder, learner.state["theta"][0]), head, optimiser, **chosen)
    for stage in range(3):
        (phase,) = learner.phases(stage)
        phase.begin(), plain.begin()
        _, draws = phase.step.args
        for step in range(phase.steps):
            batch = phase.batches(step)
            phase.step(batch, step)
            plain.step(batch.x[0], batch.y[0], draws(step)[0])
        same(parts(learner), plain.parameters)
        learner.end_stage(stage)
        plain.end()
        if stage < 2:
            index = [random.integers(SEED, f"fisher/{stage}", t, (12,), 26)[0] for t in range(stage + 1)]
            plain.consolidate(torch.cat([data.stages[t].train.x[i] for t, i in enumerate(index)]))
            same(parts(learner, prefix="F_"), plain.terms[0])
            same(parts(learner, suffix="_star"), plain.terms[1])
            assert all(f.max() > 1e-4 for f in parts(learner, prefix="F_"))
    for test in data.tests:
        with torch.no_grad():
            theirs = head.eval()(plain.encoder.eval()(test.x))
        torch.testing.assert_close(learner.predict(test.x[None], 0, 3)[0], theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_the_penalty_holds_encoder_and_classifier(optimiser):
    free, data = tiny.learner("ewc-shared", optimiser=optimiser, **SETTINGS[optimiser] | {"strength": 0.0})
    held, _ = tiny.learner("ewc-shared", optimiser=optimiser, **SETTINGS[optimiser])
    for learner in (free, held):
        tiny.train(learner, data, stages=2)
    for name in ("theta", "head"):
        weight = held.state[f"F_{name}"]
        moved = [(one.state[name] - one.state[f"{name}_star"]).abs().max() for one in (free, held)]
        assert moved == [0, 0] and weight.max() > 1e-3, "the anchor is where the last task ended"
    before = {name: [one.state[name].clone() for one in (free, held)] for name in ("theta", "head")}
    for learner in (free, held):
        (phase,) = learner.phases(2)
        phase.begin()
        for step in range(phase.steps):
            phase.step(phase.batches(step), step)
    for name, starts in before.items():
        distance = [
            (one.state[f"F_{name}"] * (one.state[name] - start) ** 2).sum(1)
            for one, start in zip((free, held), starts, strict=True)
        ]
        assert (distance[1] < distance[0]).all(), name


def test_the_classifier_is_one_for_all_tasks():
    learner, data = tiny.learner("ewc-shared", seeds=(0, 1))
    tiny.train(learner, data, stages=1)
    x, head, statistics = data.tests[0].x[None], learner.state["head"].clone(), learner.state["head.mean1"].clone()
    before = learner.predict(x, 0, 1)
    (phase,) = learner.phases(1)
    phase.begin()
    assert torch.equal(learner.state["head"], head) and torch.equal(learner.state["head.mean1"], statistics)
    for step in range(phase.steps):
        phase.step(phase.batches(step), step)
    assert not torch.equal(learner.state["head"], head) and not torch.equal(learner.state["head.mean1"], statistics)
    after = learner.predict(x, 0, 2)
    assert not torch.equal(after, before), "old tasks are seen through the classifier of now"
    assert all(torch.equal(learner.predict(x, task, 2), after) for task in (1, 2, None)), "which does not know the task"
    assert not [name for name in learner.state if name.startswith("heads")]
    size = learner.encoder.layout.size + learner.head.layout.size
    assert learner.counts()["trained"] == size


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_seeds_and_their_values_together_equal_each_alone(optimiser):
    values = {"lr": (1e-3, 4e-3), "strength": (1.0, 20.0)}
    together, data = tiny.learner("ewc-shared", seeds=(3, 4), scan=values, optimiser=optimiser)
    tiny.train(together, data)
    for i, seed in enumerate((3, 4)):
        own = {name: value[i] for name, value in values.items()}
        alone, _ = tiny.learner("ewc-shared", seeds=(seed,), optimiser=optimiser, **own)
        tiny.train(alone, data)
        for name in ("theta", "head", "F_theta", "F_head"):
            torch.testing.assert_close(together.state[name][i], alone.state[name][0], rtol=1e-3, atol=2e-5)


def test_the_fisher_information_does_not_depend_on_how_many_images_go_at_once(monkeypatch):
    learner, data = tiny.learner("ewc-shared")
    tiny.train(learner, data, stages=1)
    at_once = learner.squares(0, 0)
    monkeypatch.setattr(ewc_shared, "COPIES", 5 * (learner.encoder.layout.size + learner.head.layout.size))
    for whole, split in zip(at_once, learner.squares(0, 0), strict=True):
        torch.testing.assert_close(whole, split)
        assert whole.max() > 0


def test_it_learns_its_last_task():
    longer = {"epochs": (20, 20, 20), "channel_dropout": (0.0, 0.0), "head_dropout": (0.0, 0.0), "strength": 0.1}
    learner, data = tiny.learner("ewc-shared", seeds=(0,), **longer)
    tiny.train(learner, data)
    last = data.tests[2]
    assert (learner.predict(last.x[None], 2, 3).argmax(-1) == last.y).double().mean() > 0.8


def test_rows_with_labels_given_differ_in_that_alone():
    experiment = catalogue.experiment("hrn/pairwise-mnist")
    for run in ("ewc-shared", "ewc-shared-adam"):
        a, b = (experiment.resolve(experiment.run(name), "paper")["options"] for name in (run, f"{run}-labels"))
        assert {key for key in a if a[key] != b[key]} == {"task_labels"} and b["task_labels"]


@pytest.mark.parametrize("name", ["pairwise-mnist", "fashion-mnist", "svhn-cifar100", "cifar100"])
def test_its_runs_differ_from_the_printed_row_in_the_method_alone(name):
    experiment = catalogue.experiment(f"hrn/{name}")
    published, descent, older, adam = (
        experiment.resolve(experiment.run(run), "paper")["options"]
        for run in ("ewc", "ewc-descent", "ewc-shared", "ewc-shared-adam")
    )
    assert published | {"optimiser": "sgd"} == descent != published
    assert older | {"optimiser": "adam"} == adam != older
    assert not adam.pop("task_labels") and published.pop("fisher") == "released" and adam == published


def test_labels_of_other_tasks_compete_unless_the_task_tells_them():
    strict, data = tiny.learner("ewc-shared", seeds=(0,))
    told, _ = tiny.learner("ewc-shared", seeds=(0,), task_labels=True)
    tiny.train(strict, data), tiny.train(told, data)
    assert torch.equal(strict.state["theta"], told.state["theta"])
    for task in range(3):
        x = data.tests[task].x[None]
        every, own = strict.predict(x, task, 3), told.predict(x, task, 3)
        kept = slice(2 * task, 2 * task + 2)
        assert torch.equal(own[..., kept], every[..., kept]) and own.isfinite().sum() == own.numel() // 3
        assert torch.equal(told.predict(x, None, 3), every)
    assert (strict.predict(data.tests[0].x[None], 0, 3).argmax(-1) > 1).any()


def test_an_unknown_optimiser_is_refused():
    with pytest.raises(UnforgetError, match="did you mean 'sgd'"):
        tiny.learner("ewc-shared", optimiser="sdg")
