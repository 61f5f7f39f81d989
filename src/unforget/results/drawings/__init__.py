"""Schematic drawings of the book's prose chapters. What they show is definition or invented example, never a result.

Each drawing is a function that returns a `Drawing`; `write` stores it as a vector file beside a fragment of MyST that the
chapters include, so that picture, caption and alt text come from one place:

    python -m unforget.results.drawings book/drawings
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG

from unforget.results.drawings import hypernetworks, protocol
from unforget.results.drawings.base import STYLE, Drawing
from unforget.results.drawings.protocol import EXAMPLE
from unforget.results.myst import directive

__all__ = ["DRAWINGS", "EXAMPLE", "Drawing", "write"]

DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "head-layouts": protocol.head_layouts,
    "accuracy-matrix": protocol.accuracy_matrix,
    "hypernetwork": hypernetworks.hypernetwork,
    "protected-replay": hypernetworks.protected_replay,
}


def write(folder: Path) -> list[Path]:
    """Store every drawing as NAME.svg and NAME.md (to be included by a page in `folder`'s parent)."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in DRAWINGS.items():
        with mpl.rc_context(STYLE):
            drawing = draw()
            svg = folder / f"{name}.svg"
            FigureCanvasSVG(drawing.figure).print_svg(svg, metadata={"Date": None, "Creator": None})
        fragment = folder / f"{name}.md"
        file, width = f"{folder.name}/{name}.svg", f"{100 * drawing.figure.get_figwidth():.0f}px"
        body = f":name: fig-{name}\n:alt: {drawing.alt}\n:width: {width}\n\n{drawing.caption} [Vector file]({file})."
        fragment.write_text(directive("figure", file, body) + "\n", encoding="utf-8")
        written += [svg, fragment]
    return written
