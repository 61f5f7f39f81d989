"""How scenarios differ in their outputs, and how an accuracy matrix is read."""

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle

from unforget.results.drawings.base import BLUE, INK, ORANGE, PALE, QUIET, Drawing, canvas

EXAMPLE = np.array([[97, np.nan, np.nan], [99, 96, np.nan], [58, 84, 95]])
"""Invented accuracies in percent, [after_task, on_task], for the worked example of `how-to-read`."""


def head_layouts(tasks: int = 5, classes: int = 2, training: int = 2) -> Drawing:
    """Which outputs compete in one softmax, per scenario, while task `training` (from 0) is trained and at test."""
    figure, axes = canvas(6.9, 3.55)
    outputs, size, left, right = tasks * classes, 0.2, 1.85, 4.45
    names = [str(i) for i in range(outputs)]
    own, seen = _span(training, classes), range((training + 1) * classes)
    pairs = [_span(t, classes) for t in range(tasks)]
    rows = (
        ("CL1", "task given", names, [own], [own]),
        ("CL2", "one head for all tasks", ["even", "odd"], [range(classes)], [range(classes)]),
        ("CL3, HNET+ENT", "one softmax per task,\nlowest entropy decides", names, [own], pairs),
        ("CL3, baselines", "one growing softmax", names, [seen], [range(outputs)]),
    )
    axes.text(left, 3.3, f"while task {training + 1} of {tasks} is trained", color=INK, weight="bold", va="center")
    axes.text(right, 3.3, f"at test, a digit of task {training + 1}", color=INK, weight="bold", va="center")
    for i, (name, note, labels, trained, offered) in enumerate(rows):
        y = 2.72 - 0.82 * i
        axes.text(0.1, y + 0.2, name, color=INK, weight="bold", va="center")
        axes.text(0.1, y + 0.06, note, color=INK, va="top", fontsize=8.5)
        for x, groups in ((left, trained), (right, offered)):
            _outputs(axes, x, y, size, labels, groups, gap_after=classes)
    return Drawing(
        figure,
        alt=(
            f"Output units of the classifier for {tasks} tasks of {classes} digits, in four rows. CL1: {outputs} outputs; "
            f"only the {classes} of task {training + 1} share a softmax, in training and at test. CL2: {classes} outputs, "
            f"always both in one softmax. CL3 with HNET+ENT: in training only the {classes} outputs of task "
            f"{training + 1}; at test {tasks} separate softmaxes, one per task. CL3 with the baselines: in training one "
            f"softmax over the {len(seen)} outputs seen so far; at test one over all {outputs}."
        ),
        caption=(
            "Heads of Split MNIST in the three scenarios. Filled outputs are in use; a frame holds the outputs that share "
            "one softmax. HNET has a network of this shape for every task, the baselines have one network in all."
        ),
    )


def accuracy_matrix() -> Drawing:
    """The worked example: rows after_task, columns on_task, diagonal and last row marked."""
    n, cell, x0, y0 = len(EXAMPLE), 0.52, 1.3, 0.15
    figure, axes = canvas(4.7, 2.1)
    for after in range(n):
        y = y0 + (n - 1 - after) * cell
        axes.text(x0 - 0.15, y + cell / 2, f"after_task {after}", ha="right", va="center", color=INK)
        for on in range(n):
            value, x = EXAMPLE[after, on], x0 + on * cell
            known = np.isfinite(value)
            axes.add_patch(Rectangle((x, y), cell, cell, facecolor="white" if known else PALE, edgecolor=QUIET))
            axes.text(x + cell / 2, y + cell / 2, f"{value:.0f}" if known else "–", ha="center", va="center", color=INK)
    for on in range(n):
        axes.text(x0 + (on + 0.5) * cell, y0 + n * cell + 0.12, f"{on}", ha="center", color=INK)
        y = y0 + (n - 1 - on) * cell
        axes.add_patch(Rectangle((x0 + on * cell + 0.06, y + 0.06), cell - 0.12, cell - 0.12, fill=False, edgecolor=BLUE, lw=2))
    axes.text(x0 - 0.15, y0 + n * cell + 0.12, "on_task", ha="right", color=INK)
    axes.add_patch(Rectangle((x0 - 0.04, y0 - 0.04), n * cell + 0.08, cell + 0.08, fill=False, edgecolor=ORANGE, lw=2, ls="--"))
    edge = x0 + n * cell + 0.2
    axes.text(edge, y0 + 1.5 * cell, "during: the diagonal", color=BLUE, va="center")
    axes.text(edge, y0 + 0.5 * cell, "after: the last row", color=ORANGE, va="center")
    rows = "; ".join(
        f"after task {i} " + ", ".join(f"{v:.0f} on task {j}" for j, v in enumerate(row) if np.isfinite(v))
        for i, row in enumerate(EXAMPLE)
    )
    return Drawing(
        figure,
        alt=(
            f"An accuracy matrix with invented percentages, rows after_task, columns on_task: {rows}. Entries above the "
            "diagonal are empty. The diagonal is marked during, the last row after."
        ),
        caption="One seed's slice `acc[seed]` of an accuracy matrix. The numbers are invented.",
    )


def _span(task: int, classes: int) -> range:
    return range(task * classes, (task + 1) * classes)


def _outputs(axes, x: float, y: float, size: float, labels: list[str], groups: list[range], gap_after: int) -> None:
    """A row of output units from (x, y), a gap after each task; those in a group are filled and a frame holds the group."""
    width = 2.2 * size if len(labels) == gap_after else size
    left = [x + i * width + 0.09 * (i // gap_after) for i in range(len(labels))]
    for i, label in enumerate(labels):
        used = any(i in group for group in groups)
        axes.add_patch(Rectangle((left[i], y), 0.9 * width, size, facecolor=BLUE if used else PALE, edgecolor="none"))
        axes.text(
            left[i] + 0.45 * width, y + size / 2, label, ha="center", va="center_baseline",
            fontsize=9, color="white" if used else QUIET,
        )  # fmt: skip
    for group in groups:
        start, end = left[group[0]] - 0.035, left[group[-1]] + 0.9 * width + 0.035
        frame = FancyBboxPatch(
            (start, y - 0.04), end - start, size + 0.08, boxstyle="round,pad=0,rounding_size=0.05",
            fill=False, edgecolor=ORANGE, lw=1.4,
        )  # fmt: skip
        axes.add_patch(frame)
