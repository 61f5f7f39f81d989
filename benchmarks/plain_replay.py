"""Slow, obvious versions of the replay model and of the networks trained beside replay. One seed, torch's own optimiser."""

import copy

import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from benchmarks.reference import PlainHNET, cut, mlp


class PlainReplay:
    """A variational autoencoder whose decoder a `PlainHNET` writes; losses from torch.distributions and probabilities."""

    def __init__(self, encoder: list, writer: PlainHNET, lr: float):
        self.encoder = [w.clone().requires_grad_() for w in encoder]  # W1, b1, ..., means and log variances last
        self.writer, self.lr = writer, lr

    def begin(self, task):
        self.writer.begin(task)
        self.adam = torch.optim.Adam(self.encoder, lr=self.lr)

    def step(self, x, noise, condition):
        x = x.flatten(1)
        mean, log_variance = mlp()(self.encoder, x).chunk(2, 1)
        code = Normal(mean, log_variance.exp().sqrt())
        z = code.mean + code.stddev * noise

        def loss(logits, x):
            prior = kl_divergence(code, Normal(0.0, 1.0)).sum(1) / x.shape[1]
            return F.binary_cross_entropy(logits.sigmoid(), x) + prior.mean()

        self.adam.zero_grad()
        # The decoder is the writer's target network, its input the code and the condition.
        self.writer.step(torch.cat([z, condition.expand(len(z), -1)], 1), x, loss)
        self.adam.step()

    @torch.no_grad()
    def sample(self, task, z, condition):
        """Images of a task for these codes."""
        weights = self.writer.generate(self.writer.e[task], self.writer.layers, self.writer.c)
        return mlp()(cut(weights, self.writer.shapes), torch.cat([z, condition.expand(len(z), -1)], 1)).sigmoid()


class PlainRehearsal:
    """A `PlainClassifier` that learns beside replayed images, task after task. `k` classes per task."""

    def __init__(self, plain, scenario, k, unseen="zero probability"):
        self.plain, self.scenario, self.k, self.unseen = plain, scenario, k, unseen

    def begin(self):
        self.teacher = copy.deepcopy(self.plain.net)
        self.plain.adam = torch.optim.Adam(self.plain.net.parameters(), lr=self.plain.adam.defaults["lr"])

    def step(self, x, y, task, replayed=()):
        """y counts classes over all tasks; `replayed` are the images of old tasks 0, 1, ..., equally many of each."""
        k = self.k
        own = {"CL1": slice(task * k, task * k + k), "CL2": slice(None), "CL3": slice(0, task * k + k)}[self.scenario]
        loss = F.cross_entropy(self.plain.net(x.flatten(1))[:, own], y - (0 if self.scenario == "CL3" else task * k))
        if task > 0:
            soft = [self.soft(images.flatten(1), old, task) for old, images in enumerate(replayed)]
            loss = 0.5 * loss + 0.5 * sum(soft) / len(soft)
        self.plain.adam.zero_grad()
        loss.backward()
        self.plain.adam.step()

    def soft(self, images, old, task):
        """Cross-entropy with the teacher's probabilities at temperature 2, times 4."""
        k, logits = self.k, self.plain.net(images)
        with torch.no_grad():
            answers = self.teacher(images)
        if self.scenario == "CL1":
            own = slice(old * k, old * k + k)
            logits, p = logits[:, own], F.softmax(answers[:, own] / 2, 1)
        elif self.scenario == "CL2":
            p = F.softmax(answers / 2, 1)
        else:
            logits, known, new = logits[:, : task * k + k], answers[:, : task * k], torch.zeros_like(answers[:, :k])
            if self.unseen == "zero logit":
                p = F.softmax(torch.cat([known, new], 1) / 2, 1)
            else:
                p = torch.cat([F.softmax(known / 2, 1), new], 1)
        return 4 * F.cross_entropy(logits / 2, p)


class PlainInference:
    """A `PlainClassifier` of tasks; a batch of the task in training beside replayed images of the others."""

    def __init__(self, plain):
        self.plain = plain

    def begin(self):
        self.plain.adam = torch.optim.Adam(self.plain.net.parameters(), lr=self.plain.adam.defaults["lr"])

    def step(self, x, task, replayed):
        def loss(images, t):
            logits = self.plain.net(images.flatten(1))[:, : task + 1]
            return F.cross_entropy(logits, torch.full((len(images),), t, device=images.device))

        old = [loss(images, t) for t, images in enumerate(replayed)]
        self.plain.adam.zero_grad()
        (0.5 * loss(x, task) + 0.5 * sum(old) / len(old)).backward()
        self.plain.adam.step()
