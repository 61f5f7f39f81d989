"""A hash-routed network one sample at a time: Algorithms 1 to 4 as printed, with the guards that they need.

Slow and obvious on purpose: the tests compare the package's learner with it, the benchmark times both. One replica;
weights, hash tables and random draws are taken from a learner, everything else is done here with torch's own
functions.
"""

import math

import torch
import torch.nn.functional as F

TINY = 1e-6


class NaiveUnit:
    """f_k with its running statistics, φ_k, and the basis with its counters."""

    def __init__(self, learner, r, k):
        o, self.kind = learner.options, learner.kinds[int(learner.state["kind"][r, k])]
        w = learner.state["w"][r, k]
        self.parameters, at = {}, 0
        for name, shape in self.kind.layout(learner.units.channels).shapes.items():
            n = math.prod(shape)
            self.parameters[name] = w[at : at + n].view(shape).clone().requires_grad_()
            at += n
        self.bucket, self.sign = table(learner.units.tables()[r * learner.state["w"].shape[1] + k], o.s)
        self.mean, self.var = w.new_zeros(self.kind.filters), w.new_ones(self.kind.filters)
        self.basis, self.low, self.age, self.alpha = [], [], 0, o.alpha
        self.replacements = 0
        self.fresh_adam(o.lr)

    def fresh_adam(self, lr):
        self.adam = torch.optim.Adam(self.parameters.values(), lr=lr)

    def weights(self):
        return torch.cat([p.detach().flatten() for p in self.parameters.values()])


def table(slots, s):
    """Bucket and sign of every input."""
    return slots % s, 1 - 2 * (slots // s)


def hash_vector(x, bucket, sign, s):
    """φ(x), normalised; None where it is zero."""
    x = x.flatten()
    h = x.new_zeros(s).index_add(0, bucket[: len(x)], x * sign[: len(x)])
    return None if float(h.detach().norm()) == 0 else h / h.norm()


class NaiveHRN:
    """One replica of a learner, to be stepped with the same batches and draws."""

    def __init__(self, learner, r=0, order="deferred"):
        self.learner, self.o, self.r, self.order, self.units = learner, learner.options, r, order, []
        self.phi_0 = table(learner.phi_0[r], self.o.s)
        self.rho, self.lam = learner.bases.rho[r], float(learner.lam[r])

    def begin(self, stage):
        """After the learner's own `begin`: units that it has added, fresh Adam, the stage's classifier."""
        for k in range(len(self.units), int((self.learner.state["kind"][self.r] >= 0).sum())):
            self.units.append(NaiveUnit(self.learner, self.r, k))
        for unit in self.units:
            unit.fresh_adam(self.o.lr)
        self.psi, psi, at = [], self.learner.state["psi"][self.r, stage], 0
        for shape in self.learner.classifier.layout.shapes.values():
            n = math.prod(shape)
            self.psi.append(psi[at : at + n].view(shape).clone().requires_grad_())
            at += n
        self.adam = torch.optim.Adam(self.psi, lr=self.o.lr)

    # --- One batch ---------------------------------------------------------------------------------------------------

    def step(self, x, y, draws, step):
        """One update; returns H(x) [B, s]."""
        self.draws, self.number, self.training = draws, step, True
        self.ran, self.residues = set(), {k: [] for k in range(len(self.units))}
        samples = [Sample(self, i, image) for i, image in enumerate(x)]
        self.route(samples)
        H, l1 = torch.stack([a.H for a in samples]), torch.stack([a.l1 for a in samples])
        self.log = [a.taken for a in samples]
        logits = self.classify(H, draws.classifier(step)[self.r])
        loss = F.cross_entropy(logits, y) + self.lam * l1.mean()
        for unit in self.units:
            unit.adam.zero_grad(set_to_none=True)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        for k in self.ran:
            unit = self.units[k]
            for p in unit.parameters.values():
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
                if self.o.eq7:
                    found = self.residues[k]
                    p.grad *= min(1.0, float(torch.stack(found).mean(0).norm())) if found else 0.0
            unit.adam.step()
        self.adam.step()
        return H.detach()

    def route(self, samples):
        """All samples through all levels, in one of the three orders."""
        levels = range(self.o.n_res)
        if self.order == "sample":
            for a in samples:
                for level in levels:
                    a.advance(level), a.select(level), a.update()
        elif self.order == "depth":
            for level in levels:
                for a in samples:
                    a.advance(level), a.select(level), a.update()
        else:
            for level in levels:
                for a in samples:
                    a.update(), a.advance(level), a.select(level)
            for a in samples:
                a.update()

    @torch.no_grad()
    def features(self, x):
        """H(x) [B, s] at test time."""
        self.training, samples = False, [Sample(self, i, image) for i, image in enumerate(x)]
        for a in samples:
            for level in range(self.o.n_res):
                a.advance(level), a.select(level)
        return torch.stack([a.H for a in samples])

    def classify(self, H, draws=None):
        x, at, layers, classifier = H, 0, len(self.psi) // 2, self.learner.classifier
        for i in range(layers):
            x = F.linear(x, self.psi[2 * i], self.psi[2 * i + 1])
            if i < layers - 1:
                x = F.leaky_relu(x) if classifier.activation == "leaky" else F.relu(x)
            rate = classifier.logit_dropout if i == layers - 1 else classifier.dropout
            if draws is not None:
                x = x * (draws[: len(x), at : at + x.shape[1]] >= rate) / (1 - rate)
            at += x.shape[1]
        return x

    # --- A unit -------------------------------------------------------------------------------------------------------

    def convolve(self, unit, y, i, level):
        """Chunks of the map through convolution, normalisation, activation and dropout, one by one; their sum."""
        kind, total = unit.kind, 0.0
        p = unit.parameters
        for number, chunk in enumerate(y.split(self.learner.units.channels)):
            z = F.conv2d(chunk[None], p["W"], p.get("b"), kind.stride, kind.padding)[0]
            if kind.norm:
                z = z.flatten(1)
                if z.shape[1] == 1:  # one number has no variance
                    mean, var = torch.zeros_like(unit.mean), torch.full_like(unit.var, 1 - 1e-5)
                elif not self.training:
                    mean, var = unit.mean, unit.var
                else:
                    mean, var = z.mean(1), z.var(1, unbiased=False)
                    unit.mean = 0.9 * unit.mean + 0.1 * mean.detach()
                    unit.var = 0.9 * unit.var + 0.1 * z.var(1).detach()
                z = (z - mean[:, None]) / (var[:, None] + 1e-5).sqrt() * p["gamma"][:, None] + p["beta"][:, None]
                z = z.view(len(z), *kind.output(y.shape[1:]))
            z = F.leaky_relu(z) if kind.activation == "leaky" else F.relu(z)
            if self.training and kind.dropout:
                drawn = self.draws.channels(self.number, level, i, 1)[self.r, number, : len(z)]
                z = z * ((drawn >= kind.dropout) / (1 - kind.dropout))[:, None, None]
            total = total + z
        return total

    def change(self, unit, h):
        """Algorithms 4 and 2: what a selection does to the basis."""
        o = self.o
        if not unit.basis:
            unit.basis, unit.low = [h], [int(o.alpha) if o.rule == "countdown" else 0]
            return
        V = torch.stack(unit.basis)
        c = (V @ h).abs().tolist()
        if math.sqrt(sum(a * a for a in c)) < self.o.tau_expand and len(unit.basis) < o.m:
            rest = h - V.T @ (V @ h)
            rest = rest - V.T @ (V @ rest)
            if float(rest.norm()) >= TINY:
                unit.basis.append(rest / rest.norm())
                unit.low.append(int(o.alpha) if o.rule == "countdown" else 0)
                c.append(0.0 if o.rule == "countdown" else float(rest.norm()))
        if not o.update or (len(unit.basis) == 1 and not o.update_single):
            return
        c = [0.0 if a < TINY else a for a in c]
        lowest = c.index(min(c))
        if o.rule == "age":
            if unit.age >= math.floor(unit.alpha):
                i = unit.low.index(max(unit.low))
                if self.replace(unit, i, h):
                    unit.age, unit.low[i] = 0, 0
            else:
                unit.age, unit.low[lowest] = unit.age + 1, unit.low[lowest] + 1
        else:
            unit.low[lowest] = max(0, unit.low[lowest] - 1)
            if unit.low[lowest] == 0 and self.replace(unit, lowest, h):
                unit.low[lowest] = math.floor(unit.alpha)

    def replace(self, unit, i, h):
        """v_i ← h without its projections on the other vectors; a remainder of rounding noise is not taken."""
        rest = h
        for _ in range(2):
            for j, v in enumerate(unit.basis):
                rest = rest if j == i else rest - (v @ rest) * v
        if float(rest.norm()) < TINY:
            return False
        unit.basis[i] = rest / rest.norm()
        unit.alpha, unit.replacements = unit.alpha * self.rho, unit.replacements + 1
        return True


class Sample:
    """One sample on its way."""

    def __init__(self, net, i, image):
        self.net, self.i, self.y = net, i, image
        self.h, self.k, self.going, self.used, self.taken = None, -1, True, [], []
        self.H, self.l1, self.due = image.new_zeros(net.o.s * (1 + net.o.projections)), image.new_zeros(()), False

    def advance(self, level):
        """The next hash vector: of the image itself, or of what the unit just chosen makes of the map."""
        if not self.going:
            return
        net, s = self.net, self.net.o.s
        if level == 0:
            self.h = hash_vector(self.y, *net.phi_0, s)
        else:
            unit = net.units[self.k]
            if net.training:
                net.ran.add(self.k)
            self.y = net.convolve(unit, self.y, self.i, level - 1)
            self.h = hash_vector(self.y, unit.bucket, unit.sign, s)
        self.going = self.h is not None

    def select(self, level):
        """Algorithm 3, and the residue (Algorithm 1)."""
        if not self.going:
            return
        net, h, o = self.net, self.h, self.net.o
        fits = [k for k, u in enumerate(net.units) if level == o.n_res - 1 or u.kind.output(tuple(self.y.shape[1:]))]
        norms = {k: float((torch.stack(net.units[k].basis) @ h.detach()).norm())
                 for k in fits if k not in self.used and net.units[k].basis}  # fmt: skip
        best, first = max(norms.values(), default=-1.0), False
        empty = [k for k in fits if not net.units[k].basis]
        if net.training and empty and best < o.tau_empty:
            draw = net.draws.empty(net.number, level, self.i, 1)[net.r][0]
            self.k, first = empty[int(draw * len(empty))], True
        elif norms:
            self.k = min(k for k, norm in norms.items() if norm >= best - TINY)
        else:
            self.k, self.going = -1, False
            return
        self.used.append(self.k), self.taken.append(self.k)
        self.due = net.training
        if first:
            r = torch.zeros_like(h)
        else:
            V = torch.stack(net.units[self.k].basis)
            r = h - V.T @ (V @ h)
            length = float(r.detach().norm())
            r = r if length >= TINY else torch.zeros_like(r)
            if net.training:
                net.residues[self.k].append(r.detach())
            self.going = length >= o.tau_d
        self.H = self.H + (torch.cat((r, h - r)) if o.projections else r)
        self.l1 = self.l1 + r.abs().sum()

    def update(self):
        """The selection's effect on the basis, once."""
        if self.due:
            self.net.change(self.net.units[self.k], self.h.detach())
        self.due = False
