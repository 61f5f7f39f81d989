"""Slow, obvious versions of what the package does fast; the tests compare results with them, the benchmarks times.

One seed, one sample, one task at a time, torch's own optimiser.
"""

import copy
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn


def mlp(activation=F.relu):
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


def infer_task(weights, forward, own, x, tasks):
    """Entropy inference, one image at a time: the inferred tasks and the logits of their networks, own outputs only.

    `weights(t)` generates the tensors of a task's network, `own(t)` is the slice of its outputs.
    """
    best, chosen = [], []
    for i in range(len(x)):
        outputs = [forward(weights(t), x[i : i + 1])[0, own(t)] for t in range(tasks)]
        entropies = torch.stack([-(p * p.log()).sum() for p in (z.softmax(-1) for z in outputs)])
        best.append(int(entropies.argmin()))
        chosen.append(outputs[best[-1]])
    return best, chosen


class PlainClassifier:
    """A stack of torch modules under torch's Adam, with a penalty on its flat weights [W1, b1, ...] if one is given."""

    def __init__(self, sizes, flat, lr=1e-3, own=slice(None)):
        layers = [part for pair in pairwise(sizes) for part in (nn.Linear(*pair), nn.ReLU())]
        self.net, self.own = nn.Sequential(*layers[:-1]).to(flat.device), own
        nn.utils.vector_to_parameters(flat.clone(), self.net.parameters())
        self.adam = torch.optim.Adam(self.net.parameters(), lr=lr)

    @property
    def flat(self):
        return nn.utils.parameters_to_vector(self.net.parameters())

    @property
    def gradient(self):
        return nn.utils.parameters_to_vector([p.grad for p in self.net.parameters()])

    def step(self, x, y, penalty=None):
        self.adam.zero_grad()
        loss = self.loss(x, y)
        if penalty:
            loss = loss + penalty(self.flat)
        loss.backward()
        self.adam.step()

    def loss(self, x, y):
        return F.cross_entropy(self.net(x.flatten(1))[:, self.own], y)


class PlainJoint(PlainClassifier):
    """All tasks at once where each has its own `k` outputs; y counts classes over all tasks."""

    def __init__(self, sizes, flat, k, lr=1e-3):
        super().__init__(sizes, flat, lr)
        self.k = k

    def loss(self, x, y):
        heads = self.net(x.flatten(1)).view(len(x), -1, self.k)
        return F.cross_entropy(heads[torch.arange(len(x), device=x.device), y // self.k], y % self.k)


class PlainSI:
    """The bookkeeping of synaptic intelligence around a `PlainClassifier`."""

    def __init__(self, plain, c, damping=0.1):
        self.plain, self.c, self.damping = plain, c, damping
        self.anchor = plain.flat.detach().clone()
        self.omega, self.w = torch.zeros_like(self.anchor), torch.zeros_like(self.anchor)

    def step(self, x, y):
        before = self.plain.flat.detach()
        self.plain.step(x, y, lambda flat: self.c * (self.omega * (flat - self.anchor) ** 2).sum())
        self.w -= self.plain.gradient * (self.plain.flat.detach() - before)

    def end_task(self):
        now = self.plain.flat.detach()
        self.omega += self.w / ((now - self.anchor) ** 2 + self.damping)
        self.anchor = now
        self.w.zero_()


class PlainReplay:
    """A `PlainClassifier` that keeps the answers of its copy from before the task: on the same images (learning without
    forgetting) or on replayed ones. `k` classes a task; `soft` keeps probabilities, else the most likely class."""

    def __init__(self, plain, scenario, k, soft, temperature=2.0, mean_over_classes=False):
        self.plain, self.scenario, self.k, self.soft, self.temperature = plain, scenario, k, soft, temperature
        self.mean_over_classes = mean_over_classes
        self.old = None

    def step(self, x, y, task, replayed=None):
        """y counts classes over all tasks."""
        k, T = self.k, self.temperature
        whole = slice(None)
        own = {"CL1": slice(task * k, (task + 1) * k), "CL2": whole, "CL3": slice(0, (task + 1) * k)}[self.scenario]
        first = {"CL1": task * k, "CL2": task * k, "CL3": 0}[self.scenario]
        loss = F.cross_entropy(self.plain.net(x.flatten(1))[:, own], y - first)
        if task > 0:
            heads = {
                "CL1": [(slice(j * k, (j + 1) * k), slice(j * k, (j + 1) * k)) for j in range(task)],
                "CL2": [(whole, whole)], "CL3": [(own, slice(0, task * k))],
            }[self.scenario]  # fmt: skip
            logits, total = self.plain.net(replayed), 0.0
            with torch.no_grad():
                answers = self.old(replayed)
            for outputs, known in heads:
                if self.soft:
                    p = torch.zeros_like(logits[:, outputs])
                    p[:, : answers[:, known].shape[1]] = F.softmax(answers[:, known] / T, 1)
                    distilled = F.cross_entropy(logits[:, outputs] / T, p) * T**2
                    total = total + (distilled / p.shape[1] if self.mean_over_classes else distilled)
                else:
                    total = total + F.cross_entropy(logits[:, outputs], answers[:, known].argmax(1))
            loss = loss / (task + 1) + (1 - 1 / (task + 1)) * total / len(heads)
        self.plain.adam.zero_grad()
        loss.backward()
        self.plain.adam.step()

    def end_task(self):
        self.old = copy.deepcopy(self.plain.net)


class PlainGenerator(nn.Module):
    """Van de Ven's variational autoencoder as torch modules, with the weights of flat vectors."""

    def __init__(self, sizes, latent, encoder, decoder, lr=1e-3):
        """`sizes` from pixels to the last hidden layer; the decoder mirrors them."""
        super().__init__()
        hidden = sizes[-1]
        self.encoder = _stack(sizes, nn.ReLU)
        self.mean, self.log_variance = nn.Linear(hidden, latent), nn.Linear(hidden, latent, bias=False)
        self.decoder = _stack((latent, *sizes[:0:-1]), nn.ReLU).append(nn.Linear(sizes[1], sizes[0])).append(nn.Sigmoid())
        self.to(encoder.device)
        trunk, last = len(encoder) - (2 * hidden + 1) * latent, hidden * latent
        nn.utils.vector_to_parameters(encoder[:trunk].clone(), self.encoder.parameters())
        mean, log_variance, bias = encoder[trunk:].clone().split([last, last, latent])
        nn.utils.vector_to_parameters(torch.cat([mean, bias]), self.mean.parameters())
        nn.utils.vector_to_parameters(log_variance, self.log_variance.parameters())
        nn.utils.vector_to_parameters(decoder.clone(), self.decoder.parameters())
        self.adam = torch.optim.Adam(self.parameters(), lr=lr)
        self.old = None

    @property
    def flat(self):
        """Encoder and decoder as the package lays them out: biases of the means last in the encoder."""
        parts = [*self.encoder.parameters(), self.mean.weight, self.log_variance.weight, self.mean.bias]
        return nn.utils.parameters_to_vector([*parts, *self.decoder.parameters()])

    def loss(self, x, noise):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        image = self.decoder(mean + (log_variance / 2).exp() * noise)
        kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)
        return F.binary_cross_entropy(image, x) + kl.mean() / x.shape[1]

    def step(self, x, noise, task, replayed=None, replayed_noise=None):
        loss = self.loss(x, noise)
        if task > 0:
            loss = loss / (task + 1) + (1 - 1 / (task + 1)) * self.loss(replayed, replayed_noise)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()

    def replay(self, z):
        with torch.no_grad():
            return self.old(z)

    def end_task(self):
        self.old = copy.deepcopy(self.decoder)


def _stack(sizes, activation):
    return nn.Sequential(*(part for pair in pairwise(sizes) for part in (nn.Linear(*pair), activation())))


class PlainHNET:
    """A chunked hypernetwork trained as the paper's Eq. 2 reads: one old task after the other, its chunks as one batch.

    `importance` weighs what was written for an old task, by task; `plastic` embeddings of old tasks learn, too.
    """

    def __init__(self, layers, chunk_embeddings, embeddings, shapes, activation, lr, beta, plastic=False):
        self.layers = [w.clone().requires_grad_() for w in layers]  # W1, b1, ..., output layer last
        self.c = chunk_embeddings.clone().requires_grad_()
        self.e = [e.clone().requires_grad_() for e in embeddings]
        self.shapes, self.activation, self.lr, self.beta = shapes, activation, lr, beta
        self.target, self.plastic, self.importance = mlp(), plastic, {}

    def generate(self, e, layers, chunks):
        outputs = mlp(self.activation)(layers, torch.cat([e.expand(len(chunks), -1), chunks], 1))
        return outputs.flatten()[: sum(torch.Size(s).numel() for s in self.shapes)]

    def begin(self, task):
        self.task, self.steps = task, 0
        self.theta = [*self.layers, self.c]
        self.adam = torch.optim.Adam(self.theta, lr=self.lr)
        self.adam_e = torch.optim.Adam([self.e[task]], lr=self.lr)
        if self.plastic and task > 0:
            self.adam_old = torch.optim.Adam(self.e[:task], lr=self.lr)
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
            *layers, chunks = ahead
            old = [e.detach().requires_grad_() for e in self.e[: self.task]]
            total = sum(
                (self.importance.get(t, 1.0) * (self.targets[t] - self.generate(old[t], layers, chunks)) ** 2).sum()
                for t in range(self.task)
            )
            leaves = ahead + old if self.plastic else ahead
            gradients = torch.autograd.grad(self.beta / self.task * total, leaves)
            for p, g in zip(self.theta, gradients, strict=False):
                p.grad += g
            if self.plastic:
                for e, g in zip(self.e, gradients[len(ahead) :], strict=False):
                    e.grad = g
                self.adam_old.step()
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


class PlainJointHNET(PlainHNET):
    """The same hypernetwork on all tasks at once: the sum of their losses, one task after the other."""

    def begin(self):
        self.adam = torch.optim.Adam([*self.layers, self.c, *self.e], lr=self.lr)

    def step(self, x, y, own):
        """x [T, b, ...]; y [T, b] counts within the outputs `own(t)` of a task."""
        self.adam.zero_grad()
        weights = [cut(self.generate(e, self.layers, self.c), self.shapes) for e in self.e]
        losses = [F.cross_entropy(self.target(w, x[t])[:, own(t)], y[t]) for t, w in enumerate(weights)]
        (sum(losses) / len(losses)).backward()
        self.adam.step()


class GivenDropout(nn.Module):
    """Dropout by numbers handed to it in `draws` [B, channels]."""

    def __init__(self, p, width):
        super().__init__()
        self.p, self.width, self.draws = p, width, None

    def forward(self, x):
        if not self.training:
            return x
        keep = (self.draws >= self.p).float() / (1 - self.p)
        return x * keep.view(*keep.shape, *[1] * (x.ndim - 2))


def modules(net, flat):
    """A `nets.conv.Network` as torch modules, with the weights `flat` of one replica; outputs are flattened.

    No bias in front of batch normalisation, where it has no effect but drifts with rounding noise.
    """
    parts, tensors = [], net.layout.split(flat)
    for i, (layer, shape) in enumerate(zip(net.layers, net.shapes), 1):
        if hasattr(layer, "filters"):
            module = nn.Conv2d(shape[0], layer.filters, layer.kernel, layer.stride, layer.padding, bias=not layer.norm)
            norm = nn.BatchNorm2d(layer.filters)
        else:
            module, norm = nn.Linear(shape[0], layer.neurons, bias=not layer.norm), nn.BatchNorm1d(layer.neurons)
        module.weight.data = tensors[f"W{i}"].clone()
        if layer.norm:
            norm.weight.data, norm.bias.data = tensors[f"gamma{i}"].clone(), tensors[f"beta{i}"].clone()
        else:
            module.bias.data = tensors[f"b{i}"].clone()
        activation = {"leaky_relu": nn.LeakyReLU, "relu": nn.ReLU, "linear": nn.Identity}[layer.activation]()
        parts += [module, *([norm] if layer.norm else []), activation]
        parts += [GivenDropout(layer.dropout, net.shapes[i][0])] if layer.dropout else []
    return nn.Sequential(*parts, nn.Flatten())


class PlainEncoder:
    """VC: torch modules, an optimiser of torch's, one image set after the other; methods add a `penalty`."""

    optimiser = partial(torch.optim.Adam, lr=1e-3)

    def __init__(self, encoder):
        self.encoder, self.heads = encoder, []

    def begin(self, head):
        """A new classifier (modules), and a fresh optimiser over it and the encoder."""
        self.heads.append(head)
        self.encoder.train(), head.train()
        self.fresh = self.optimiser([*self.encoder.parameters(), *head.parameters()])

    def step(self, x, y, draws):
        """`draws` [B, n] are cut in the order of the dropout layers."""
        for place in (*self.encoder.modules(), *self.heads[-1].modules()):
            if isinstance(place, GivenDropout):
                place.draws, draws = draws[:, : place.width], draws[:, place.width :]
        self.fresh.zero_grad()
        features = self.encoder(x)
        logits = self.heads[-1](features)
        (F.cross_entropy(logits, y) + self.penalty(x, features, logits)).backward()
        self.fresh.step()

    def penalty(self, x, features, logits):
        return 0.0

    def end(self):
        self.encoder.eval(), self.heads[-1].eval()


class PlainEncoderEWC(PlainEncoder):
    """Fisher image by image; every parabola kept."""

    def __init__(self, encoder, strength, reading):
        super().__init__(encoder)
        self.strength, self.reading, self.parabolas = strength, reading, []

    def consolidate(self, images):
        """`images`: those for the Fisher matrix, of each task so far."""
        parameters = list(self.encoder.parameters())
        if self.reading == "standard":
            images = images[-1:]
        squares = [torch.zeros_like(p) for p in parameters]
        for x in torch.cat(images):
            logits = self.encoder(x[None])
            if self.reading == "standard":
                logits = self.heads[-1](logits)
            gradients = torch.autograd.grad(F.cross_entropy(logits, logits.argmax(1)), parameters)
            squares = [s + g**2 for s, g in zip(squares, gradients, strict=True)]
        new = [(s / len(torch.cat(images)), p.detach().clone()) for s, p in zip(squares, parameters, strict=True)]
        self.parabolas = [new] if self.reading == "released" else [*self.parabolas, new]

    def penalty(self, x, features, logits):
        now = list(self.encoder.parameters())
        return self.strength * sum(
            (f * (p - star) ** 2).sum() for terms in self.parabolas for p, (f, star) in zip(now, terms, strict=True)
        )


class PlainELL(PlainEncoder):
    """Deep copies of the networks as they were, and a list of the old autoencoders."""

    def __init__(self, encoder, code_weight, reading, T=3.0, teacher_gradient=False):
        super().__init__(encoder)
        self.teacher_gradient = teacher_gradient
        self.code_weight, self.reading, self.T, self.autoencoders, self.old = code_weight, reading, T, [], None

    def begin(self, head):
        self.old = copy.deepcopy(self.encoder).eval()
        super().begin(head)

    def stabilise(self, autoencoder, batches):
        encode, decode = autoencoder
        adam = torch.optim.Adam([*encode.parameters(), *decode.parameters()], lr=1e-3)
        for x, y in batches:
            features = self.encoder(x).detach()
            decoded = decode(encode(features).sigmoid())
            loss = F.cross_entropy(self.heads[-1](decoded), y) + 2 * F.mse_loss(decoded, features)
            adam.zero_grad()
            loss.backward()
            adam.step()
        self.autoencoders.append(encode)

    def penalty(self, x, features, logits):
        if not self.autoencoders:
            return 0.0
        before = self.old(x).detach()
        codes = sum(F.mse_loss(e(features).sigmoid(), e(before).sigmoid().detach()) for e in self.autoencoders)
        if self.reading == "released":
            pairs = [(logits, self.heads[-2](features if self.teacher_gradient else features.detach()))]
        else:
            pairs = [(head(features), head(before)) for head in self.heads[:-1]]
        soft = sum(F.cross_entropy(z / self.T, (target / self.T).softmax(1)) for z, target in pairs)
        return self.code_weight * codes + 2 * soft
