"""Images on their way through a hash-routed network (Figure 1), and what selections did to its bases."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from torch import Tensor

from unforget.results.figures.base import COLOURS, QUIET, STYLE, Plot, canvas
from unforget.theory.routing import FIRST, FURTHER, REPLACED, Event, Stop
from unforget.words import count


def routes(walks: Mapping[str, Sequence[Stop]]) -> Plot:
    """One row per image: its map at each level (mean over channels), ‖V_k h‖ of every unit, the chosen one dark, and below
    them a strip of three lines: the hash h, its projection V_kᵀ V_k h on the chosen basis, and the residue r, on one scale
    for the whole figure.
    """
    levels = max(len(walk) for walk in walks.values())
    units = len(next(iter(walks.values()))[0].norms)
    top = max(float(stop.h.abs().max()) for walk in walks.values() for stop in walk)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(
            2 * len(walks), 2 * levels, 3.1 * levels, 2.2 * len(walks), height_ratios=[1.25, 0.8] * len(walks)
        )
        rows, words = [], []
        for line, below, (name, walk) in zip(axes[::2], axes[1::2], walks.items(), strict=True):
            for axis in (*line, *below):
                axis.set(xticks=[], yticks=[])
            line[0].set_ylabel(name)
            said = []
            for level, stop in enumerate(walk):
                line[2 * level].imshow(stop.y.mean(0).numpy(), cmap="gray_r")
                bars, norms = line[2 * level + 1], np.nan_to_num(stop.norms)
                bars.bar(range(units), norms, color=[COLOURS[0] if k == stop.unit else "#c8c8c8" for k in range(units)])
                bars.set(ylim=(0, 1.05), yticks=[0, 1])
                bars.set_xticks(range(units), labels=[f"U{k}" for k in range(units)])
                parts = {"h": stop.h, "projection": stop.h - stop.r, "residue": stop.r}
                _strip(below[2 * level : 2 * level + 2], parts, level, top)
                rows += [(name, level, "norm", k, stop.norms[k], k == stop.unit) for k in range(units)]
                rows += [(name, level, what, i, x, False) for what, v in parts.items() for i, x in enumerate(v.tolist())]
                largest = ", ".join(f"{what} {float(v.abs().max()):.2f}" for what, v in parts.items())
                said.append(f"U{stop.unit} ({stop.norms[stop.unit]:.2f} of its hash on the basis, residue {stop.r.norm():.2f}; "
                            f"largest entries: {largest})")  # fmt: skip
            for axis in (*line[2 * len(walk) :], *below[2 * len(walk) :]):
                axis.axis("off")
            words.append(f"{name}: {', then '.join(said)}")
        for level in range(levels):
            axes[0, 2 * level].set_title("image" if level == 0 else f"map $y_{level}$")
            axes[0, 2 * level + 1].set_title(f"$\\Vert V_k h_{level} \\Vert$")
    data = pd.DataFrame(rows, columns=["image", "level", "what", "unit or entry", "value", "chosen"])
    return Plot(figure, f"Routes of {len(walks)} images. {'; '.join(words)}.", data)


def _strip(axes: Sequence[Axes], parts: Mapping[str, Tensor], level: int, top: float) -> None:
    """The parts of a hash as lines of a picture over the place of these axes: blue −top, white 0, red top."""
    place, figure = axes[0].get_gridspec()[axes[0].get_subplotspec().rowspan.start, slice(*_columns(axes))], axes[0].figure
    for axis in axes:
        axis.remove()
    strip = figure.add_subplot(place)
    _signed(strip, torch.stack(list(parts.values())), top, aspect="auto")
    strip.set(xticks=[])
    strip.set_yticks(range(len(parts)), labels=[f"$h_{level}$", f"$V^\\top V h_{level}$", f"$r_{level}$"])
    strip.tick_params(length=0, labelsize=6.5)


def _columns(axes: Sequence[Axes]) -> tuple[int, int]:
    return axes[0].get_subplotspec().colspan.start, axes[-1].get_subplotspec().colspan.stop


def bases(vectors: Tensor, templates: Tensor) -> Plot:
    """One row per unit: for each vector of its basis, what it looks for in an image (mean over channels), and at the right the
    vectors themselves, number by number. Blue is below zero, red above; every panel has a scale of its own.

    `vectors` [M, m, s], zero where the basis is not full; `templates` [M, m, C, H, W] (`unforget.theory.routing.templates`).
    """
    M, m, _ = vectors.shape
    with mpl.rc_context(STYLE):
        figure, axes = canvas(M, m + 1, 1.3 * m + 3.2, 1.35 * M, width_ratios=[1] * m + [2.4])
        rows, said = [], []
        for k, line in enumerate(axes):
            held = int((vectors[k].abs().amax(1) > 0).sum())
            for j, axis in enumerate(line):
                axis.set(xticks=[], yticks=[])
                if j < held:
                    _signed(axis, templates[k, j].mean(0))
                elif j < m or not held:
                    axis.axis("off")
            if held:
                _signed(line[-1], vectors[k, :held], aspect="auto")
                line[-1].set_yticks(range(held), labels=[f"{j + 1}" for j in range(held)])
                line[0].set_ylabel(f"U{k}")
            rows += [(f"U{k}", j + 1, i, x) for j in range(held) for i, x in enumerate(vectors[k, j].tolist())]
            said.append(f"U{k}: {count(held, 'vector')}")
        for j in range(m):
            axes[0, j].set_title(f"vector {j + 1}")
        axes[0, -1].set_title(f"$V_k$, {vectors.shape[2]} numbers each")
    return Plot(figure, f"Bases of {count(M, 'unit')}. {'; '.join(said)}.", pd.DataFrame(rows, columns=["unit", "vector", "entry", "value"]))


def _signed(axis: Axes, values: Tensor, top: float = 0.0, aspect: str = "equal") -> None:
    """Numbers as a picture: blue −top, white 0, red top (by default the largest of them)."""
    top = top or float(values.abs().max())
    axis.imshow(values.numpy(), cmap="RdBu_r", vmin=-top, vmax=top, aspect=aspect, interpolation="nearest")


def basis_events(events: Sequence[Event], steps: int, units: int) -> Plot:
    """When each unit's basis got its first vector, grew and had a vector replaced; one line per unit."""
    marks = {FIRST: ("o", COLOURS[2]), FURTHER: ("^", COLOURS[1]), REPLACED: ("|", COLOURS[0])}
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, 1, 5.6, 0.7 + 0.35 * units)
        axis = axes[0, 0]
        axis.hlines(range(units), 0, steps, color=QUIET, lw=0.5)
        for kind, (mark, colour) in marks.items():
            own = [event for event in events if event.kind == kind]
            axis.scatter([e.step + 1 for e in own], [e.unit for e in own], marker=mark, s=45, color=colour, label=kind, zorder=2)
        axis.set(xscale="log", xlabel="training step", ylim=(units - 0.5, -0.5))
        axis.set_yticks(range(units), labels=[f"U{k}" for k in range(units)])
        axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    words = []
    for unit in range(units):
        own = [event for event in events if event.unit == unit]
        number = {kind: sum(event.kind == kind for event in own) for kind in marks}
        last = f", the last at step {own[-1].step + 1}" if own else ""
        words.append(f"U{unit}: {number[FIRST]} first vector, {number[FURTHER]} expansions, {number[REPLACED]} replacements{last}")
    data = pd.DataFrame([(e.step + 1, e.unit, e.kind, e.slot) for e in events], columns=["step", "unit", "event", "vector"])
    return Plot(figure, f"Changes of bases in {steps} steps. {'; '.join(words)}.", data)
