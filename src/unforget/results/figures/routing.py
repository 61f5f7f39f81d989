"""Images on their way through a hash-routed network (Figure 1), and what selections did to its bases."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd

from unforget.results.figures.base import COLOURS, QUIET, STYLE, Plot, canvas
from unforget.theory.routing import FIRST, FURTHER, REPLACED, Event, Stop


def routes(walks: Mapping[str, Sequence[Stop]]) -> Plot:
    """One row per image: its map at each level (mean over channels), and ‖V_k h‖ of every unit, the chosen one dark."""
    levels = max(len(walk) for walk in walks.values())
    units = len(next(iter(walks.values()))[0].norms)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(len(walks), 2 * levels, 3.1 * levels, 1.25 * len(walks))
        rows, words = [], []
        for line, (name, walk) in zip(axes, walks.items(), strict=True):
            for axis in line:
                axis.set(xticks=[], yticks=[])
            line[0].set_ylabel(name)
            for level, stop in enumerate(walk):
                line[2 * level].imshow(stop.y.mean(0).numpy(), cmap="gray_r")
                bars, norms = line[2 * level + 1], np.nan_to_num(stop.norms)
                bars.bar(range(units), norms, color=[COLOURS[0] if k == stop.unit else "#c8c8c8" for k in range(units)])
                bars.set(ylim=(0, 1.05), yticks=[0, 1])
                bars.set_xticks(range(units), labels=[f"U{k}" for k in range(units)])
                rows += [(name, level, k, stop.norms[k], k == stop.unit, float(stop.r.norm())) for k in range(units)]
            for axis in line[2 * len(walk) :]:
                axis.axis("off")
            said = [f"U{stop.unit} ({stop.norms[stop.unit]:.2f} of its hash on the basis, residue {stop.r.norm():.2f})" for stop in walk]
            words.append(f"{name}: {', then '.join(said)}")
        for level in range(levels):
            axes[0, 2 * level].set_title("image" if level == 0 else f"map $y_{level}$")
            axes[0, 2 * level + 1].set_title(f"$\\Vert V_k h_{level} \\Vert$")
    data = pd.DataFrame(rows, columns=["image", "level", "unit", "projection", "chosen", "residue"])
    return Plot(figure, f"Routes of {len(walks)} images. {'; '.join(words)}.", data)


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
