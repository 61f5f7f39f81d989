"""Figures about sizes: accuracy against the share of weights that are trained (Fig. 3b, A7), error against size (Prop. 1)."""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib as mpl
import pandas as pd

from unforget.results.figures.base import COLOURS, INK, STYLE, Plot, canvas
from unforget.words import count

MARKS = ({"marker": "o", "ls": "-"}, {"marker": "s", "ls": "--"}, {"marker": "^", "ls": ":"}, {"marker": "D", "ls": "-."})


def compression(points: pd.DataFrame) -> Plot | None:
    """Accuracy against compression ratio, one line per metric, mean ± standard error over seeds.

    Columns: ratio, metric, seed, accuracy in percent.
    """
    if points.empty:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, 1, 4.2, 2.7)
        axis, words = axes[0, 0], []
        for style, colour, (name, part) in zip(MARKS, COLOURS, points.groupby("metric", sort=False), strict=False):
            groups = part.groupby("ratio").accuracy
            mean, error = groups.mean(), groups.sem().fillna(0.0)
            axis.errorbar(mean.index, mean, error, label=name, color=colour, ms=4, lw=1.3, capsize=2, **style)
            words.append(f"{name}: " + ", ".join(f"{y:.1f} % at {x:.2f}" for x, y in mean.items()))
        _ratio_axis(axis, points.ratio)
        axis.set_ylabel("accuracy in %")
        axis.legend()
    return Plot(figure, f"Accuracy against trained over generated weights. {'; '.join(words)}.", points)


def architectures(nets: pd.DataFrame, edges: Sequence[float]) -> Plot | None:
    """One dot per architecture, and mean ± standard deviation of each bin of the ratio; one panel per benchmark.

    Columns: panel, architecture, ratio, accuracy in percent (mean over seeds).
    """
    if nets.empty:
        return None
    panels = list(dict.fromkeys(nets.panel))
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, len(panels), 3.1 * len(panels), 2.7)
        words = []
        for axis, title in zip(axes[0], panels, strict=True):
            part = nets[nets.panel == title]
            axis.scatter(part.ratio, part.accuracy, s=12, color=COLOURS[0], alpha=0.7, lw=0)
            for low, high in pairwise(edges):
                own = part[(part.ratio >= low) & (part.ratio < high)].accuracy
                if len(own):
                    spread = own.std(ddof=1) if len(own) > 1 else 0.0
                    axis.errorbar((low * high) ** 0.5, own.mean(), spread, color=INK, marker="_", ms=9, capsize=3, lw=1.2)
                    words.append(f"{title}, ratio {low:g} to {high:g}: {own.mean():.1f} ± {spread:.1f} % ({len(own)})")
            _ratio_axis(axis, part.ratio)
            axis.set(title=title)
        axes[0, 0].set_ylabel("accuracy in %")
    return Plot(figure, f"Accuracy of random hypernetworks. {'; '.join(words)}.", nets)


def approximation(errors: pd.DataFrame) -> Plot:
    """Largest error against number of parameters, one line per number of chunks. Columns: chunks, parameters, error."""
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, 1, 4.2, 2.7)
        axis, words = axes[0, 0], []
        for style, colour, (chunks, part) in zip(MARKS, COLOURS, errors.groupby("chunks"), strict=False):
            label = count(chunks, "chunk")
            axis.plot(part.parameters, part.error, label=label, color=colour, ms=4, lw=1.3, **style)
            first, last = part.iloc[0], part.iloc[-1]
            words.append(f"{label}: from {first.error:.2g} with {first.parameters:,.0f} parameters "
                         f"to {last.error:.2g} with {last.parameters:,.0f}")  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel="parameters", ylabel="largest error")
        axis.legend()
    return Plot(figure, f"Largest error of chunked networks. {'; '.join(words)}.", errors)


def _ratio_axis(axis, ratios: pd.Series) -> None:
    ticks = [tick for tick in (0.01, 0.03, 0.1, 0.3, 1.0, 2.0) if ratios.min() / 1.6 <= tick <= 1.6 * ratios.max()]
    axis.set(xscale="log", xlabel="trained weights over generated weights")
    axis.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
