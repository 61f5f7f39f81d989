"""Figures of feature hashing: inner products before and after, their spread, and tails beside their bounds."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd

from unforget.results.figures.base import COLOURS, INK, QUIET, STYLE, Plot, canvas
from unforget.theory.hashing import Findings, Tails


def hash_products(true: np.ndarray, measured: np.ndarray, s: int) -> Plot:
    """Mean ± standard deviation over hash functions of φ(a)ᵀφ(b), against aᵀb. `true` [pairs], `measured` [functions, pairs]."""
    mean, deviation = measured.mean(0), measured.std(0, ddof=1)
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, 1, 3.4, 2.9)
        axis, ends = axes[0, 0], [0, 1.05 * true.max()]
        axis.plot(ends, ends, color=QUIET, lw=1)
        axis.errorbar(true, mean, deviation, fmt="o", ms=4, lw=1, capsize=2, color=COLOURS[0])
        axis.set(xlabel="inner product of the images", ylabel="of their hash vectors")
    off = np.abs(mean - true)
    words = (f"Inner products of {len(true)} pairs of images before and after hashing to {s} numbers: over {len(measured)} "
             f"functions the mean is off by at most {off.max():.3f}, the standard deviation is {deviation.min():.3f} "
             f"to {deviation.max():.3f}.")  # fmt: skip
    return Plot(figure, words, pd.DataFrame({"true": true, "mean": mean, "standard deviation": deviation}))


def hash_spreads(found: Sequence[Findings], thresholds: Mapping[str, float]) -> Plot:
    """Root mean square of cosines between unrelated hash vectors by their length, 1/√s and 1/s, and thresholds as lines."""
    s, spread = np.array([one.s for one in found]), np.array([one.spread for one in found])
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, 1, 4.2, 2.9)
        axis = axes[0, 0]
        axis.plot(s, s**-0.5, color=INK, lw=1, label="1/√s")
        axis.plot(s, 1 / s, color=INK, lw=1, ls=":", label="1/s")
        axis.plot(s, spread, "o", ms=5, color=COLOURS[0], label="measured")
        for colour, (name, value) in zip(COLOURS[1:], thresholds.items(), strict=False):
            axis.axhline(value, color=colour, lw=1, ls="--", label=name)
        axis.set(xscale="log", yscale="log", xlabel="length s of the hash vectors", ylabel="cosine (root mean square)")
        axis.set_xticks(s, labels=[str(x) for x in s])
        axis.minorticks_off()
        axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    words = "Cosine of hash vectors of two functions: " + ", ".join(f"{y:.3f} at {x}" for x, y in zip(s, spread))
    for name, value in thresholds.items():
        under = int((value < spread).sum())
        words += f"; {name} = {value:g} is below {'all' if under == len(s) else f'{under} of {len(s)}'}"
    data = pd.DataFrame({"s": s, "measured": spread, "1/sqrt(s)": s**-0.5, "1/s": 1 / s})
    return Plot(figure, words + ".", data)


def hash_tails(found: Sequence[Tails]) -> Plot:
    """How often |vᵀφ'(x)| exceeds ε, and the two bounds on it; one panel for each length of the hash vectors."""
    with mpl.rc_context(STYLE):
        figure, axes = canvas(1, len(found), 2.3 * len(found) + 1, 2.6, sharey=True)
        rows, words = [], []
        for axis, one in zip(axes[0], found, strict=True):
            lines = {"measured": one.measured, "Eq. 1": one.eq1, "Eq. 2": one.eq2}
            for colour, style, (name, value) in zip(COLOURS, ("-", "--", ":"), lines.items()):
                axis.plot(one.epsilon, np.where(value > 0, value, np.nan), style, color=colour, lw=1.4, label=name)
                rows += [(one.s, name, e, p) for e, p in zip(one.epsilon, value, strict=True)]
            axis.set(yscale="log", title=f"s = {one.s}", xlabel="ε", ylim=(0.3 / one.functions, 1.5))
            said = ", ".join(f"{name} {100 * value[-1]:.2g} %" for name, value in lines.items())
            words.append(f"s = {one.s}, beyond {one.epsilon[-1]:.2g}: {said}")
        axes[0, 0].set_ylabel("probability")
        axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1, 1))
    data = pd.DataFrame(rows, columns=["s", "line", "epsilon", "probability"])
    return Plot(figure, f"Tails of inner products and their bounds. {'; '.join(words)}.", data)
