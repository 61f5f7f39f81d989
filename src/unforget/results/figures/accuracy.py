"""Accuracies of seeds and tasks, and where task inference goes wrong."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.patches import Rectangle

from unforget.results.figures.base import COLOURS, STYLE, Plot, canvas, tiles


def seeds(values: pd.DataFrame, value: str, by: str, panel: str, printed: Mapping | None = None, log: bool = False) -> Plot | None:
    """Every seed as a dot, one row per `by`, one panel per `panel`; printed means as diamonds where `printed` has one.

    `printed` maps (panel, by) to the paper's number.
    """
    if values.empty:
        return None
    printed, names, panels = printed or {}, list(dict.fromkeys(values[by])), list(dict.fromkeys(values[panel]))
    width = max(2.5 * len(panels), 1.9 * len(panels) + 0.065 * max(map(len, names)))  # long names take their own room
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, len(panels), width, 0.9 + 0.28 * len(names), sharey=True)
        words = []
        for axis, title in zip(axes[0], panels, strict=True):
            part = values[values[panel] == title]
            for i, name in enumerate(names):
                dots = part[part[by] == name][value].to_numpy()
                if len(dots):
                    several = len(dots) > 1
                    beside = np.linspace(-0.18, 0.18, len(dots)) if several else np.zeros(1)
                    axis.scatter(dots, i + beside, s=9, color=COLOURS[0], alpha=0.7, lw=0)
                    spread = f"median {np.median(dots):.4g} (from {dots.min():.4g} to {dots.max():.4g})"
                    words.append(f"{title} {name} {spread if several else f'{dots[0]:.4g}'}")
                if (title, name) in printed:
                    axis.scatter(printed[title, name], i, marker="D", s=26, facecolor="none", edgecolor=COLOURS[3])
            axis.set(title=title, yticks=range(len(names)), yticklabels=names)
            axis.set_ylim(len(names) - 0.5, -0.5)
            if log:
                axis.set_xscale("log")
        figure.supxlabel(value, size=9)
    return Plot(figure, f"One dot per seed of {value}. {'; '.join(words)}.", values)


def accuracy_matrices(matrices: Mapping[str, np.ndarray]) -> Plot | None:
    """Mean accuracy in percent, after which task (rows) on which task (columns), one panel per method."""
    if not matrices:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = tiles(len(matrices), 4, 1.85, 2.15)
        figure.get_layout_engine().set(h_pad=0.12)
        lines, words = [], []
        for axis, (title, accuracy) in zip(axes, matrices.items(), strict=True):
            mean = 100 * np.ma.masked_invalid(accuracy).mean(0).filled(np.nan)  # later tasks have no score yet
            cells = _grid(axis, mean, title=title, xlabel="on task", ylabel="after stage")
            lines += [(title, *cell) for cell in cells]
            words.append(f"{title}: task 1 ends at {mean[-1, 0]:.0f} %, the last task at {mean[-1, -1]:.0f} %")
    data = pd.DataFrame(lines, columns=["method", "after_stage", "on_task", "accuracy"])
    return Plot(figure, f"Accuracy matrices. {'; '.join(words)}.", data)


def task_confusions(counts: Mapping[str, np.ndarray]) -> Plot | None:
    """Share of each true task's test images (rows) assigned to each task (columns), mean over seeds of counts [S, T, T]."""
    return _confusions(counts, "task", "inferred", first=1, most=3, side=2.6)


def class_confusions(counts: Mapping[str, np.ndarray]) -> Plot | None:
    """Share of each true class's test images (rows) taken for each class (columns), mean over seeds of counts [S, C, C]."""
    return _confusions(counts, "class", "predicted", first=0, most=2, side=3.9)


def _confusions(counts: Mapping[str, np.ndarray], what: str, how: str, first: int, most: int, side: float) -> Plot | None:
    """`how` an answer comes about, the number of the `first` task or class; at most so many panels in a row, their side in inches."""
    if not counts:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = tiles(len(counts), most, side, side)
        lines, said = [], []
        for axis, (title, count) in zip(axes, counts.items(), strict=True):
            share = (100 * count / count.sum(-1, keepdims=True)).mean(0)
            cells = _grid(axis, share, first=first, title=title, xlabel=f"{how} {what}", ylabel=f"true {what}")
            lines += [(title, *cell) for cell in cells]
            said.append(f"{title}: {how} rightly per true {what} {', '.join(f'{x:.0f} %' for x in share.diagonal())}")
    data = pd.DataFrame(lines, columns=["panel", f"true {what}", f"{how} {what}", "percent"])
    return Plot(figure, f"The {what} {how}. {'; '.join(said)}.", data)


def certainties(values: Mapping[str, np.ndarray]) -> Plot | None:
    """Mean entropy, and below it mean range of the logits, of every task's network (columns) on images of every true task
    (rows), mean over seeds of the probe "certainty" [S, T, 2, T]. Framed: the network of least mean entropy."""
    if not values:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = canvas(2, len(values), 2.6 * len(values), 5.2)
        lines, words = [], []
        for column, (title, value) in zip(axes.T, values.items(), strict=True):
            grids = dict(zip(("entropy in nats", "range of logits"), value.mean(0).swapaxes(0, 1), strict=True))
            for axis, (kind, grid) in zip(column, grids.items(), strict=True):
                cells = _grid(axis, grid, grid.max(), ".2g", title=f"{title}: {kind}", xlabel="network of task", ylabel="true task")
                lines += [(title, kind, *cell) for cell in cells]
            entropy = grids["entropy in nats"]
            for i, j in enumerate(entropy.argmin(1)):
                column[0].add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=COLOURS[3], lw=1.5))
            own, others = entropy.diagonal(), entropy[~np.eye(len(entropy), dtype=bool)]
            words.append(f"{title}: mean entropy of the right network {own.mean():.2g}, of the others {others.mean():.2g}")
    data = pd.DataFrame(lines, columns=["panel", "value", "true task", "network of task", "mean"])
    return Plot(figure, f"Certainty of networks. {'; '.join(words)}.", data)


def _grid(
    axis, values: np.ndarray, top: float = 100.0, form: str = ".0f", first: int = 1, **labels: str
) -> list[tuple[int, int, float]]:
    """A number in every cell that has one, coloured from 0 to `top`; returns (row, column, number), counted from `first`."""
    axis.imshow(values, cmap="cividis", vmin=0, vmax=top, aspect="equal")
    cells = [(i + first, j + first, cell) for (i, j), cell in np.ndenumerate(values) if not np.isnan(cell)]
    for i, j, cell in cells:
        colour = "white" if cell < 0.55 * top else "black"
        axis.text(j - first, i - first, format(cell, form), ha="center", va="center", size=7, color=colour)
    for along, number in (("y", values.shape[0]), ("x", values.shape[1])):
        axis.set(**{f"{along}ticks": range(number), f"{along}ticklabels": range(first, first + number)})
    axis.set(**labels)
    axis.tick_params(length=0)
    sns.despine(ax=axis, left=True, bottom=True)
    return cells
