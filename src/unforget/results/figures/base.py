"""One quiet style; a figure with its alt text and the data behind it; the files that the book shows."""

import base64
import io
import os
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from unforget.data.files import project_root
from unforget.results.myst import directive, nothing

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
        myst = directive(
            "figure", f"{files}.svg", f":name: {label}\n:alt: {self.plot.alt}\n\n{self.caption} "
            f"{{download}}`Vector file <{files}.svg>`, {{download}}`data <{files}.csv>`.",
        )  # fmt: skip
        source = base64.b64encode(self.image).decode()
        html = f'<img alt="{self.plot.alt}" src="data:image/png;base64,{source}"><p>{self.caption}</p>'
        return {"text/markdown": myst, "text/html": html}


@dataclass(frozen=True)
class Missing:
    """Stands where a figure of recorded runs will be."""

    caption: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": nothing("figure", self.caption)}


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


def canvas(rows: int, columns: int, width: float, height: float, **kwargs) -> tuple[Figure, np.ndarray]:
    """A figure of this size in inches and its axes [rows, columns]."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


def tiles(number: int, most: int, width: float, height: float) -> tuple[Figure, np.ndarray]:
    """A figure of so many panels of this size in inches, at most `most` in a row, and their axes [number]."""
    columns = min(number, most)
    rows = -(-number // columns)
    figure, axes = canvas(rows, columns, width * columns, height * rows)
    for axis in axes.flat[number:]:
        axis.axis("off")
    return figure, axes.flat[:number]
