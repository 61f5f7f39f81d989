"""What all drawings share: a white canvas counted in inches, colours, boxes and arrows."""

from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

INK, QUIET, PALE, BLUE, ORANGE = "#222222", "#767676", "#eeeeee", "#0072b2", "#d55e00"  # distinct to colour-blind eyes
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "svg.fonttype": "path",  # the same picture whatever fonts a reader has
    "svg.hashsalt": "unforget",
    "svg.id": None,
}


@dataclass(frozen=True)
class Drawing:
    """A figure on an opaque ground (readable in dark mode), what it shows in words, and its caption."""

    figure: Figure
    alt: str
    caption: str


def canvas(width: float, height: float) -> tuple[Figure, mpl.axes.Axes]:
    """A white figure of the given size in inches, with one axis that covers it and counts in inches."""
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return figure, axes


def box(axes, x: float, y: float, width: float, height: float, text: str, edge: str = QUIET, fill: str = "white", **words) -> None:
    """A rounded box with its lower left corner at (x, y) and a text in its middle."""
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.06", facecolor=fill, edgecolor=edge, lw=1.4)
    )
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", **{"color": INK, "fontsize": 9} | words)


def arrow(axes, start: tuple[float, float], end: tuple[float, float], colour: str = INK, **style) -> None:
    """An arrow between two points."""
    patch = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, color=colour, lw=1.1, **style)
    axes.add_patch(patch)
