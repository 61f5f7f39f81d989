"""The routes of a batch: decided on the host (`bases`), level by level, computed for all rows at once.

Within a batch the weights stand still, so what a unit makes of a sample depends on its route only; what is sequential
is small: bases, counters and the choice of units. A level's coefficients come from the device in one copy. Until a basis
changes, all rows are decided in one go; after an event the coefficients on the changed basis are computed again, so that
every row is decided on the bases that the order of work shows it.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from unforget.methods.hrn.bases import TINY, Bases


class Level:
    """All rows at one level: their hash vectors, coefficients on every basis, and, once scanned, their units [S, B]."""

    residue: Tensor

    def __init__(
        self,
        bases: Bases,
        h: Float[Tensor, "S B s"],
        length: Float[Tensor, "S B"],
        before: "Level | None" = None,
        unfit: Bool[np.ndarray, "rows M"] | None = None,
        draws: Float[np.ndarray, "S B"] | None = None,
    ):
        """`length` is ‖φ(y)‖ before normalisation; rows where it is 0 (they had stopped before, too) go no further. Units may
        be used once, so not those of the levels `before`, nor those that are `unfit` for a row's map. `draws` in [0, 1) pick
        among empty units (None: there are none)."""
        self.bases, self.h, self.draws = bases, h.detach(), draws
        (S, B, _), (_, M, m, _) = h.shape, bases.V.shape
        coefficients = self.h @ bases.V.flatten(1, 2).mT
        packet = torch.cat((coefficients, length.detach().unsqueeze(-1)), -1).cpu().numpy()
        vectors = packet[..., :-1].reshape(S, B, M, m)
        self.c = vectors.astype(np.float64)
        self.norms = np.sqrt(np.square(vectors).sum(-1)).astype(np.float64)
        self.alive = packet[..., -1] > 0
        self.used = np.zeros((S, B, M), bool) if before is None else before.used | (before.unit[..., None] == np.arange(M))
        self.free = ~self.used if unfit is None else ~(self.used | unfit.reshape(S, B, M))
        self.unit = np.full((S, B), -1)
        self.fresh, self.version, self.shadow = np.zeros((S, B), bool), np.zeros((S, B), np.int64), np.zeros((S, B))
        self.going = self.alive.copy()
        self.ran = np.full(S * B, -1)

    def select(self, R: Int[np.ndarray, "R"], start: Int[np.ndarray, "R"]) -> None:
        """Algorithm 3 for rows start, start + 1, ... of replicas R, on the bases as they stand: the unit of each row (-1:
        none), whether it was empty, and which version of its basis the row saw."""
        bases, r, every = self.bases, R[:, None], self.norms[R]
        norms = np.where(self.free[R] & (bases.held[R] > 0)[:, None], every, -1.0)
        best = norms.max(-1)
        unit, found, fresh = (norms >= best[..., None] - TINY).argmax(-1), best >= 0, np.zeros_like(best, bool)
        if self.draws is not None:
            empty = self.free[R] & bases.empty()[R][:, None]
            number = empty.sum(-1)
            fresh = (best < bases.tau_empty[r]) & (number > 0)
            drawn = (self.draws[R] * number).astype(np.int64)
            unit = np.where(fresh, (empty.cumsum(-1) > drawn[..., None]).argmax(-1), unit)
        going = self.alive[R] & (found | fresh)
        chosen = {
            "unit": np.where(going, unit, -1), "fresh": fresh & going, "going": going, "version": bases.versions[r, unit],
            "shadow": np.take_along_axis(every, unit[..., None], 2)[..., 0],
        }  # fmt: skip
        later = np.arange(going.shape[1]) >= start[:, None]
        for name, value in chosen.items():
            getattr(self, name)[R] = np.where(later, value, getattr(self, name)[R])

    def settle(self, R: Int[np.ndarray, "R"], start: Int[np.ndarray, "R"]) -> Int[np.ndarray, "R"]:
        """The effects of selections, from rows `start` of replicas R on (`Bases.settle`)."""
        unit = self.unit[R]
        return self.bases.settle(R, unit, np.take_along_axis(self.c[R], unit[..., None, None], 2)[:, :, 0], start)

    def update(self, r: int, i: int) -> int:
        """Apply the effects of a row's selection to the basis; returns the unit whose basis has changed, or -1."""
        k = int(self.unit[r, i])
        return k if self.bases.update(r, k, self.c[r, i, k].tolist(), self.h[r, i]) else -1

    def refresh(self, r: int, k: int) -> None:
        """Coefficients on a changed basis: of all rows, since those that have chosen may still have to update."""
        self.c[r, :, k] = (self.h[r] @ self.bases.V[r, k].T).cpu().numpy()
        self.norms[r, :, k] = np.sqrt(np.square(self.c[r, :, k]).sum(-1))

    @cached_property
    def rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """After the scan, for each row: replica · M + unit (unit 0 where there is none), whether it has a unit, and
        whether that was initialised already."""
        chosen = self.unit >= 0
        units = self._numbered(np.where(chosen, self.unit, 0))
        packet = torch.from_numpy(np.stack((units, chosen, chosen & ~self.fresh)).reshape(3, -1)).to(self.h.device)
        return packet[0], packet[1] > 0, packet[2] > 0

    def _numbered(self, unit: Int[np.ndarray, "S B"]) -> Int[np.ndarray, "S B"]:
        """Replica · M + unit."""
        return unit + np.arange(len(unit))[:, None] * self.bases.V.shape[1]

    def seen(self) -> Float[Tensor, "rows m s"]:
        """The bases V_k that the rows were projected on: as they were at selection, before any effect of it."""
        V = self.bases.V.flatten(0, 1)[self.rows[0]]
        if self.bases.history:
            now = np.take_along_axis(self.bases.versions, self.unit, 1)
            for r, i in np.argwhere((self.unit >= 0) & (self.version != now)).tolist():
                V[r * self.unit.shape[1] + i] = self.bases.history[r, int(self.unit[r, i]), int(self.version[r, i])]
        return V

    def stop(self, norm: Float[Tensor, "rows"], tau_d: float) -> None:
        """Stop the rows whose residue is shorter than `tau_d`, unless they started their unit.

        `norm` is read back only where 1 − ‖V_k h‖² says that some may be.
        """
        near = (self.unit >= 0) & ~self.fresh & (1 - np.square(self.shadow) < tau_d**2 + 1e-3)
        if near.any():
            self.going &= ~(near & (norm.view(near.shape).cpu().numpy().astype(np.float64) < tau_d))

    def onwards(self) -> Int[np.ndarray, "rows"]:
        """For every row, replica · M + the unit that it now goes through, or -1."""
        self.ran = np.where(self.going, self._numbered(self.unit), -1).reshape(-1)
        return self.ran


def scan(selects: Level | None, updates: Level | None) -> None:
    """Row after row of every replica. Of two levels, the row's earlier selection has its effects, and then it selects anew; of
    one, it selects, and that has its effects. All levels learn of a basis that changes."""
    levels = [level for level in dict.fromkeys((selects, updates)) if level is not None]
    if not levels:
        return
    R = np.arange(len(levels[0].unit))
    start = np.zeros_like(R)
    if selects:
        selects.select(R, start)
    while updates and len(R):
        event = updates.settle(R, start)
        left = event < updates.unit.shape[1]
        R, event = R[left], event[left]
        for r, i in zip(R.tolist(), event.tolist(), strict=True):
            changed = updates.update(r, i)
            if changed >= 0:
                for level in levels:
                    level.refresh(r, changed)
        start = event + 1
        if selects and len(R):
            selects.select(R, start if selects is updates else event)


class Routes:
    """What the levels of a batch leave for the update of the weights."""

    def __init__(self, levels: Sequence[Level]):
        self.levels = levels

    def ran(self) -> list[tuple[int, int]]:
        """(replica, unit) of the units whose convolution ran for some sample."""
        M, units = self.levels[0].bases.V.shape[1], np.unique(np.concatenate([level.ran for level in self.levels]))
        return [divmod(k, M) for k in units.tolist() if k >= 0]

    def uses(self) -> Int[Tensor, "S M"]:
        """How often each unit was selected."""
        S, M = self.levels[0].bases.V.shape[:2]
        counts = np.zeros((S, M), np.int64)
        for level in self.levels:
            r, i = np.nonzero(level.unit >= 0)
            np.add.at(counts, (r, level.unit[r, i]), 1)
        return torch.from_numpy(counts)

    def scale(self) -> Float[Tensor, "S M"]:
        """min(1, ‖r̄_k‖) of Eq. 7; 0 for a unit that nothing was projected on but vectors that started it."""
        V = self.levels[0].bases.V
        S, M, _, s = V.shape
        total, count = V.new_zeros(S * M, s), V.new_zeros(S * M)
        for level in self.levels:
            units, _, known = level.rows
            total.index_add_(0, units, level.residue.reshape(-1, s))  # residues of all other rows are zero
            count.index_add_(0, units, known.to(V))
        mean = total.norm(dim=1) / count.clamp_(min=1)
        return mean.clamp(max=1).view(S, M)
