"""Bases of hash-routed units: how they grow and change with the rows that select their unit (Algorithms 2 and 4).

The bases V [S, M, m, s] are on the device; everything counted (vectors held, ages, ...) is on the host, because what
happens next depends on it. Both are tensors of the learner's state. Only events (a first vector, a further one, a
replaced one) touch V, and they become rare: after N selections of a unit about ln(1 + N(ρ−1)/α)/ln ρ vectors have been
replaced. What selections do between two events is counted for all rows at once (`settle`); the row of an event is taken
by itself (`update`).

Three thresholds keep two exact executions together where exact arithmetic would leave a tie: residues shorter than
`TINY` are zero (their direction is rounding noise), units whose projections differ by less are ties (the first one
wins), and coefficients below it are ties for the smallest one.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

TINY = 1e-6
ABSENT = -1
"""Kind of a slot that a replica has no unit for (others of the row have grown more)."""


def residue(h: Tensor, V: Tensor) -> Tensor:
    """h − Vᵀ V h for h [..., s] and V [..., m, s] (missing vectors are zero rows)."""
    return h - ((V @ h.unsqueeze(-1)) * V).sum(-2)


class Bases:
    """Bases of all units of all replicas. `options` are the learner's; ρ and the thresholds may differ per replica."""

    def __init__(self, state: dict[str, Tensor], options, per_replica: dict[str, Sequence[float]]):
        self.state, self.options = state, options
        self.rho = per_replica["rho"]
        self.tau_empty, self.tau_expand = (np.array(per_replica[name]) for name in ("tau_empty", "tau_expand"))
        self.history: dict[tuple[int, int, int], Tensor] = {}

    def add(self, S: int, new: int, like: Tensor) -> None:
        """Empty, absent slots behind the present ones."""
        o, zeros = self.options, torch.zeros(S, new, dtype=torch.int64)
        fresh = {
            "V": like.new_zeros(S, new, o.m, o.s), "kind": zeros + ABSENT, "held": zeros, "age": zeros.clone(),
            "replaced": zeros.clone(), "low": zeros.unsqueeze(-1).repeat(1, 1, o.m),
        }  # fmt: skip
        for name, value in fresh.items():
            old = self.state.get(name)
            old = old.cpu() if old is not None and name != "V" else old
            self.state[name] = value if old is None else torch.cat((old, value), 1)

    def begin(self) -> None:
        """Start a batch: look the counters up in the state, and forget the bases of earlier batches."""
        for name in ("kind", "held", "age", "replaced", "low"):
            if self.state[name].device.type != "cpu":  # a checkpoint was loaded onto the device
                self.state[name] = self.state[name].cpu()
            setattr(self, name, self.state[name].numpy())
        self.V = self.state["V"]
        self.due = np.array([[self.longest(r, k) for k in range(len(row))] for r, row in enumerate(self.held)])
        self.versions = np.zeros_like(self.held)
        self.history.clear()

    def empty(self) -> Bool[np.ndarray, "S M"]:
        """Which units have no vector yet."""
        return (self.held == 0) & (self.kind != ABSENT)

    def settle(
        self, R: Int[np.ndarray, "R"], k: Int[np.ndarray, "R B"], c: Float[np.ndarray, "R B m"], start: Int[np.ndarray, "R"]
    ) -> Int[np.ndarray, "R"]:
        """Count the selections of rows start, start + 1, ... of replicas R, up to the first that may change a basis, in one go.

        `k` are the units that the rows selected (-1: none), `c` their coefficients V_k h with the present bases. Returns for
        every replica which row that is, to be taken by `update`; B where there is none.
        """
        o, m, r, row = self.options, c.shape[2], R[:, None], np.arange(k.shape[1])
        n, c = self.held[r, k], np.abs(c)
        selected = (k >= 0) & (row >= start[:, None])
        event = selected & ((n == 0) | ((np.sqrt(np.square(c).sum(-1)) < self.tau_expand[r]) & (n < m)))
        counted = selected & (n > (0 if o.update_single else 1)) & o.update
        lowest = np.where(np.arange(m) < n[..., None], np.where(c < TINY, 0.0, c), np.inf).argmin(-1)
        if o.rule == "age":
            event |= counted & (self.age[r, k] + _so_far(k, counted) > self.due[r, k])
        else:
            event |= counted & (self.low[r, k, lowest] <= _so_far(k * m + lowest, counted))
        first = np.where(event.any(1), event.argmax(1), len(row))
        at, i = np.nonzero(counted & (row < first[:, None]))
        r, k, lowest = R[at], k[at, i], lowest[at, i]
        if o.rule == "age":
            np.add.at(self.age, (r, k), 1)
        np.add.at(self.low, (r, k, lowest), 1 if o.rule == "age" else -1)
        return first

    def update(self, r: int, k: int, coefficients: list[float], h: Float[Tensor, "s"]) -> bool:
        """What selecting unit k does to its basis (Algorithms 4 and 2); returns whether the basis has changed.

        `coefficients` are V_k h with the present basis.
        """
        if self.held[r, k] == 0:
            self._write(r, k, 0, h)
            self._held_one_more(r, k)
            return True
        n, changed, c = int(self.held[r, k]), False, [abs(x) for x in coefficients]
        norm = math.sqrt(sum(x * x for x in c))
        if norm < self.tau_expand[r] and n < self.options.m:
            rest = residue(residue(h, self.V[r, k]), self.V[r, k])  # twice, against rounding
            length = float(rest.norm())
            if length >= TINY:
                self._write(r, k, n, rest / length)
                self._held_one_more(r, k)
                c[n], n, changed = (0.0 if self.options.rule == "countdown" else length), n + 1, True
        if not self.options.update or (n == 1 and not self.options.update_single):
            return changed
        lowest = min(range(n), key=lambda j: 0.0 if c[j] < TINY else c[j])
        return getattr(self, f"_{self.options.rule}")(r, k, n, lowest, h) or changed

    def _age(self, r: int, k: int, n: int, lowest: int, h: Tensor) -> bool:
        """Algorithm 2 as printed, with a ≥ ⌊α⌋ for a = α, which could never hold again once α is no whole number."""
        if self.age[r, k] < self.longest(r, k):
            self.age[r, k] += 1
            self.low[r, k, lowest] += 1
            return False
        oldest = max(range(n), key=lambda j: self.low[r, k, j])
        if not self._replace(r, k, oldest, h):
            return False
        self.age[r, k] = self.low[r, k, oldest] = 0
        return True

    def _countdown(self, r: int, k: int, n: int, lowest: int, h: Tensor) -> bool:
        """The released code's rule: a vector is replaced when it has had the smallest coefficient often enough."""
        if self.low[r, k, lowest] > 0:
            self.low[r, k, lowest] -= 1
        if self.low[r, k, lowest] > 0 or not self._replace(r, k, lowest, h):
            return False
        self.low[r, k, lowest] = self.longest(r, k)
        return True

    def longest(self, r: int, k: int) -> int:
        """⌊α_k⌋, the age at which a vector is replaced: α at first, ρ times as much after every replacement."""
        alpha = self.options.alpha * self.rho[r] ** int(self.replaced[r, k])
        return int(alpha) if alpha < 2**62 else 2**62

    def _replace(self, r: int, k: int, i: int, h: Tensor) -> bool:
        others = self.V[r, k].clone()
        others[i] = 0
        rest = residue(residue(h, others), others)
        length = float(rest.norm())
        if length < TINY:
            return False
        self._write(r, k, i, rest / length)
        self.replaced[r, k] += 1
        self.due[r, k] = self.longest(r, k)
        return True

    def _held_one_more(self, r: int, k: int) -> None:
        n = int(self.held[r, k])
        self.low[r, k, n] = int(self.options.alpha) if self.options.rule == "countdown" else 0
        self.held[r, k] = n + 1

    def _write(self, r: int, k: int, i: int, v: Tensor) -> None:
        self.history[r, k, int(self.versions[r, k])] = self.V[r, k].clone()
        self.versions[r, k] += 1
        self.V[r, k, i] = v


def _so_far(key: Int[np.ndarray, "R B"], counted: Bool[np.ndarray, "R B"]) -> Int[np.ndarray, "R B"]:
    """How many of the counted rows up to each one, itself included, have its key."""
    return np.tril((key[:, :, None] == key[:, None]) & counted[:, None]).sum(-1)
