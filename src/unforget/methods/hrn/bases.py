"""Bases of hash-routed units: how a unit is selected, and how its basis grows and changes (Algorithms 2 to 4).

The bases V [S, M, m, s] are on the device; everything counted (vectors held, ages, ...) is on the host, because what
happens next depends on it. Both are tensors of the learner's state. Decisions are made row by row from coefficients V
h that the device computed for many rows at once; only events (a first vector, a further one, a replaced one) touch V.
They become rare: after N selections of a unit about ln(1 + N(ρ−1)/α)/ln ρ vectors have been replaced.

Three thresholds keep two exact executions together where exact arithmetic would leave a tie: residues shorter than
`TINY` are zero (their direction is rounding noise), units whose projections differ by less are ties (the first one
wins), and coefficients below it are ties for the smallest one.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
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
        self.rho, self.tau_empty, self.tau_expand = (per_replica[name] for name in ("rho", "tau_empty", "tau_expand"))
        self.versions: dict[tuple[int, int], int] = {}
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
        self.versions.clear(), self.history.clear()

    def any_empty(self) -> bool:
        """Whether some unit of some replica has no vector yet."""
        return bool(((self.held == 0) & (self.kind != ABSENT)).any())

    def empty(self, r: int) -> list[int]:
        """Units of replica r without any vector."""
        return [k for k in range(self.held.shape[1]) if self.held[r, k] == 0 and self.kind[r, k] != ABSENT]

    def select(self, r: int, norms: list[float], banned: Sequence[int], draw: float | None) -> tuple[int, bool]:
        """Algorithm 3 for replica r: (unit, whether it is an empty one), or (-1, False) where no unit is left.

        `norms` are ‖V_k h‖ for all units, `banned` those that may not be used (used before, or too small a map), `draw`
        in [0, 1) picks among empty units (None: there are none).
        """
        allowed = [k for k in range(len(norms)) if self.held[r, k] and k not in banned]
        best = max((norms[k] for k in allowed), default=-1.0)
        if draw is not None and best < self.tau_empty[r]:
            empty = [k for k in self.empty(r) if k not in banned]
            if empty:
                return empty[int(draw * len(empty))], True
        return next(((k, False) for k in allowed if norms[k] >= best - TINY), (-1, False))

    def update(self, r: int, k: int, coefficients: list[float], h: Float[Tensor, "s"]) -> bool:
        """What selecting unit k does to its basis (Algorithms 4 and 2); returns whether the basis has changed.

        `coefficients` are V_k h with the present basis.
        """
        if self.held[r, k] == 0:
            self._write(r, k, 0, h)
            self._held_one_more(r, k)
            return True
        n, changed, c = int(self.held[r, k]), False, [abs(x) for x in coefficients]
        norm = sum(x * x for x in c) ** 0.5
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
        return True

    def _held_one_more(self, r: int, k: int) -> None:
        n = int(self.held[r, k])
        self.low[r, k, n] = int(self.options.alpha) if self.options.rule == "countdown" else 0
        self.held[r, k] = n + 1

    def _write(self, r: int, k: int, i: int, v: Tensor) -> None:
        version = self.versions.get((r, k), 0)
        self.history[r, k, version] = self.V[r, k].clone()
        self.versions[r, k] = version + 1
        self.V[r, k, i] = v
