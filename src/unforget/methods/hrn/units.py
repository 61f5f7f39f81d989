"""All units of all replicas: their weights, hash functions and growth, and running many rows through them at once."""

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
from torch import Tensor

from unforget import random
from unforget.methods.hrn.bases import ABSENT, Bases
from unforget.nets import hashing
from unforget.nets.units import Kind, advance_running

Maps = list[Tensor]
"""Feature maps of a level: tensors [n, C, H, W], one for each shape or origin."""
Places = tuple[np.ndarray, np.ndarray]
"""For every row (replica · B + sample) of a level, which of the maps is its own: numbers of tensors, and places in them."""


def first_places(rows: int) -> Places:
    """Of rows that lie in one tensor, in their order."""
    return np.zeros(rows, dtype=np.int64), np.arange(rows)


class Units:
    """Slots [S, M]: weights "w" [S, M, size] and running statistics "running" [S, M, 2, F], padded to the largest."""

    def __init__(self, state: dict[str, Tensor], bases: Bases, kinds: tuple[Kind, ...], numbers: tuple[int, ...],
                 seeds: Int[Tensor, "S"], input_shape: tuple[int, ...], convolutions: int, like: Tensor):  # fmt: skip
        """`numbers` of units of each kind to begin with; `convolutions` a sample goes through at most."""
        self.state, self.bases, self.kinds, self.seeds, self.like = state, bases, kinds, seeds, like
        self.channels, self.size = input_shape[0], input_shape[1:]
        self.widest = max(kind.filters for kind in kinds)
        self.longest = self._longest_map(convolutions)
        self._tables = torch.empty(0, 0)
        first = torch.tensor([kind for kind, n in enumerate(numbers) for _ in range(n)])
        self._add(first.repeat(len(seeds), 1))

    def _longest_map(self, convolutions: int) -> int:
        """Numbers in the largest map that any route can make."""
        sizes, longest = {self.size}, 0
        for _ in range(convolutions):
            outputs = {(kind, kind.output(size)) for kind in self.kinds for size in sizes}
            sizes = {size for _, size in outputs if size}
            longest = max([longest, *(kind.filters * size[0] * size[1] for kind, size in outputs if size)])
        return longest

    # --- Growth ---------------------------------------------------------------------------------------------------

    def grow(self, more: Int[Tensor, "S"]) -> None:
        """So many new units for each replica, each of the kind of a group drawn at random, with fresh weights."""
        if not more.any():
            return
        have = (self.state["kind"].cpu() != ABSENT).sum(1)
        first, wanted = int(have.min()), have + more.cpu()
        columns = []
        for slot in range(first, int(wanted.max())):
            drawn = random.integers(self.seeds, f"architecture/{slot}", 0, (), len(self.kinds)).cpu()
            columns.append(torch.where((have <= slot) & (slot < wanted), drawn, ABSENT))
        self._add(torch.stack(columns, 1), first)

    def _add(self, kinds: Int[Tensor, "S new"], first: int = 0) -> None:
        """Slots first, first + 1, ... become empty units of these kinds (`ABSENT`: they stay as they are).

        What a unit is drawn from is named by its slot, which is its number within its replica.
        """
        S, like = len(kinds), self.like
        size = max(kind.layout(self.channels).size for kind in self.kinds)
        missing = first + kinds.shape[1] - (self.state["w"].shape[1] if "w" in self.state else 0)
        fresh = {
            "w": like.new_zeros(S, missing, size),
            "running": like.new_tensor([0.0, 1.0]).view(1, 1, 2, 1).repeat(S, missing, 1, self.widest),
        }
        for name, value in fresh.items():
            value = value.to(self.state.get(name, value).dtype)
            self.state[name] = torch.cat((self.state[name], value), 1) if name in self.state else value
        self.bases.add(S, missing, self.state["w"])
        for slot, column in enumerate(kinds.T, first):
            for number, kind in enumerate(self.kinds):
                own, weights = column == number, kind.initial(self.channels, self.seeds, f"unit {slot}")
                padded = F.pad(weights, (0, size - weights.shape[1])).to(self.state["w"])
                self.state["w"][own.to(like.device), slot] = padded[own.to(like.device)]
                self.state["kind"][own, slot] = number

    def tables(self) -> Int[Tensor, "SM n"]:
        """The slots of every unit's hash function, drawn again where units were added or a run was resumed."""
        S, M = self.state["w"].shape[:2]
        if len(self._tables) != S * M:
            o, longest = self.bases.options, self.longest
            drawn = [hashing.table(o.hash, self.seeds, f"unit {k}", k + 1, longest, o.s) for k in range(M)]
            self._tables = torch.stack(drawn, 1).flatten(0, 1)
        return self._tables

    def parameters(self) -> Int[Tensor, "S"]:
        """Number of weights per replica."""
        sizes = torch.tensor([kind.layout(self.channels).size for kind in self.kinds] + [0])  # [-1]: absent
        return sizes[self.state["kind"].cpu()].sum(1)

    # --- Running ----------------------------------------------------------------------------------------------------

    def unfit(self, maps: Maps, places: Places) -> Bool[np.ndarray, "rows M"] | None:
        """Units whose kernel does not fit the map of a row; None where all fit all."""
        wrong = np.array([[kind.output(tuple(x.shape[2:])) is None for kind in self.kinds] + [False] for x in maps])
        if not wrong.any():
            return None
        kinds = self.state["kind"].cpu().numpy()  # -1, absent: the last of `wrong`
        return wrong[places[0][:, None], kinds.repeat(len(places[0]) // len(kinds), 0)]

    def run(
        self, w: Tensor, maps: Maps, places: Places, units: Int[np.ndarray, "rows"], draws: Tensor | None, train: bool
    ) -> tuple[Maps, Places, Tensor, Tensor]:
        """f_k(y) and φ_k(f_k(y)) of every row n with k = units[n] (as replica · M + unit; -1: the row has stopped).

        Returns the next maps and places, normalised hash vectors [rows, s] and their lengths before that [rows]; both
        are 0 where a row has stopped. `draws` in [0, 1) [rows, chunks, F] decide on dropout of channels. Training
        normalises every row by its own statistics and moves the running ones.
        """
        kinds, s, device = self.state["kind"].flatten().cpu().numpy(), self.state["V"].shape[-1], w.device
        running = self.state["running"].flatten(0, 1)
        (source, index), going = places, np.flatnonzero(units >= 0)
        # Training: one batched product for all rows of a kind. Prediction: a convolution for each unit, which is faster
        # where many rows share one.
        same = kinds[units] if train else units
        group = source * (same.max() + 1) + same
        order = going[np.lexsort((units[going], group[going]))]
        outputs, hashes, found, following = [], [], [], (np.full_like(units, -1), np.full_like(units, -1))
        for start, stop in _runs(group[order]):
            rows = order[start:stop]
            own, at = units[rows], torch.from_numpy(index[rows]).to(device)
            first = int(own[0])
            kind, x = self.kinds[kinds[first]], maps[source[rows[0]]].index_select(0, at)
            size = kind.layout(self.channels).size
            if train:
                k, chunks, keep = torch.from_numpy(own).to(device), x.shape[1] // self.channels, None
                if draws is not None and kind.dropout:
                    keep = draws[torch.from_numpy(rows).to(device), :chunks, : kind.filters] >= kind.dropout
                y, statistics = kind.apply(w.index_select(0, k)[:, :size], x, self.channels, keep)
                if statistics is not None:
                    padded = F.pad(statistics.flatten(0, 1), (0, self.widest - kind.filters))
                    found.append((rows.repeat(chunks), k.repeat_interleave(chunks), padded))
            else:
                y = kind.infer(w[first, :size], x, self.channels, running[first, :, : kind.filters])
            following[0][rows], following[1][rows] = len(outputs), np.arange(len(rows))
            outputs.append(y)
            runs = [(int(own[a]), a, b) for a, b in _runs(own)]
            hashes.append(hashing.hashed(y.flatten(1), self.tables(), runs, s))
        if found:
            self._advance(running, found)
        back = np.full_like(units, len(order))
        back[order] = np.arange(len(order))
        stopped = w.new_zeros(1, s)
        every = torch.cat((*hashes, stopped)).index_select(0, torch.from_numpy(back).to(device))
        return outputs, following, *hashing.normalised(every)

    def _advance(self, running: Tensor, found: list[tuple[np.ndarray, Tensor, Tensor]]) -> None:
        """Move the running statistics as one sample after the other would."""
        units, statistics = torch.cat([k for _, k, _ in found]), torch.cat([f for *_, f in found])
        if len(found) > 1:  # rows of one unit may have come from several groups
            order = np.concatenate([rows for rows, *_ in found]).argsort(kind="stable")
            order = torch.from_numpy(order).to(units.device)
            units, statistics = units[order], statistics[order]
        advance_running(running, statistics, units)


def _runs(key: Int[np.ndarray, "n"]) -> list[tuple[int, int]]:
    """Where stretches of equal numbers begin and end."""
    changes = (np.flatnonzero(key[1:] != key[:-1]) + 1).tolist()
    return list(pairwise((0, *changes, len(key)))) if len(key) else []
