"""Every learner: together equals alone, work per step independent of S, and equal to slow plain versions."""

import pytest
import tiny
import torch
import torch.nn.functional as F
from benchmarks.reference import PlainClassifier, PlainHNET, PlainJoint, PlainSI, cut, fisher, infer_task, mlp
from torch.utils._python_dispatch import TorchDispatchMode

from unforget.errors import UnforgetError
from unforget.methods import METHODS, find
from unforget.methods.base import options

HERE = tiny.OPTIONS | tiny.OWN_CLASSIFIER
BATCHED = [method for method in METHODS if method in HERE]  # HRN's routing reads values back: tests of its own
CASES = [
    (method, scenario)
    for method in BATCHED
    for scenario in (("CL1",) if method in tiny.OWN_CLASSIFIER else ("CL1", "CL2", "CL3"))
]


@pytest.mark.parametrize("method, scenario", CASES)
def test_seeds_together_equal_one_alone(method, scenario):
    together, data = tiny.learner(method, scenario)
    alone, _ = tiny.learner(method, scenario, seeds=(1,))
    tiny.train(together, data), tiny.train(alone, data)
    x = data.tests[0].x[None]
    for task in (0, 1) if method in tiny.OWN_CLASSIFIER else (0, None):
        torch.testing.assert_close(
            together.predict(x, task, 3)[1:2], alone.predict(x, task, 3), rtol=1e-4, atol=1e-5
        )
    for name, value in alone.state.items():
        torch.testing.assert_close(together.state[name][1:2], value, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("method, scenario", CASES)
def test_cuda_gives_the_numbers_of_the_cpu_to_rounding(method, scenario):
    here, data = tiny.learner(method, scenario)
    there, moved = tiny.learner(method, scenario, device="cuda")
    tiny.train(here, data), tiny.train(there, moved)
    for name, value in here.state.items():
        torch.testing.assert_close(there.state[name].cpu(), value, rtol=1e-3, atol=1e-4)


class CountOperations(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("method, scenario", CASES)
def test_operations_per_step_do_not_depend_on_replicas(method, scenario):
    counts = []
    # Convolutions lay replicas side by side as channels, which takes a copy unless there is one alone.
    few = (0, 1) if method in tiny.OWN_CLASSIFIER else (0,)
    for seeds in (few, (0, 1, 2, 3, 4, 5, 6)):
        learner, data = tiny.learner(method, scenario, seeds)
        tiny.train(learner, data, stages=len(data.stages) - 1)
        counts.append([])
        for phase in learner.phases(len(data.stages) - 1):
            phase.begin()
            phase.step(phase.batches(0), 0)  # what is derived once a stage is derived here
            with CountOperations() as counter:
                phase.step(phase.batches(1), 1)
            counts[-1].append(counter.count)
    assert counts[0] == counts[1] and all(counts[0])


@pytest.mark.parametrize("method, name, values", [
    ("finetune", "lr", (1e-3, 1e-2)), ("ewc", "strength", (1.0, 1e4)), ("online-ewc", "gamma", (0.1, 1.0)),
    ("si", "c", (1.0, 1e4)), ("hnet", "beta", (0.02, 3.0)), ("hnet", "lr", (1e-3, 4e-3)), ("lwf", "lr", (1e-3, 4e-3)),
    ("dgr", "lr", (1e-3, 4e-3)), ("scratch", "lr", (1e-3, 4e-3)), ("hnet-joint", "lr", (1e-3, 4e-3)),
    ("ewc-encoder", "strength", (1.0, 1e4)), ("ewc-shared", "strength", (0.1, 10.0)), ("ell", "code_weight", (0.1, 1e3)), ("vc", "lr", (1e-3, 1e-2)),
])  # fmt: skip
def test_a_scan_equals_runs_with_each_value(method, name, values):
    # A strong penalty, so that the decay between its terms shows.
    strong = {"strength": 1e4} if name == "gamma" else {}
    scan, data = tiny.learner(method, "CL1", seeds=(0, 0), scan={name: values}, **strong)
    tiny.train(scan, data)
    for i, value in enumerate(values):
        alone, _ = tiny.learner(method, "CL1", seeds=(0,), **strong, **{name: value})
        tiny.train(alone, data)
        torch.testing.assert_close(scan.state["theta"][i], alone.state["theta"][0], rtol=1e-3, atol=2e-5)
    assert (scan.state["theta"][0] - scan.state["theta"][1]).abs().max() > 1e-4


@pytest.mark.parametrize("changes", [
    {"form": "direct"}, {"form": "gram"}, {"form": "direct", "hyper_activation": "relu"},
    {"form": "gram", "hyper_activation": "relu"}, {"importance": "fisher"}, {"plastic": True},
], ids=lambda changes: "-".join(map(str, changes.values())))  # fmt: skip
def test_hnet_equals_a_plain_hypernetwork(changes):
    learner, data = tiny.learner("hnet", "CL1", seeds=(7,), **changes)
    activation = changes.get("hyper_activation", "elu")
    *layers, c = cut(learner.state["theta"][0], learner.hyper.layout.shapes.values())
    plain = PlainHNET(layers, c, learner.state["e"][0], list(learner.net.layout.shapes.values()),
                      {"elu": F.elu, "relu": F.relu}[activation], 1e-3, 0.5, learner.options.plastic)  # fmt: skip
    for stage in range(3):
        (phase,) = learner.phases(stage)
        phase.begin(), plain.begin(stage)
        own = slice(2 * stage, 2 * stage + 2)
        for step in range(phase.steps):
            batch = phase.batches(step)
            phase.step(batch, step)
            plain.step(batch.x[0], batch.y[0] - 2 * stage, lambda z, y: F.cross_entropy(z[:, own], y))  # noqa: B023
        learner.end_stage(stage)
        if "importance" in changes:
            plain.importance[stage] = learner.state["importance"][0, stage]
    theta = torch.cat([p.detach().flatten() for p in plain.theta])
    torch.testing.assert_close(learner.state["theta"][0], theta, rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(learner.state["e"][0], torch.stack(plain.e).detach(), rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("scenario", ["CL2", "CL3"])
def test_entropy_inference_equals_one_image_at_a_time(scenario):
    learner, data = tiny.learner("hnet", scenario, seeds=(0,))
    tiny.train(learner, data)
    x = data.tests[1].x
    shapes = learner.net.layout.shapes.values()
    best, outputs = infer_task(lambda t: cut(learner.classifier.weights(t)[0], shapes), mlp(), learner.head.own, x, 3)
    assert learner.infer_task(x[None], 3)[0].tolist() == best
    labels = [int(z.argmax()) + (2 * t if scenario == "CL3" else 0) for z, t in zip(outputs, best, strict=True)]
    assert learner.predict(x[None], None, 3)[0].argmax(-1).tolist() == labels


def test_entropy_inference_survives_saturated_outputs():
    learner, data = tiny.learner("hnet", "CL1", seeds=(0,))
    learner.state["theta"] *= 50  # softmax underflows to exact zeros
    x = data.tests[0].x[None]
    assert learner.candidates(x, 3).softmax(-1).min() == 0
    certain = learner.candidates(x, 3).double().softmax(-1)
    assert (learner.infer_task(x, 3) == torch.special.entr(certain).sum(-1).argmin(1)).all()


def run_plain(learner, data, step, after_task):
    """All tasks of a learner's stream through a plain `step(x, y)`."""
    for stage in range(3):
        (phase,) = learner.phases(stage)
        for number in range(phase.steps):
            batch = phase.batches(number)
            step(batch.x[0], batch.y[0] % 2)
        after_task(stage)


@pytest.mark.parametrize("method", ["ewc", "online-ewc"])
def test_ewc_equals_a_term_per_task_and_a_fisher_loop(method):
    learner, data = tiny.learner(method, "CL2", seeds=(3,))
    terms, plain = [], PlainClassifier(learner.net.sizes, learner.state["theta"][0])

    def after_task(stage):
        x, anchor = data.stages[stage].train.x, plain.flat.detach()
        weights = cut(anchor, learner.net.layout.shapes.values())
        F_new = torch.cat([f.flatten() for f in fisher(mlp(), weights, x, lambda z, i: -z.log_softmax(-1).max())])
        F_new = F_new / len(x)
        if method == "online-ewc" and terms:
            F_new = F_new + 0.9 * terms.pop()[0]
        terms.append((F_new, anchor))

    def penalty(flat):
        return sum((25.0 * f * (flat - a) ** 2).sum() for f, a in terms)

    run_plain(learner, data, lambda x, y: plain.step(x, y, penalty), after_task)
    tiny.train(learner, data)
    torch.testing.assert_close(learner.state["theta"][0], plain.flat.detach(), rtol=1e-3, atol=2e-5)


def test_si_equals_its_plain_form():
    learner, data = tiny.learner("si", "CL2", seeds=(3,))
    plain = PlainSI(PlainClassifier(learner.net.sizes, learner.state["theta"][0]), c=5.0)
    run_plain(learner, data, plain.step, lambda stage: plain.end_task())
    tiny.train(learner, data)
    torch.testing.assert_close(learner.state["theta"][0], plain.plain.flat.detach(), rtol=1e-3, atol=2e-5)
    torch.testing.assert_close(learner.state["Omega"][0], plain.omega, rtol=1e-2, atol=1e-5)


def test_joint_trains_on_all_tasks_with_the_same_number_of_updates():
    learner, data = tiny.learner("joint", "CL1")
    ((phase,),) = [learner.phases(stage) for stage in range(len(data.stages))]
    assert phase.steps == 3 * tiny.SHARED["iterations"] and len(data.tests) == 3
    labels = torch.cat([phase.batches(step).y for step in range(15)], 1)
    assert set(labels.flatten().tolist()) == set(range(6))


@pytest.mark.parametrize("scenario", ["CL1", "CL2", "CL3"])
def test_joint_equals_a_plain_classifier_on_all_tasks(scenario):
    learner, data = tiny.learner("joint", scenario, seeds=(3,))
    sizes, flat = learner.net.sizes, learner.state["theta"][0]
    plain = PlainJoint(sizes, flat, 2) if scenario == "CL1" else PlainClassifier(sizes, flat)
    (phase,) = learner.phases(0)
    for step in range(phase.steps):
        x, y = (part[0] for part in phase.batches(step))
        plain.step(x, y % 2 if scenario == "CL2" else y)
    tiny.train(learner, data)
    torch.testing.assert_close(learner.state["theta"][0], plain.flat.detach(), rtol=1e-3, atol=2e-5)


def test_options_are_checked():
    kind = find("hnet").Options
    with pytest.raises(UnforgetError, match="did you mean 'beta'"):
        options(kind, {"betta": 0.1}, "hnet")
    with pytest.raises(UnforgetError, match="option beta of hnet cannot be 'high'"):
        options(kind, {"beta": "high"}, "hnet")
    with pytest.raises(UnforgetError, match="did you mean 'gram'"):
        options(kind, {"form": "gramm"}, "hnet")
    chosen = options(kind, {"hidden": [3, 4], "beta": 1, "chunk_size": None}, "hnet")
    assert chosen.hidden == (3, 4) and isinstance(chosen.beta, float)
