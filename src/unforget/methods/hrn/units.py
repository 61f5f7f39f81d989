"""All units of all replicas: their weights, hash functions and growth, and running many rows through them at once."""

from itertools import groupby, pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor

from unforget import random
from unforget.methods.hrn.bases import ABSENT, Bases
from unforget.nets import hashing
from unforget.nets.units import Kind, advance_running

Maps = list[Tensor]
"""Feature maps of a level: tensors [n, C, H, W], one for each shape or origin."""
Places = list[tuple[int, int]]
"""For every row (replica · B + sample) of a level, which of the maps is its own: (tensor, index)."""


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

    def unfit(self, maps: Maps, places: Places) -> list[list[int]] | None:
        """Units whose kernel does not fit the map of a row, for each row; None where all fit all."""
        M = self.state["kind"].shape[1]
        wrong = [[j for j, kind in enumerate(self.kinds) if kind.output(tuple(x.shape[2:])) is None] for x in maps]
        if not any(wrong):
            return None
        rows = len(places) // len(self.state["kind"])
        kinds = self.state["kind"].tolist()
        return [[k for k in range(M) if kinds[n // rows][k] in wrong[at]] for n, (at, _) in enumerate(places)]

    def run(
        self, w: Tensor, maps: Maps, places: Places, units: list[int], draws: Tensor | None, train: bool
    ) -> tuple[Maps, Places, Tensor, Tensor]:
        """f_k(y) and φ_k(f_k(y)) of every row n with k = units[n] (as replica · M + unit; -1: the row has stopped).

        Returns the next maps and places, normalised hash vectors [rows, s] and their lengths before that [rows]; both
        are 0 where a row has stopped. `draws` in [0, 1) [rows, chunks, F] decide on dropout of channels. Training
        normalises every row by its own statistics and moves the running ones.
        """
        kinds, s, device = self.state["kind"].flatten().tolist(), self.state["V"].shape[-1], w.device
        running = self.state["running"].flatten(0, 1)
        # Training: one batched product for all rows of a kind. Prediction: a convolution for each unit, which is faster
        # where many rows share one.
        same = (lambda n: (places[n][0], kinds[units[n]])) if train else (lambda n: (places[n][0], units[n]))
        going = sorted((n for n, k in enumerate(units) if k >= 0), key=lambda n: (same(n), units[n]))
        outputs, hashes, order, found = [], [], [], []
        next_places = [(-1, -1)] * len(units)
        for (source, _), group in groupby(going, key=same):
            rows = list(group)
            own, at = [units[n] for n in rows], torch.tensor([places[n][1] for n in rows], device=device)
            kind, x = self.kinds[kinds[own[0]]], maps[source][at]
            size = kind.layout(self.channels).size
            if train:
                k, chunks = torch.tensor(own, device=device), x.shape[1] // self.channels
                keep = None
                if draws is not None and kind.dropout:
                    keep = draws[torch.tensor(rows, device=device), :chunks, : kind.filters] >= kind.dropout
                y, statistics = kind.apply(w.index_select(0, k)[:, :size], x, self.channels, keep)
                if statistics is not None:
                    padded = F.pad(statistics.flatten(0, 1), (0, self.widest - kind.filters))
                    found.append((rows, k.repeat_interleave(chunks), padded))
            else:
                y = kind.infer(w[own[0], :size], x, self.channels, running[own[0], :, : kind.filters])
            for i, row in enumerate(rows):
                next_places[row] = (len(outputs), i)
            outputs.append(y)
            starts = [i for i in range(len(own)) if i == 0 or own[i] != own[i - 1]] + [len(own)]
            hashes.append(hashing.hashed(y.flatten(1), self.tables(), [(own[a], a, b) for a, b in pairwise(starts)], s))
            order += rows
        if found:
            self._advance(running, found)
        place = {row: i for i, row in enumerate(order)}
        back = torch.tensor([place.get(n, len(order)) for n in range(len(units))], device=device)
        stopped = w.new_zeros(1, s)
        h, length = hashing.normalised(torch.cat((*hashes, stopped)).index_select(0, back))
        return outputs, next_places, h, length

    def _advance(self, running: Tensor, found: list[tuple[list[int], Tensor, Tensor]]) -> None:
        """Move the running statistics as one sample after the other would."""
        units, statistics = torch.cat([k for _, k, _ in found]), torch.cat([f for *_, f in found])
        if len(found) > 1:  # rows of one unit may have come from several groups
            key = [row for rows, k, _ in found for row in rows for _ in range(len(k) // len(rows))]
            order = torch.tensor(sorted(range(len(key)), key=key.__getitem__), device=units.device)
            units, statistics = units[order], statistics[order]
        advance_running(running, statistics, units)
