"""Figure 4: what every point of a two-dimensional embedding space would do."""

import matplotlib as mpl
import numpy as np
import pandas as pd

from unforget.probes.embedding import REACH, SIDE
from unforget.results.embedding import SOLVED
from unforget.results.figures.base import STYLE, Plot, canvas


def embedding_planes(plane: np.ndarray, positions: np.ndarray) -> Plot:
    """Accuracy of the first and of the last task over the plane, with every task's final embedding.

    `plane[k, i, j]` is the accuracy at e = (axis[i], axis[j]) of one seed, `positions[task]` its embeddings.
    """
    axis_values = np.linspace(-REACH, REACH, SIDE)
    nearest = np.abs(axis_values[None, None] - positions[..., None]).argmin(-1)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, 2, 6.2, 2.9, sharey=True)
        words, rows = [], []
        for accuracy, task, axis in zip(100 * plane, (1, len(positions)), axes[0], strict=True):
            half = REACH / (SIDE - 1)
            edge = REACH + half
            image = axis.imshow(accuracy.T, origin="lower", extent=(-edge, edge, -edge, edge), cmap="cividis", vmin=50, vmax=100)
            for k, point in enumerate(positions, 1):
                axis.scatter(*point, s=26, color="white", edgecolor="black", lw=0.8, zorder=3)
                axis.annotate(f"$e^{{({k})}}$", point, xytext=(4, 4), textcoords="offset points", size=8, color="black",
                              bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.75, "lw": 0}, zorder=2)  # fmt: skip
            axis.set(title=f"task {task}", xlabel="$e_1$", xlim=(-edge, edge), ylim=(-edge, edge))
            share = 100 * (accuracy >= 100 * SOLVED).mean()
            here = ", ".join(f"{accuracy[i, j]:.0f} %" for i, j in nearest)
            words.append(f"Task {task}: at least {100 * SOLVED:.0f} % on {share:.0f} % of the plane; nearest to the embeddings "
                         f"of tasks 1 to {len(positions)}: {here}")  # fmt: skip
            rows += [(task, a, b, accuracy[i, j]) for i, a in enumerate(axis_values) for j, b in enumerate(axis_values)]
        axes[0, 0].set_ylabel("$e_2$")
        figure.colorbar(image, ax=axes[0].tolist(), label="accuracy in %", shrink=0.85)
    data = pd.DataFrame(rows, columns=["task", "e_1", "e_2", "accuracy"])
    return Plot(figure, f"Test accuracy over the plane of task embeddings. {'. '.join(words)}.", data)
