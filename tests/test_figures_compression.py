"""Figures about sizes: what they say is what they were given."""

import numpy as np
import pandas as pd
import pytest

from unforget.results import figures

POINTS = pd.DataFrame(
    [(ratio, metric, seed, value + seed) for seed in (0, 1) for ratio, metric, value in
     ((0.95, "final", 97.0), (0.95, "during", 97.5), (0.25, "final", 90.0), (0.25, "during", 91.0))],
    columns=["ratio", "metric", "seed", "accuracy"],
)  # fmt: skip
NETS = pd.DataFrame(
    {"panel": ["S"] * 3 + ["P"], "architecture": list("abcd"), "ratio": [0.02, 0.02, 0.5, 0.4], "accuracy": [90.0, 94.0, 97.0, 80.0]}
)


def test_compression_says_the_mean_at_each_ratio():
    plot = figures.compression(POINTS)
    assert "final: 90.5 % at 0.25, 97.5 % at 0.95" in plot.alt and "during: 91.5 % at 0.25" in plot.alt
    bars = plot.figure.axes[0].containers[0]
    assert bars.lines[0].get_ydata().tolist() == [90.5, 97.5]
    segments = bars.lines[2][0].get_segments()
    assert np.ptp(segments[0][:, 1]) == pytest.approx(2 * np.std([90, 91], ddof=1) / 2**0.5)  # twice the standard error


def test_one_seed_has_no_error_bar():
    plot = figures.compression(POINTS[POINTS.seed == 0])
    segments = plot.figure.axes[0].containers[0].lines[2][0].get_segments()
    assert all(np.ptp(segment[:, 1]) == 0 for segment in segments)


def test_architectures_say_mean_and_deviation_of_each_bin():
    plot = figures.architectures(NETS, (0.01, 0.1, 1.0))
    deviation = np.std([90, 94], ddof=1)
    assert f"S, ratio 0.01 to 0.1: 92.0 ± {deviation:.1f} % (2)" in plot.alt
    assert "S, ratio 0.1 to 1: 97.0 ± 0.0 % (1)" in plot.alt and "P, ratio 0.1 to 1: 80.0" in plot.alt
    assert "P, ratio 0.01" not in plot.alt and plot.data is NETS


def test_nothing_recorded_is_no_figure():
    assert figures.compression(POINTS[:0]) is None and figures.architectures(NETS[:0], (0.01, 1)) is None
