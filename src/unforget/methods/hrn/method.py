"""Hash-routed networks (Berjaoui 2020): hashes of a sample's feature maps decide which units it goes through.

y_0 = x, h_0 = φ_0(x); at every level l = 0, 1, ...:
  k       = argmax ‖V_k h_l‖ over initialised units not used yet                       (Eq. 4, Algorithm 3)
  r_l     = h_l − V_kᵀ V_k h_l with V_k as it was, a constant for the gradient
  V_k     may take in h_l                                                              (Algorithms 4 and 2)
  y_{l+1} = f_k(y_l), h_{l+1} = φ_k(y_{l+1}), all h normalised                         (Eq. 3)
H(x) = Σ_l r_l (Eq. 5). Loss: cross-entropy of the task's classifier on H(x) + λ Σ_l ‖r_l‖₁, batch means (Eq. 6). The
gradient of unit k is scaled by min(1, ‖r̄_k‖), r̄_k the mean of the batch's residues over V_k (Eq. 7).

Algorithm 1 sums d−1 residues, figure 1 and Eq. 5 sum d (`n_res`). With n_res = 1 no unit is ever run: H(x) is what a
fixed hash of the pixels leaves. Every stage has a classifier over all `outputs`, trained in its stage only; labels
stay raw (view "own classifier").

Seeds train together: their rows go through the same operations, each with its own unit's weights, and units are chosen for all
of them at once, on the host; only a row that changes a basis is taken by itself. That saves overhead, which is most of a step
where maps are small (Pairwise-MNIST), and costs nothing where they are large.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from unforget.data.streams import Batch, Stream
from unforget.errors import UnforgetError
from unforget.methods.base import Phase, Replicas
from unforget.methods.hrn.ahead import Ahead
from unforget.methods.hrn.bases import TINY, Bases, residue
from unforget.methods.hrn.optim import RowAdam
from unforget.methods.hrn.orders import ORDERS
from unforget.methods.hrn.routing import Level, Routes, scan
from unforget.methods.hrn.units import Units, first_places
from unforget.nets import hashing
from unforget.nets.layout import fan_in_uniform
from unforget.nets.units import Classifier, Kind

Group = tuple[int, int, int, int, int, bool, str, float]
ROWS_AT_ONCE = 1024
"""Samples of all replicas together that prediction sends through the units at once: less overhead against memory."""


@dataclass(frozen=True)
class Options:
    """The paper's symbols; the defaults are Pairwise-MNIST as Algorithm 1 reads (others: `scenarios`).

    `units`: groups of equal units (number, filters, kernel, stride, padding, normalised, activation, channel dropout).
    `rule`: Algorithm 2 ("age") or what the released code does ("countdown"). `projections`: the classifier reads
    Σ (h_l − r_l) beside Σ r_l (ICLR 5.4). `hash`: buckets drawn one by one, or the published code's affine functions.
    `grow`: units added before each stage; `grow_when_full`: as many before a stage (not the first) whenever all bases
    are full. `epochs`: passes over the samples, one number or one per stage, `times` as many; `iterations`: steps per
    stage instead.
    """

    units: tuple[Group, ...] = ((2, 16, 5, 3, 2, True, "leaky", 0.0), (2, 16, 2, 3, 0, True, "leaky", 0.0))
    hidden: tuple[int, ...] = (60, 10)
    activation: Literal["leaky", "relu"] = "leaky"
    dropout: float = 0.2
    logit_dropout: float = 0.0
    outputs: int = 10
    s: int = 300
    m: int = 3
    n_res: int = 2
    rule: Literal["age", "countdown"] = "age"
    eq7: bool = True
    lam: float = 1.0
    alpha: float = 5.0
    rho: float = 1.2
    tau_d: float = 1e-5
    tau_empty: float = 0.2
    tau_expand: float = 0.01
    update: bool = True
    update_single: bool = False
    projections: bool = False
    grow: tuple[int, ...] = ()
    grow_when_full: int = 0
    epochs: int | tuple[int, ...] = 5
    times: int = 1
    iterations: int | None = None
    batch: int = 16
    last: Literal["span", "drop", "keep"] = "drop"
    lr: float = 1e-3
    hash: Literal["random", "affine"] = "random"


class HRN:
    """Units with projection bases, shared by all tasks, and a classifier per stage."""

    Options = Options
    scannable = ("lr", "lam", "rho", "tau_empty", "tau_expand")
    order = "deferred"

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        """Raises `UnforgetError` where the options do not fit the stream. `scenario` changes nothing."""
        self.stream, self.options, self.seeds = stream, options, replicas.seed_tensor
        self.kinds = tuple(Kind(*group[1:]) for group in options.units)
        self._check()
        self.lam = replicas.value("lam", options.lam)
        self.classifier = Classifier(
            (options.s * (1 + options.projections), *options.hidden, options.outputs),
            options.activation,
            options.dropout,
            options.logit_dropout,
        )
        stages = len(stream.stages)
        psi = [fan_in_uniform(self.classifier.layout, self.seeds, f"classifier/{t}") for t in range(stages)]
        self.state: dict[str, Tensor] = {"psi": torch.stack(psi, 1)}
        # Not as float32: ⌊α ρⁿ⌋ must not hang on a rounded ρ.
        own = {n: replicas.scan.get(n, (getattr(options, n),) * len(replicas)) for n in self.scannable}
        self.bases = Bases(self.state, options, own)
        self.units = Units(
            self.state, self.bases, self.kinds, tuple(group[0] for group in options.units), self.seeds,
            tuple(stream.input_shape), options.n_res - 1, psi[0],
        )  # fmt: skip
        self.state["uses"] = torch.zeros(len(replicas), stages, self.state["w"].shape[1], dtype=torch.int64)
        self.adam = RowAdam(self.state, own["lr"])
        self.adam.reset("w", self.state["w"])
        self.adam.reset("psi", self.state["psi"][:, :1])
        pixels = torch.Size(stream.input_shape).numel()
        self.phi_0 = hashing.table(options.hash, self.seeds, "input", 0, pixels, options.s)

    def _check(self) -> None:
        o, shape = self.options, self.stream.input_shape
        if len(shape) != 3:
            raise UnforgetError(f"hrn needs images (channels, height, width); {self.stream.title} has inputs {shape}")
        highest = max(int(stage.train.y.max()) for stage in self.stream.stages)
        if highest >= o.outputs:
            raise UnforgetError(f"option outputs of hrn is {o.outputs}, but labels go up to {highest}")
        if o.n_res > 2 and any(kind.filters % shape[0] for kind in self.kinds):
            raise UnforgetError(f"filters of hrn's units must be multiples of {shape[0]}, the channels of an image")

    def phases(self, stage: int) -> list[Phase]:
        o = self.options
        batches = self.stream.stages[stage].batches(self.seeds, f"batches/{stage}", o.batch, o.last)
        epochs = o.epochs if isinstance(o.epochs, int) else o.epochs[min(stage, len(o.epochs) - 1)]
        steps = o.iterations or o.times * epochs * batches.steps_per_pass
        step = partial(self.step, stage, Draws(self, stage))
        return [Phase("network and classifier", steps, batches, step, partial(self.begin, stage))]

    def begin(self, stage: int) -> None:
        """Add units where the options say so; fresh Adam for the network and the new classifier."""
        o, (S, stages, before) = self.options, self.state["uses"].shape
        full = ((self.state["held"] == o.m) | (self.state["kind"] < 0)).all(1).cpu()
        more = torch.full((S,), o.grow[stage] if stage < len(o.grow) else 0)
        self.units.grow(more + (o.grow_when_full * full if stage else 0))
        new = self.state["w"].shape[1] - before
        self.state["uses"] = torch.cat((self.state["uses"].cpu(), torch.zeros(S, stages, new, dtype=torch.int64)), 2)
        self.adam.reset("w", self.state["w"])
        self.adam.reset("psi", self.state["psi"][:, :1])

    def step(self, stage: int, draws: "Draws", batch: Batch, step: int) -> None:
        """One Adam step for the classifier and the units that ran."""
        S, B = batch.y.shape
        w, psi = (t.detach().requires_grad_() for t in (self.state["w"], self.state["psi"][:, stage]))
        H, l1, routes = self.encode(w, batch.x, draws, step)
        logits = self.classifier.apply(psi, H, draws.classifier(step)[:, :B])
        loss = F.cross_entropy(logits.flatten(0, 1), batch.y.flatten(), reduction="none").view(S, B)
        loss = loss.mean(1) + self.lam * l1.mean(1)
        g_w, g_psi = torch.autograd.grad(loss.sum(), (w, psi), allow_unused=True, materialize_grads=True)
        if self.options.eq7:
            g_w = g_w * routes.scale()[..., None]
        every = [(r, 0) for r in range(S)]
        psi = self.state["psi"][:, stage : stage + 1]
        self.adam.step([("psi", psi, g_psi[:, None], every), ("w", self.state["w"], g_w, routes.ran())])
        uses = self.state["uses"] if self.state["uses"].device.type == "cpu" else self.state["uses"].cpu()
        uses[:, stage] += routes.uses()
        self.state["uses"] = uses

    def encode(self, w: Float[Tensor, "S M size"], x: Float[Tensor, "S B C H W"], draws: "Draws", step: int):
        """H(x) [S, B, s], Σ_l ‖r_l‖₁ [S, B] and the routes taken, while bases and counters move on."""
        _, one_by_one = ORDERS[self.order]
        self.bases.begin()
        size = 1 if one_by_one else x.shape[1]
        parts = [self._encode(w, x[:, i : i + size], draws, step, i) for i in range(0, x.shape[1], size)]
        H, l1, routes = zip(*parts, strict=True)
        return torch.cat(H, 1), torch.cat(l1, 1), Routes([level for one in routes for level in one])

    def _encode(self, w: Tensor, x: Tensor, draws: "Draws", step: int, first: int):
        """`encode` for samples first, first + 1, ... of the batch, whose bases stand as earlier samples left them."""
        o, (S, B), flat = self.options, x.shape[:2], w.flatten(0, 1)
        work = ORDERS[self.order][0]
        h, length = self.hash_input(x)
        maps, places = [x.flatten(0, 1)], first_places(S * B)
        H, l1, before, taken = 0.0, 0.0, None, []
        for number in range(o.n_res):
            unfit = self.units.unfit(maps, places) if number < o.n_res - 1 else None
            drawn = draws.empty(step, number, first, B) if self.bases.empty().any() else None
            now = Level(self.bases, h, length, before, unfit, drawn)
            scan(*work(before, now))
            _, chosen, known = now.rows
            r = residue(h.flatten(0, 1), now.seen())
            norm = r.detach().norm(dim=-1)
            r = (r * (known & (norm >= TINY))[:, None]).unflatten(0, (S, B))
            now.residue = r.detach()
            H = H + self._part(r, h, chosen.view(S, B))
            l1 = l1 + r.abs().sum(-1)
            taken.append(now)
            if number == o.n_res - 1:
                break
            now.stop(norm, o.tau_d)
            channel = draws.channels(step, number, first, B)
            maps, places, h, length = self.units.run(flat, maps, places, now.onwards(), channel, train=True)
            h, length, before = h.unflatten(0, (S, B)), length.view(S, B), now
        scan(*work(now, None))
        return H, l1, taken

    def _part(self, r: Float[Tensor, "S B s"], h: Float[Tensor, "S B s"], chosen: Bool[Tensor, "S B"]) -> Tensor:
        """What a level adds to H(x): its residue, and with `projections` what was projected, side by side."""
        return torch.cat((r, h * chosen[..., None] - r), -1) if self.options.projections else r

    def hash_input(self, x: Float[Tensor, "#S B C H W"]) -> tuple[Tensor, Tensor]:
        """h_0 = φ_0(x) normalised [S, B, s], and its length before that [S, B]."""
        S, B = len(self.seeds), x.shape[1]
        rows = x.flatten(2).expand(S, -1, -1).flatten(0, 1)
        h = hashing.hashed(rows, self.phi_0, [(r, r * B, (r + 1) * B) for r in range(S)], self.options.s)
        return hashing.normalised(h.unflatten(0, (S, B)))

    def end_stage(self, stage: int) -> None:
        """Nothing is kept."""

    # --- Prediction: bases, counters and random numbers stay as they are ------------------------------------------

    @torch.no_grad()
    def predict(self, x: Tensor, task: int | None, tasks_seen: int) -> Tensor:
        """Outputs of the task's own classifier [S, B, outputs]; without a task, of the one with the least entropy."""
        H, stage_of = self.features(x), {t: i for i, stage in enumerate(self.stream.stages) for t in stage.tasks}
        if task is not None:
            return self.classifier.apply(self.state["psi"][:, stage_of[task]], H)
        stages = sorted({stage_of[t] for t in range(tasks_seen)})
        logits = torch.stack([self.classifier.apply(self.state["psi"][:, i], H) for i in stages], 2)
        log_p = logits.log_softmax(-1)
        best = (log_p.exp() * log_p).sum(-1).argmax(-1)[..., None, None]
        return logits.gather(2, best.expand(-1, -1, 1, logits.shape[-1])).squeeze(2)

    def features(self, x: Float[Tensor, "#S B C H W"]) -> Float[Tensor, "S B s"]:
        """H(x) of samples that all replicas share."""
        size = max(1, ROWS_AT_ONCE // len(self.seeds))
        return torch.cat([self._features(part) for part in x.split(size, 1)], 1)

    def _features(self, x: Tensor) -> Tensor:
        o, (S, M, _), B = self.options, self.state["w"].shape, x.shape[1]
        maps, places = [x.expand(S, *x.shape[1:]).flatten(0, 1)], first_places(S * B)
        h, length = self.hash_input(x)
        V, w, every = self.state["V"].flatten(1, 2), self.state["w"].flatten(0, 1), torch.arange(M, device=x.device)
        free = (self.state["held"] > 0).to(h.device).unsqueeze(1).repeat(1, B, 1)
        first, H, going = torch.arange(S, device=h.device)[:, None] * M, None, True
        for number in range(o.n_res):
            unfit = self.units.unfit(maps, places) if number < o.n_res - 1 else None
            allowed = free if unfit is None else free & ~torch.from_numpy(unfit).to(free.device).view_as(free)
            c = (h @ V.mT).unflatten(2, (M, o.m))
            norms = c.square().sum(-1).sqrt_().masked_fill_(~allowed, -1.0)
            best = norms.amax(-1)
            k = (norms >= best[..., None] - TINY).to(torch.uint8).argmax(-1)  # the first of those that tie
            chosen = every == k[..., None]
            r = torch.baddbmm(h, (c * chosen[..., None]).flatten(2), V, alpha=-1)
            norm = r.norm(dim=-1)
            going = (best >= 0) & (length > 0) & going
            part = self._part(r.mul_((going & (norm >= TINY))[..., None]), h, going)
            H = part if number == 0 else H.add_(part)
            if number == o.n_res - 1:
                break
            free, going = free & ~chosen, going & (norm >= o.tau_d)
            route = torch.where(going, first + k, -1).flatten().cpu().numpy()
            maps, places, h, length = self.units.run(w, maps, places, route, None, train=False)
            h, length = h.unflatten(0, (S, B)), length.view(S, B)
        return H

    def counts(self) -> "dict[str, int | Tensor]":
        units, classifier = self.units.parameters(), self.classifier.layout.size
        return {"units": units, "classifier": classifier, "trained": units + classifier * len(self.stream.stages)}


class Draws:
    """The random numbers of a stage: what dropout leaves, and which empty unit a sample starts."""

    def __init__(self, learner: HRN, stage: int):
        o, units, seeds = learner.options, learner.units, learner.seeds
        self._empty = Ahead(seeds, f"empty unit/{stage}", (o.n_res, o.batch))
        self.classifier = Ahead(seeds, f"classifier dropout/{stage}", (o.batch, sum(learner.classifier.sizes[1:])))
        self._channels: list[Callable[[int], Tensor]] = []
        if any(kind.dropout for kind in learner.kinds):
            chunks = [1] + [max(1, units.widest // units.channels)] * (o.n_res - 2)
            self._channels = [
                Ahead(seeds, f"channel dropout/{stage}/{level}", (o.batch, n, units.widest))
                for level, n in enumerate(chunks[: o.n_res - 1])
            ]

    def empty(self, step: int, level: int, first: int, size: int) -> Float[np.ndarray, "S B"]:
        """One number for each sample of a part of the batch."""
        return self._empty(step)[:, level, first : first + size].cpu().double().numpy()

    def channels(self, step: int, level: int, first: int, size: int) -> Tensor | None:
        """Numbers [rows, chunks, F] for dropout after a level's convolution; None where there is no dropout."""
        return self._channels[level](step)[:, first : first + size].flatten(0, 1) if self._channels else None
