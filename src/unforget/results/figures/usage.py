"""Which units were used, task by task (arXiv Figure 3, ICLR Figure 4)."""

import matplotlib as mpl
import numpy as np
import pandas as pd

from unforget.results.figures.base import COLOURS, STYLE, Plot, canvas


def unit_usage(shares: np.ndarray | None) -> Plot | None:
    """Stacked bars, one per task: the share of selections that went to each unit, mean over seeds. `shares` [seed, task, unit]."""
    if shares is None:
        return None
    mean = 100 * shares.mean(0)
    tasks, units = mean.shape
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, 1, 1.6 + 0.55 * tasks, 2.8)
        axis, below = axes[0, 0], np.zeros(tasks)
        for unit in range(units):
            hatch = "" if unit < 5 else "///"
            axis.bar(range(tasks), mean[:, unit], 0.75, below, color=COLOURS[unit % len(COLOURS)], hatch=hatch, label=f"U{unit}")
            below += mean[:, unit]
        axis.set(xlabel="task", ylabel="selections in %", ylim=(0, 100))
        axis.set_xticks(range(tasks), labels=[f"T{task}" for task in range(tasks)])
        axis.legend(loc="upper left", bbox_to_anchor=(1, 1), reverse=True)
    ends = [f"T{task}: most U{row.argmax()} with {row.max():.0f} %, least U{row.argmin()} with {row.min():.1f} %"
            for task, row in enumerate(mean)]  # fmt: skip
    data = pd.DataFrame([(t, u, mean[t, u]) for t in range(tasks) for u in range(units)], columns=["task", "unit", "share"])
    return Plot(figure, f"Share of selections of {units} units in {tasks} tasks. {'; '.join(ends)}.", data)
