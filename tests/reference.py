"""Slow, obvious versions of what the package does fast: one seed, one sample, one task at a time, torch's own optimiser."""

import torch
import torch.nn.functional as F


def mlp(sizes, activation=F.relu):
    """A plain forward pass over [W1, b1, W2, b2, ...]."""

    def forward(weights, x):
        x = x.flatten(1)
        for i in range(0, len(weights), 2):
            x = F.linear(x, weights[i], weights[i + 1])
            x = activation(x) if i < len(weights) - 2 else x
        return x

    return forward


def cut(flat, shapes):
    """A flat vector into tensors."""
    parts, at = [], 0
    for shape in shapes:
        n = torch.Size(shape).numel()
        parts.append(flat[at : at + n].view(shape))
        at += n
    return parts


def fisher(forward, weights, x, sample_loss):
    """Sum over samples of squared gradients, one backward pass per sample."""
    total = [torch.zeros_like(w) for w in weights]
    for i in range(len(x)):
        leaves = [w.detach().requires_grad_() for w in weights]
        gradients = torch.autograd.grad(sample_loss(forward(leaves, x[i : i + 1]), i), leaves)
        total = [t + g**2 for t, g in zip(total, gradients, strict=True)]
    return total


class PlainHNET:
    """A chunked hypernetwork trained as the paper's Eq. 2 reads: every chunk, every old task, one after the other."""

    def __init__(self, layers, chunk_embeddings, embeddings, shapes, activation, lr, beta):
        self.layers = [w.clone().requires_grad_() for w in layers]  # W1, b1, ..., output layer last
        self.c = [c.clone().requires_grad_() for c in chunk_embeddings]
        self.e = [e.clone().requires_grad_() for e in embeddings]
        self.shapes, self.activation, self.lr, self.beta = shapes, activation, lr, beta
        self.target = mlp(None)

    def generate(self, e, layers, chunks):
        forward = mlp(None, self.activation)
        outputs = [forward(layers, torch.cat([e, c])[None])[0] for c in chunks]
        size = sum(torch.Size(s).numel() for s in self.shapes)
        return torch.cat(outputs)[:size]

    def begin(self, task):
        self.task, self.steps = task, 0
        self.theta = self.layers + self.c
        self.adam = torch.optim.Adam(self.theta, lr=self.lr)
        self.adam_e = torch.optim.Adam([self.e[task]], lr=self.lr)
        with torch.no_grad():
            self.targets = [self.generate(self.e[t], self.layers, self.c) for t in range(task)]

    def step(self, x, y, loss):
        """`loss` maps (logits, labels) to the task loss."""
        self.adam.zero_grad()
        self.adam_e.zero_grad()
        weights = self.generate(self.e[self.task], self.layers, self.c)
        loss(self.target(cut(weights, self.shapes), x), y).backward()
        if self.task > 0 and self.beta > 0:
            ahead = [(p.detach() + d).requires_grad_() for p, d in zip(self.theta, self.change(), strict=True)]
            layers, chunks = ahead[: len(self.layers)], ahead[len(self.layers) :]
            total = sum(
                ((self.targets[t] - self.generate(self.e[t].detach(), layers, chunks)) ** 2).sum()
                for t in range(self.task)
            )
            gradients = torch.autograd.grad(self.beta / self.task * total, ahead)
            for p, g in zip(self.theta, gradients, strict=True):
                p.grad += g
        self.adam.step()
        self.adam_e.step()
        self.steps += 1

    def change(self):
        """Δθ: what Adam would do with the gradient so far, from its published formulas."""
        changes, s = [], self.steps + 1
        for p in self.theta:
            state = self.adam.state[p]
            m = state.get("exp_avg", torch.zeros_like(p)) * 0.9 + 0.1 * p.grad
            v = state.get("exp_avg_sq", torch.zeros_like(p)) * 0.999 + 0.001 * p.grad**2
            changes.append((-self.lr * (m / (1 - 0.9**s)) / ((v / (1 - 0.999**s)).sqrt() + 1e-8)).detach())
        return changes
