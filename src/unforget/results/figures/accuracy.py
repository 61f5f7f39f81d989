"""Accuracies of seeds and tasks, and where task inference goes wrong."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns

from unforget.results.figures.base import COLOURS, STYLE, Plot, canvas


def seeds(values: pd.DataFrame, value: str, by: str, panel: str, printed: Mapping | None = None, log: bool = False) -> Plot | None:
    """Every seed as a dot, one row per `by`, one panel per `panel`; printed means as diamonds where `printed` has one.

    `printed` maps (panel, by) to the paper's number.
    """
    if values.empty:
        return None
    printed, names, panels = printed or {}, list(dict.fromkeys(values[by])), list(dict.fromkeys(values[panel]))
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, len(panels), 2.5 * len(panels), 0.9 + 0.28 * len(names), sharey=True)
        words = []
        for axis, title in zip(axes[0], panels, strict=True):
            part = values[values[panel] == title]
            for i, name in enumerate(names):
                dots = part[part[by] == name][value].to_numpy()
                if len(dots):
                    spread = np.linspace(-0.18, 0.18, len(dots)) if len(dots) > 1 else [0]
                    axis.scatter(dots, i + np.array(spread), s=9, color=COLOURS[0], alpha=0.7, lw=0)
                    middle = np.median(dots)
                    words.append(f"{title} {name} median {middle:.4g} (from {dots.min():.4g} to {dots.max():.4g})")
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
    columns = min(len(matrices), 4)
    rows = -(-len(matrices) // columns)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(rows, columns, 1.85 * columns, 2.15 * rows)
        figure.get_layout_engine().set(h_pad=0.12)
        lines, words = [], []
        for axis, (title, accuracy) in zip(axes.flat, matrices.items(), strict=False):
            mean = 100 * np.ma.masked_invalid(accuracy).mean(0).filled(np.nan)  # later tasks have no score yet
            tasks = mean.shape[1]
            axis.imshow(mean, cmap="cividis", vmin=0, vmax=100, aspect="equal")
            for (i, j), cell in np.ndenumerate(mean):
                if not np.isnan(cell):
                    dark = cell < 55
                    axis.text(j, i, f"{cell:.0f}", ha="center", va="center", size=7, color="white" if dark else "black")
                    lines.append((title, i + 1, j + 1, cell))
            axis.set(title=title, xticks=range(tasks), yticks=range(len(mean)), xlabel="on task", ylabel="after stage")
            axis.set_xticklabels(range(1, tasks + 1))
            axis.set_yticklabels(range(1, len(mean) + 1))
            axis.tick_params(length=0)
            sns.despine(ax=axis, left=True, bottom=True)
            words.append(f"{title}: task 1 ends at {mean[-1, 0]:.0f} %, the last task at {mean[-1, -1]:.0f} %")
        for axis in axes.flat[len(matrices) :]:
            axis.axis("off")
    data = pd.DataFrame(lines, columns=["method", "after_stage", "on_task", "accuracy"])
    return Plot(figure, f"Accuracy matrices. {'; '.join(words)}.", data)


def task_confusions(counts: Mapping[str, np.ndarray]) -> Plot | None:
    """Share of each true task's test images (rows) assigned to each task (columns), mean over seeds [S, T, T]."""
    if not counts:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, len(counts), 2.6 * len(counts), 2.6)
        lines, words = [], []
        for axis, (title, count) in zip(axes[0], counts.items(), strict=True):
            share = (100 * count / count.sum(-1, keepdims=True)).mean(0)
            axis.imshow(share, cmap="cividis", vmin=0, vmax=100)
            for (i, j), cell in np.ndenumerate(share):
                axis.text(j, i, f"{cell:.0f}", ha="center", va="center", size=7, color="white" if cell < 55 else "black")
                lines.append((title, i + 1, j + 1, cell))
            ticks = range(1, len(share) + 1)
            axis.set(title=title, xlabel="inferred task", ylabel="true task", xticks=range(len(share)),
                     yticks=range(len(share)), xticklabels=ticks, yticklabels=ticks)  # fmt: skip
            axis.tick_params(length=0)
            right = ", ".join(f"{share[t, t]:.0f} %" for t in range(len(share)))
            words.append(f"{title}: inferred rightly per true task {right}")
    data = pd.DataFrame(lines, columns=["panel", "true task", "inferred task", "percent"])
    return Plot(figure, f"Task inference. {'; '.join(words)}.", data)
