"""Four toy learners, one for each thing the loop must carry that no method of this book needs yet."""

from dataclasses import dataclass
from functools import partial

import torch

from unforget import random
from unforget.data.streams import Shuffled
from unforget.methods.base import Phase
from unforget.methods.heads import Head
from unforget.methods.optim import Adam
from unforget.nets.layout import xavier_uniform
from unforget.nets.mlp import MLP


class Toy:
    """A linear classifier; the toys differ in their phases."""

    @dataclass(frozen=True)
    class Options:
        iterations: int = 12
        lr: float = 0.05

    def __init__(self, stream, scenario, options, replicas):
        self.stream, self.options, self.seeds = stream, options, replicas.seed_tensor
        self.head = Head(scenario, stream.classes, stream.tasks)
        self.net = MLP((5, self.head.outputs))
        self.lr = replicas.value("lr", options.lr)
        self.state = {"theta": xavier_uniform(self.net.layout, self.seeds, "theta")}
        self.adam = Adam(self.state, "adam", self.lr, fused=False)
        self.adam.reset(self.state["theta"])

    def gradient(self, batch, tasks, net=None, name="theta", head=None):
        theta = self.state[name].detach().requires_grad_()
        loss = (head or self.head).loss((net or self.net).apply(theta, batch.x), batch.y, tasks)
        return torch.autograd.grad(loss.sum(), theta)[0]

    def end_stage(self, stage):
        pass

    @torch.no_grad()
    def predict(self, x, task, tasks_seen):
        return self.head.offered(self.net.apply(self.state["theta"], x), task, tasks_seen)

    def counts(self):
        return {"trained": self.state["theta"][0].numel()}


class Unbroken(Toy):
    """One stage, no task index, batches of 3 to 8 samples."""

    def phases(self, stage):
        train = self.stream.stages[stage].train

        def batches(step):
            return train.take(random.integers(self.seeds, "draw", step, (3 + step % 6,), len(train)))

        def step(batch, step):
            self.adam.step(self.state["theta"], self.gradient(batch, tuple(range(self.stream.tasks))))

        return [Phase("stream", self.options.iterations * 3, batches, step)]


class Growing(Toy):
    """A linear unit is added when a task ends; the outputs are the sum of all units."""

    def units(self):
        return sorted(name for name in self.state if name.startswith("unit") and "." not in name)

    def phases(self, stage):
        batches = Shuffled(self.stream.stages[stage].train, self.seeds, f"b{stage}", 8)

        def step(batch, step):
            for name in ["theta", *self.units()]:
                gradient = self.gradient(batch, (stage,), name=name)
                Adam(self.state, "adam" if name == "theta" else f"{name}.adam", self.lr, fused=False).step(
                    self.state[name], gradient
                )

        return [Phase("grow", self.options.iterations, batches, step)]

    def end_stage(self, stage):
        name = f"unit{stage}"
        self.state[name] = xavier_uniform(self.net.layout, self.seeds, name)
        Adam(self.state, f"{name}.adam", self.lr).reset(self.state[name])

    @torch.no_grad()
    def predict(self, x, task, tasks_seen):
        total = sum(self.net.apply(self.state[name], x) for name in ["theta", *self.units()])
        return self.head.offered(total, task, tasks_seen)


class ThreePhases(Toy):
    """Classifier, then a second network that names the task, then the classifier again on fresh moments."""

    def __init__(self, stream, scenario, options, replicas):
        super().__init__(stream, scenario, options, replicas)
        self.judge_head = Head("CL3", 1, stream.tasks)
        self.judge = MLP((5, stream.tasks))
        self.state["judge"] = xavier_uniform(self.judge.layout, self.seeds, "judge")
        self.judge_adam = Adam(self.state, "judge_adam", self.lr)
        self.judge_adam.reset(self.state["judge"])

    def phases(self, stage):
        shuffled = partial(Shuffled, self.stream.stages[stage].train, self.seeds, size=8)

        def classify(batch, step):
            self.adam.step(self.state["theta"], self.gradient(batch, (stage,)))

        def judge(batch, step):
            task = batch._replace(y=batch.y // self.stream.classes)
            gradient = self.gradient(task, tuple(range(stage + 1)), self.judge, "judge", self.judge_head)
            self.judge_adam.step(self.state["judge"], gradient)

        def fresh():
            self.adam.reset(self.state["theta"])
            self.state["theta"] += 0.01  # not idempotent on purpose: a resumed phase must not begin twice

        n = self.options.iterations
        return [
            Phase("classifier", n, shuffled(name=f"a{stage}"), classify),
            Phase("judge", n // 2, shuffled(name=f"b{stage}"), judge),
            Phase("stabilisation", n // 2, shuffled(name=f"c{stage}"), classify, begin=fresh),
        ]


class StopsEarly(Toy):
    """A replica is done with a task once it has seen 4 + 3 (seed mod 3) batches of it."""

    def phases(self, stage):
        batches = Shuffled(self.stream.stages[stage].train, self.seeds, f"b{stage}", 8)

        def begin():
            self.state["left"] = (4 + 3 * (self.seeds % 3)).clone()

        def step(batch, step):
            active = self.state["left"] > 0
            self.adam.step(self.state["theta"], self.gradient(batch, (stage,)), active)
            self.state["left"] -= 1

        def finished():
            return self.state["left"] <= 0

        return [Phase("until done", self.options.iterations, batches, step, begin, finished, check_every=2)]
