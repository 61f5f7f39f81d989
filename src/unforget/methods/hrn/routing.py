"""The routes of a batch: level by level, decided row by row on the host (`bases`), computed for all at once.

Within a batch the weights stand still, so what a unit makes of a sample depends on its route only; what is sequential
is small: bases, counters and the choice of units. A level's coefficients come from the device in one copy; after an
event those of the changed unit are computed again for the rows still to come, so every row is decided on the bases
that the order of work shows it.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from unforget.methods.hrn.bases import Bases


class Level:
    """All rows at one level: their hash vectors, coefficients on every basis, and, once scanned, their units."""

    draws: list[list[float]] | None = None
    residue: Tensor

    def __init__(self, bases: Bases, h: Float[Tensor, "S B s"], length: Float[Tensor, "S B"]):
        """`length` is ‖φ(y)‖ before normalisation; rows where it is 0 (they had stopped before, too) go no further."""
        self.bases, self.h = bases, h.detach()
        (S, B, _), (_, M, m, _) = h.shape, bases.V.shape
        coefficients = self.h @ bases.V.flatten(1, 2).mT
        packet = torch.cat((coefficients, length.detach().unsqueeze(-1)), -1).cpu().numpy()
        vectors = packet[..., :-1].reshape(S, B, M, m)
        self.c = vectors.tolist()
        self.norms = np.sqrt(np.square(vectors).sum(-1)).tolist()
        self.going = (packet[..., -1] > 0).tolist()
        self.unit = [[-1] * B for _ in range(S)]
        self.fresh = [[False] * B for _ in range(S)]
        self.version = [[0] * B for _ in range(S)]
        self.shadow = [[0.0] * B for _ in range(S)]
        self.ran: list[int] = []

    def ban(self, used: list[list[list[int]]], unfit: Bool[np.ndarray, "rows M"] | None) -> None:
        """Units that rows [S][B] may not choose: those used before (chosen units are added), and too large kernels."""
        self.used, self.unfit = used, None if unfit is None else [row.nonzero()[0].tolist() for row in unfit]

    def select(self, r: int, i: int) -> None:
        """Choose the unit of a row (-1: none), and note which version of its basis the row saw."""
        if not self.going[r][i]:
            return
        used = self.used[r][i]
        banned = used if self.unfit is None else used + self.unfit[r * len(self.used[r]) + i]
        k, fresh = self.bases.select(r, self.norms[r][i], banned, self.draws and self.draws[r][i])
        self.unit[r][i], self.fresh[r][i] = k, fresh
        self.version[r][i] = self.bases.versions.get((r, k), 0)
        if k >= 0:
            self.shadow[r][i] = self.norms[r][i][k]
            used.append(k)
        else:
            self.going[r][i] = False

    def update(self, r: int, i: int) -> int:
        """Apply the effects of a row's selection to the basis; returns the unit whose basis has changed, or -1."""
        k = self.unit[r][i]
        return k if k >= 0 and self.bases.update(r, k, self.c[r][i][k], self.h[r, i]) else -1

    def refresh(self, r: int, k: int) -> None:
        """Coefficients on a changed basis: of all rows, since those that have chosen may still have to update."""
        rows = (self.h[r] @ self.bases.V[r, k].T).tolist()
        for i, c in enumerate(rows):
            self.c[r][i][k] = c
            self.norms[r][i][k] = sum(x * x for x in c) ** 0.5

    @cached_property
    def rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """After the scan, for each row: replica · M + unit (unit 0 where there is none), whether it has a unit, and
        whether that was initialised already."""
        M = self.bases.V.shape[1]
        units = [max(k, 0) + r * M for r, row in enumerate(self.unit) for k in row]
        chosen = [k >= 0 for row in self.unit for k in row]
        known = [
            k >= 0 and not new for row in zip(self.unit, self.fresh, strict=True) for k, new in zip(*row, strict=True)
        ]
        units, chosen, known = torch.tensor([units, chosen, known], device=self.h.device)
        return units, chosen > 0, known > 0

    def seen(self) -> Float[Tensor, "rows m s"]:
        """The bases V_k that the rows were projected on: as they were at selection, before any effect of it."""
        B, V = len(self.unit[0]), self.bases.V.flatten(0, 1)[self.rows[0]]
        for (r, k), now in self.bases.versions.items():
            for i in range(B):
                if self.unit[r][i] == k and self.version[r][i] != now:
                    V[r * B + i] = self.bases.history[r, k, self.version[r][i]]
        return V

    def stop(self, norm: Float[Tensor, "rows"], tau_d: float) -> None:
        """Stop the rows whose residue is shorter than `tau_d`, unless they started their unit.

        `norm` is read back only where 1 − ‖V_k h‖² says that some may be.
        """
        near = []
        for r, row in enumerate(self.unit):
            for i, k in enumerate(row):
                if k >= 0 and not self.fresh[r][i] and 1 - self.shadow[r][i] ** 2 < tau_d**2 + 1e-3:
                    near.append((r, i))
        if near:
            lengths = norm.unflatten(0, (len(self.unit), -1)).tolist()
            for r, i in near:
                if lengths[r][i] < tau_d:
                    self.going[r][i] = False

    def onwards(self) -> Int[np.ndarray, "rows"]:
        """For every row, replica · M + the unit that it now goes through, or -1."""
        M = self.bases.V.shape[1]
        self.ran = [
            k + r * M if going else -1
            for r, row in enumerate(zip(self.unit, self.going, strict=True))
            for k, going in zip(*row, strict=True)
        ]
        return np.array(self.ran)


Work = Sequence[tuple[Callable[[Level, int, int], int | None], Level]]


def scan(work: Work) -> None:
    """Row by row, the work in the order given; all levels in it learn of a basis that changes."""
    if not work:
        return
    for r, row in enumerate(work[0][1].unit):
        for i in range(len(row)):
            for do, level in work:
                changed = do(level, r, i)
                if changed is not None and changed >= 0:
                    for _, other in work:
                        other.refresh(r, changed)


class Routes:
    """What the levels of a batch leave for the update of the weights."""

    def __init__(self, levels: Sequence[Level]):
        self.levels = levels

    def ran(self) -> list[tuple[int, int]]:
        """(replica, unit) of the units whose convolution ran for some sample."""
        M = self.levels[0].bases.V.shape[1]
        return [divmod(k, M) for k in sorted({k for level in self.levels for k in level.ran if k >= 0})]

    def uses(self) -> Int[Tensor, "S M"]:
        """How often each unit was selected."""
        S, M = self.levels[0].bases.V.shape[:2]
        counts = [0] * (S * M)
        for level in self.levels:
            for r, row in enumerate(level.unit):
                for k in row:
                    if k >= 0:
                        counts[r * M + k] += 1
        return torch.tensor(counts).view(S, M)

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
