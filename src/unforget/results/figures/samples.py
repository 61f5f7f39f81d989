"""Images that replay models draw (Fig. A8)."""

import matplotlib as mpl
import numpy as np
import pandas as pd

from unforget.results.figures.base import STYLE, Plot, canvas


def drawn_images(images: np.ndarray, recognised: np.ndarray, side: int) -> Plot:
    """One column per task: images drawn right after it was learned (above) and, of the same codes, at the end (below).

    `images` [task, 2, n, pixels] with grey values 0 ... 255, `recognised` [task] shares at the end.
    """
    tasks, _, n, _ = images.shape
    with mpl.rc_context(STYLE):
        figure, axes = canvas(2, tasks, 0.6 * tasks, 1.3 * n + 0.3)
        for (moment, task), axis in np.ndenumerate(axes):
            apart = np.pad(images[task, moment].reshape(n, side, side), ((0, 0), (0, 4), (0, 0)))
            axis.imshow(apart.reshape(-1, side), cmap="gray_r", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if moment == 0:
                axis.set_title(str(task + 1))
        axes[0, 0].set_ylabel("right after")
        axes[1, 0].set_ylabel("at the end")
    data = pd.DataFrame(
        [
            (task + 1, ("right after", "at the end")[moment], number, pixel, grey)
            for (task, moment, number, pixel), grey in np.ndenumerate(images)
        ],
        columns=["task", "drawn", "image", "pixel", "grey"],
    )
    shares = ", ".join(f"{100 * share:.0f} %" for share in recognised)
    words = f"Drawn images of {tasks} tasks, right after each was learned and at the end. Recognised at the end: {shares}."
    return Plot(figure, words, data)
