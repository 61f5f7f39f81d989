"""Fitted curves of a regression (Fig. 2)."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd

from unforget.results.figures.base import COLOURS, QUIET, STYLE, Plot, canvas


def fitted_curves(panels: Mapping[str, np.ndarray], inputs: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> Plot | None:
    """Predictions [seed, task, point] per panel over the true curves; one thin line per seed, the median seed thick."""
    if not panels:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, len(panels), 2.3 * len(panels), 2.4, sharey=True)
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
