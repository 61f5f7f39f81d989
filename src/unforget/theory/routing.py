"""Algorithms 1 to 4 of Berjaoui (2020) on a few images, step by step, with the parts that the experiments are made of.

`Watched` is a hash-routed network on the first task of a stream; it trains as every other and notes what selections do to
bases. `walk` takes one image through it, the way prediction does, and keeps what Figure 1 shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from unforget import data
from unforget.data.streams import Stream
from unforget.errors import UnforgetError, choose
from unforget.methods.base import Replicas, options
from unforget.methods.hrn.bases import TINY, residue
from unforget.methods.hrn.method import HRN, Draws, Options
from unforget.methods.hrn.scenarios import READINGS, SCENARIOS
from unforget.nets import hashing

FIRST, FURTHER, REPLACED = "first vector", "expansion", "replacement"
MOST_STEPS = 200


def digits() -> Stream:
    """Pairwise embedded digits, as the short runs learn them."""
    return data.build("pairwise", image_set="digits")


@dataclass(frozen=True)
class Event:
    """A selection that changed a basis: at which step, of which unit; the coefficients V_k h before, and what came of it.

    `slot` is the vector that is new or replaced; `age` and `low` (how often each vector had the smallest coefficient) are
    those before, `longest` is ⌊α_k⌋ before.
    """

    step: int
    unit: int
    kind: str
    slot: int
    coefficients: tuple[float, ...]
    held: int
    age: int
    longest: int
    low: tuple[int, ...]
    h: Float[Tensor, "s"]
    before: Float[Tensor, "m s"]
    after: Float[Tensor, "m s"]

    @property
    def norm(self) -> float:
        """‖V_k h‖, what Algorithms 3 and 4 look at."""
        return sum(c * c for c in self.coefficients) ** 0.5


class Watched:
    """One replica of HRN (seed `seed`) with options of the Pairwise-MNIST scenario, changed by `changes`."""

    def __init__(self, stream: Stream | None = None, seed: int = 0, reading: str = "algorithm1", **changes: Any):
        stream = stream or digits()
        values = SCENARIOS["pairwise-mnist"] | READINGS[choose("reading", reading, READINGS)] | changes
        self.learner = HRN(stream, "CL1", options(Options, values, "hrn"), Replicas((seed,)))
        (self.phase,) = self.learner.phases(0)
        self.steps, self.events = 0, []
        self._update = self.learner.bases.update
        self.learner.bases.update = self._watched

    def batch(self, step: int | None = None):
        """The batch of a step, by default of the one to come."""
        return self.phase.batches(self.steps if step is None else step)

    def select(self):
        """The routes of the batch to come; bases move on, weights stay: the first half of a training step."""
        with torch.no_grad():
            found = self.learner.encode(self.learner.state["w"], self.batch().x, Draws(self.learner, 0), self.steps)
        return found[-1]

    def train(self) -> list[Event]:
        """One training step; returns the events in it."""
        before = len(self.events)
        self.phase.step(self.batch(), self.steps)
        self.steps += 1
        return self.events[before:]

    def until(self, kind: str) -> Event:
        """Train until such an event happens, and return it. Raises `UnforgetError` where none does in `MOST_STEPS` steps."""
        choose("event", kind, (FIRST, FURTHER, REPLACED))
        while self.steps < MOST_STEPS:
            for event in self.train():
                if event.kind == kind:
                    return event
        raise UnforgetError(f"no {kind} in {MOST_STEPS} steps")

    def _watched(self, r: int, k: int, coefficients: Sequence[float], h: Tensor) -> bool:
        bases = self.learner.bases
        held, before = int(bases.held[r, k]), bases.V[r, k].clone()
        state = {"age": int(bases.age[r, k]), "longest": bases.longest(r, k), "low": tuple(bases.low[r, k, :held].tolist())}
        changed = self._update(r, k, coefficients, h)
        after, moved = bases.V[r, k].clone(), []
        for slot in (after != before).any(1).nonzero()[:, 0].tolist():
            kind = FIRST if held == 0 else FURTHER if slot >= held else REPLACED
            moved.append((kind, slot))
        for kind, slot in moved:
            self.events.append(Event(self.steps, k, kind, slot, tuple(coefficients[:held]), held, h=h.clone(),
                                     before=before, after=after, **state))  # fmt: skip
        return changed


@dataclass(frozen=True)
class Stop:
    """One level of a walk: the map y, its hash h, ‖V_k h‖ of all units (nan: not allowed), the unit chosen and what is left."""

    y: Float[Tensor, "C H W"]
    h: Float[Tensor, "s"]
    norms: tuple[float, ...]
    unit: int
    coefficients: tuple[float, ...]
    r: Float[Tensor, "s"]


@torch.no_grad()
def walk(learner: HRN, image: Float[Tensor, "C H W"]) -> list[Stop]:
    """Algorithm 1 for one image, through replica 0, as it stands after training; H(x) is the sum of the residues r.

    It ends early where a residue is shorter than τ_d. Every unit must fit every map, as on the sequences of grey images.
    """
    V, M = learner.state["V"][0], learner.state["V"].shape[1]
    y, h, used, stops = image, learner.hash_input(image[None, None])[0][0, 0], [], []
    for level in range(learner.options.n_res):
        free = [k for k in range(M) if learner.state["held"][0, k] and k not in used]
        norms = [float((V[k] @ h).norm()) if k in free else float("nan") for k in range(M)]
        unit = next(k for k in free if norms[k] >= max(norms[j] for j in free) - TINY)  # Eq. 4
        r = residue(h, V[unit])
        r = r * (r.norm() >= TINY)
        stops.append(Stop(y, h, tuple(norms), unit, tuple((V[unit] @ h).tolist()), r))
        used.append(unit)
        if r.norm() < learner.options.tau_d:
            break
        if level < learner.options.n_res - 1:
            kind, units = learner.kinds[int(learner.state["kind"][0, unit])], learner.units
            w, running = learner.state["w"][0, unit], learner.state["running"][0, unit]
            size = kind.layout(units.channels).size
            y = kind.infer(w[:size], y[None], units.channels, running[:, : kind.filters])[0]
            slots = units.tables()[unit]
            h = hashing.normalised(hashing.hashed(y.reshape(1, -1), slots[None], [(0, 0, 1)], len(h)))[0][0]  # Eq. 3
    return stops


@torch.no_grad()
def templates(learner: HRN) -> Float[Tensor, "M m C H W"]:
    """What the basis vectors v of replica 0 look for in an image: φ_0ᵀ v, whose product with an image is that of v with the
    image's hash (before normalisation)."""
    shape = torch.Size(learner.stream.input_shape)
    hashes = hashing.hashed(torch.eye(shape.numel()), learner.phi_0, [(0, 0, shape.numel())], learner.options.s)
    return (learner.state["V"][0] @ hashes.T).unflatten(-1, shape)
