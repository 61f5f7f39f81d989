"""Figures 2 to 4 of Berjaoui (2020, ICLR version): a first task over time, drops and first accuracies, use of units."""

from collections.abc import Mapping
from textwrap import fill

import matplotlib as mpl
import numpy as np
import pandas as pd

from unforget.results.figures.base import COLOURS, INK, QUIET, STYLE, Plot, canvas, tiles


def first_task(stages: pd.DataFrame, printed: pd.DataFrame) -> Plot | None:
    """Accuracy on the first task after each task, solid, and over all images seen, dotted; a thin line for each seed.

    Methods that the paper prints stand in the first row, the others below them, the stablest first. A row of panels has one
    axis, which begins below its lowest number.
    `stages` and `printed` are frames of `unforget.results.hrn.sequences`; the paper's two numbers for the first task, right after
    it and at the end, are diamonds.
    """
    if stages.empty:
        return None
    names = list(dict.fromkeys(stages.row))
    theirs = [name for name in names if name in set(printed.row)]
    lowest = stages.groupby("row")["first task"].min()
    others = sorted((name for name in names if name not in theirs), key=lambda name: -lowest[name])
    columns = min(4, max(len(theirs), len(others)))
    lines = [group[i : i + columns] for group in (theirs, others) for i in range(0, len(group), columns)]
    with mpl.rc_context(STYLE):
        figure, axes = canvas(len(lines), columns, 1.95 * columns, 1.75 * len(lines), sharex=True, sharey="row")
        words = []
        shown = [(axis, name) for line, group in zip(axes, lines, strict=True) for axis, name in zip(line, group, strict=False)]
        for axis, name in shown:
            own = stages[stages.row == name]
            for _, seed in own.groupby("seed"):
                axis.plot(seed.after, seed["first task"], lw=0.6, alpha=0.5, color=COLOURS[0])
            mean = own.groupby("after")[["first task", "all images"]].mean()
            axis.plot(mean.index, mean["first task"], lw=1.8, color=COLOURS[0])
            axis.plot(mean.index, mean["all images"], lw=1.2, ls=":", color=INK)
            theirs = printed[(printed.row == name) & (printed.task == own.after.min())]
            for line in theirs.itertuples():
                ends = (printed.task.min(), printed.task.max())
                axis.scatter(ends, (line.first, line.final), marker="D", s=22, facecolor="none", edgecolor=COLOURS[3], zorder=3)
            axis.set_title(fill(name, 24), fontsize=8)
            axis.set_xticks(sorted(set(stages.after)))
            axis.tick_params(labelbottom=True)
            one, every = mean["first task"], mean["all images"].iloc[-1]
            words.append(f"{name}: first task {one.iloc[0]:.1f} % after its training, {one.iloc[-1]:.1f} % at the end, "
                         f"all images then {every:.1f} %")  # fmt: skip
        for line, group in zip(axes, lines, strict=True):
            values = stages[stages.row.isin(group)][["first task", "all images"]].to_numpy()
            ends = printed[printed.row.isin(group) & (printed.task == stages.after.min())][["first", "final"]].to_numpy()
            line[0].set_ylim(*_limits(min(values.min(), ends.min() if len(ends) else 100)))
            for axis in line[len(group) :]:
                axis.axis("off")
        figure.supxlabel("after task", size=9)
        figure.supylabel("accuracy in %", size=9)
    return Plot(figure, f"Accuracy on the first task after each task, by method. {'; '.join(words)}.", stages)


def drops(accuracies: pd.DataFrame) -> Plot | None:
    """How much of each task is lost by the end (above, bars), and its accuracy right after its training (below, dashes on an
    axis that begins below the lowest of them, since bars from zero would look alike).

    `accuracies` has the columns row, task, first, final, and, for runs, seed: bars and dashes are means, dots seeds.
    """
    if accuracies.empty:
        return None
    last = accuracies.task.max()
    data = accuracies.assign(drop=accuracies["first"] - accuracies.final)
    names, tasks = list(dict.fromkeys(data.row)), sorted(set(data.task))
    width = 0.8 / len(names)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(2, 1, max(4.5, 1.2 + 0.6 * len(tasks)), 3.8, sharex=True)
        words = []
        for axis, value, label in zip(axes[:, 0], ("drop", "first"), ("drop in points", "first accuracy in %"), strict=True):
            for i, name in enumerate(names):
                own = data[(data.row == name) & ((value == "first") | (data.task < last))]
                mean = own.groupby("task")[value].mean()
                place = {task: tasks.index(task) + (i - (len(names) - 1) / 2) * width for task in tasks}
                places, colour = np.array([place[t] for t in mean.index]), COLOURS[i % len(COLOURS)]
                if value == "drop":
                    axis.bar(places, mean, width, color=colour, label=name, alpha=0.85)
                else:
                    axis.hlines(mean, places - 0.45 * width, places + 0.45 * width, color=colour, lw=2.5)
                if "seed" in own:
                    axis.scatter(own.task.map(place), own[value], s=4, color=INK, lw=0, zorder=3)
                listed = ", ".join(f"T{task} {number:.1f}" for task, number in mean.items())
                words.append(f"{name} {label}: {listed or 'none'}")
            axis.set(ylabel=label, xticks=range(len(tasks)), xticklabels=[f"T{t}" for t in tasks])
            axis.tick_params(labelbottom=True)
        axes[0, 0].axhline(0, lw=0.6, color=QUIET)
        axes[1, 0].set_ylim(*_limits(data["first"].min()))
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(names), fontsize=8)
    return Plot(figure, f"Bars above, dashes below. {'; '.join(words)}.", data)


def _limits(lowest: float) -> tuple[float, float]:
    """Limits of an axis of accuracies in percent up to 100, for what is shown from `lowest` on."""
    room = 100 - lowest
    return max(-2.0, lowest - max(0.08 * room, 0.1)), 100 + max(0.04 * room, 0.05)


def unit_usage(shares: Mapping[str, np.ndarray], first: int = 0) -> Plot | None:
    """Each unit's share of all selections [task, unit] in percent, one panel per title; `first` is the first task's number."""
    if not shares:
        return None
    tasks, units = (max(share.shape[axis] for share in shares.values()) for axis in (0, 1))
    with mpl.rc_context(STYLE):
        figure, axes = tiles(len(shares), 3, 0.9 + 0.34 * units, 0.9 + 0.26 * tasks)
        lines, words = [], []
        for axis, (title, share) in zip(axes, shares.items(), strict=True):
            axis.imshow(share, cmap="cividis", vmin=0, vmax=100, aspect="auto")
            for (i, j), cell in np.ndenumerate(share):
                axis.text(j, i, f"{cell:.0f}", ha="center", va="center", size=7, color="white" if cell < 55 else "black")
                lines.append((title, first + i, j, cell))
            axis.set(title=title, xticks=range(share.shape[1]), xticklabels=[f"U{k}" for k in range(share.shape[1])],
                     yticks=range(len(share)), yticklabels=[f"T{first + t}" for t in range(len(share))])  # fmt: skip
            axis.tick_params(length=0, labelsize=7)
            mean = share.mean(0)
            listed = ", ".join(f"U{k} {value:.0f} %" for k, value in enumerate(mean))
            words.append(f"{title}, mean over tasks: {listed}")
    data = pd.DataFrame(lines, columns=["panel", "task", "unit", "percent"])
    return Plot(figure, f"Share of use per unit and task. {'; '.join(words)}.", data)
