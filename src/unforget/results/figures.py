"""Figures of the book, made from records: one quiet style, alt text made from the data, and the data beside the picture."""

import base64
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from unforget.data.files import project_root

STYLE = {
    **sns.axes_style("ticks"), "figure.facecolor": "white", "savefig.facecolor": "white", "font.family": "DejaVu Sans",
    "font.size": 9, "axes.titlesize": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False,
    "legend.frameon": False, "svg.hashsalt": "unforget", "svg.id": None,
}  # fmt: skip
COLOURS = sns.color_palette("colorblind")
INK, QUIET = "#222222", "#8a8a8a"


@dataclass(frozen=True)
class Plot:
    """A figure, what it shows in words (from the data), and the numbers behind it."""

    figure: Figure
    alt: str
    data: pd.DataFrame


@dataclass(frozen=True)
class Published:
    """A plot whose files are written: shown as a captioned figure in the book and as an image in Jupyter."""

    plot: Plot
    name: str
    caption: str
    image: bytes

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        label, files = f"fig-{self.name.replace('/', '-')}", f"/figures/{self.name}"
        myst = (
            f"```{{figure}} {files}.svg\n:name: {label}\n:alt: {self.plot.alt}\n\n{self.caption} "
            f"{{download}}`Vector file <{files}.svg>`, {{download}}`data <{files}.csv>`.\n```"
        )
        source = base64.b64encode(self.image).decode()
        html = f'<img alt="{self.plot.alt}" src="data:image/png;base64,{source}"><p>{self.caption}</p>'
        return {"text/markdown": myst, "text/html": html}


@dataclass(frozen=True)
class Missing:
    """Stands where a figure of recorded runs will be."""

    caption: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": f"```{{note}}\nNothing is recorded yet for this figure. {self.caption}\n```"}


def publish(plot: Plot | None, name: str, caption: str) -> Published | Missing:
    """Write `name`.svg and `name`.csv into $UNFORGET_FIGURES (default `_build/figures` of the project).

    `plot` is None where there are no runs to draw; a note then stands in its place.
    """
    if plot is None:
        return Missing(caption)
    folder = Path(os.environ.get("UNFORGET_FIGURES") or project_root() / "_build" / "figures")
    path = folder / f"{name}.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        plot.figure.savefig(path, metadata={"Date": None})
        buffer = io.BytesIO()
        plot.figure.savefig(buffer, format="png", dpi=80, metadata={"Software": None})
    plot.data.to_csv(path.with_suffix(".csv"), index=False, float_format="%.6g")
    return Published(plot, name, caption, buffer.getvalue())


def _canvas(rows: int, columns: int, width: float, height: float, **kwargs) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


def fitted_curves(panels: Mapping[str, np.ndarray], inputs: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> Plot | None:
    """Predictions [seed, task, point] per panel over the true curves; one thin line per seed, the median seed thick."""
    if not panels:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1, len(panels), 2.3 * len(panels), 2.4, sharey=True)
        rows, words = [], []
        for axis, (title, predictions) in zip(axes[0], panels.items(), strict=True):
            errors = np.stack([((predictions[:, t] - truth[t]) ** 2).mean(-1) for t in range(len(truth))], 1)
            middle = np.argsort(errors.mean(1))[len(errors) // 2]
            for t, (x, y) in enumerate(zip(inputs, truth, strict=True)):
                axis.plot(x, y, color=QUIET, lw=4, alpha=0.45, solid_capstyle="round")
                for s, line in enumerate(predictions[:, t]):
                    axis.plot(x, line, color=COLOURS[t], lw=1.6 if s == middle else 0.4, alpha=1 if s == middle else 0.5)
                rows += [(title, s, t + 1, float(a), float(b), float(c)) for s, line in enumerate(predictions[:, t])
                         for a, b, c in zip(x, line, y, strict=True)]  # fmt: skip
            axis.set(title=title, xlabel="x", ylim=(-4, 4))
            typical = ", ".join(f"{value:.2g}" for value in np.median(errors, 0))
            words.append(f"{title}: median squared error of the tasks {typical}")
        axes[0, 0].set_ylabel("y")
    data = pd.DataFrame(rows, columns=["panel", "seed", "task", "x", "prediction", "truth"])
    return Plot(figure, f"Fitted curves over the three true ones. {'; '.join(words)}.", data)


def seeds(values: pd.DataFrame, value: str, by: str, panel: str, printed: Mapping | None = None, log: bool = False) -> Plot | None:
    """Every seed as a dot, one row per `by`, one panel per `panel`; printed means as diamonds where `printed` has one.

    `printed` maps (panel, by) to the paper's number.
    """
    if values.empty:
        return None
    printed, names, panels = printed or {}, list(dict.fromkeys(values[by])), list(dict.fromkeys(values[panel]))
    with mpl.rc_context(STYLE):
        figure, axes = _canvas(1, len(panels), 2.5 * len(panels), 0.9 + 0.28 * len(names), sharey=True)
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
        figure, axes = _canvas(rows, columns, 1.85 * columns, 2.15 * rows)
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
        figure, axes = _canvas(1, len(counts), 2.6 * len(counts), 2.6)
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
