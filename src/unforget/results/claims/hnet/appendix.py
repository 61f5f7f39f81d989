"""Claims of the appendix: h16 to h27."""

from itertools import pairwise

import numpy as np

from unforget.experiments.hnet.chunking import BINS, FIGURE_A7, bin_of
from unforget.results.claims.base import (
    Check,
    Number,
    Numbers,
    Outcome,
    above,
    absent,
    at_least,
    at_most,
    combine,
    show,
)
from unforget.results.claims.hnet.shared import LONG_RELATED, SPLIT, alike, gap, row_of


def h16(numbers: Numbers) -> Outcome:
    betas = {beta: numbers("figure-a2c", beta, "final") for beta in ("0.001", "0.005", "0.01", "0.05", "0.1")}
    spread = absent("spread over β", betas)
    if not spread:
        means = [number.mean for number in betas.values()]
        spread = at_most("spread over β", max(means) - min(means), 2, "largest minus smallest final accuracy")
    nets = {
        net: numbers("figure-a2b", net, "final") for net in ("200,250,350 to 7500", "200,250,300 to 6000")
    }
    related = {rival: numbers("figure-3a", rival, "mean over tasks") for rival in LONG_RELATED}
    smaller = nets["200,250,300 to 6000"]
    return combine(
        [spread, gap("smaller net", nets, 2), above("smaller net against others", smaller, related)]
    )


def h17(numbers: Numbers) -> Outcome:
    final = {row: numbers("table-4", row, "HNET+TIR after") for row in ("P100-CL2", "P100-CL3")}
    inferred = numbers("text-task-inference", "P100-CL3", "HNET+TIR")
    name = "task inference"
    found = absent(name, {name: inferred}) or at_least(name, inferred.mean, 99, "share of right tasks")
    ages = {age: numbers("figure-a4a", "HNET+TIR", age) for age in ("tasks 91-100", "tasks 1-10")}
    checks = [gap("retention on P100-CL2", ages, 2), found]
    for rival in LONG_RELATED:  # "the only method that learns it": at least 20 points ahead of each
        pair = {"HNET+TIR": final["P100-CL3"], rival: numbers("figure-a4b", rival, "mean over tasks")}
        name = f"P100-CL3 against {rival}"
        checks.append(absent(name, pair) or at_least(name, _minus(pair), 20, "difference"))
    harder = above("P100-CL2 harder than P100-CL3", final["P100-CL3"], {"P100-CL2": final["P100-CL2"]})
    return combine([*checks, harder])


def _minus(pair: dict[str, Number]) -> float:
    a, b = pair.values()
    return a.mean - b.mean


def h20(numbers: Numbers) -> Outcome:
    bins = {artifact: _by_ratio(numbers, artifact) for artifact in FIGURE_A7}
    checks, edge, spread = [], BINS[1], 5  # points of standard deviation between architectures
    for artifact, groups in bins.items():
        name = {"figure-a7a": "split MNIST", "figure-a7b": "permuted MNIST"}[artifact]
        whole = [i for i, found in groups.items() if len(found) > 1 and None not in found]
        if len(whole) < len(groups):
            checks.append(Check(name, None, f"{len(whole)} of {len(groups)} bins of the ratio are recorded"))
            continue
        mean = [float(np.mean([number.mean for number in groups[i]])) for i in whole]
        if artifact == "figure-a7a":
            checks.append(at_least(f"{name} below ratio {edge}", mean[0], 95, "mean accuracy"))
        else:
            at = [float(np.sqrt(a * b)) for a, b in pairwise(BINS)]
            first, rest = ((mean[j] - mean[i]) / (at[j] - at[i]) for i, j in ((0, 1), (1, -1)))
            text = f"{show(first)} points per unit of the ratio between the two smallest bins, {show(rest)} from there on"
            checks.append(Check(f"{name} declines non-linearly", bool(mean[0] < mean[-1] and first > rest), text))
        widest = max(float(np.std([number.mean for number in groups[i]], ddof=1)) for i in whole)
        checks.append(at_most(f"{name} robust", widest, spread, "largest standard deviation of a bin"))
    return combine(checks)


def _by_ratio(numbers: Numbers, artifact: str) -> dict[int, list[Number | None]]:
    """The numbers of a half of Figure A7 by bin of the compression ratio."""
    _, benchmark, architectures = FIGURE_A7[artifact]
    groups: dict[int, list[Number | None]] = {i: [] for i in range(len(BINS) - 1)}
    for one in architectures:
        groups[bin_of(one.ratio(benchmark))].append(numbers(artifact, one.title, "final"))
    return groups


def h21(numbers: Numbers) -> Outcome:
    rows = [f"P10-{size},{size}" for size in (500, 1000, 2000)]
    similar = [gap(row, row_of(numbers, "table-6", row, ("HAT", "HNET")), 0.6, absolute=True) for row in rows]
    ahead = [
        above(row, numbers("table-6", row, "HNET"), row_of(numbers, "table-6", row, ("HAT",)))
        for row in ("P10-100,100", "P100-1000,1000")
    ]
    return combine(similar + ahead)


def h22(numbers: Numbers) -> Outcome:
    return combine([gap("P250-CL1", row_of(numbers, "text-p250", "P250-CL1", ("during", "final")), 2)])


def h23(numbers: Numbers) -> Outcome:
    choices, checks = "text-choices", []
    for row in SPLIT:
        ours = numbers("table-1", row, "HNET+ENT")
        betas = {f"β {beta}": numbers(choices, row, f"β {beta}") for beta in ("0.001", "0.1")}
        without = {"without": numbers(choices, row, "no look-ahead")}
        checks.append(alike(f"look-ahead on {row}", ours, without))
        checks.append(above(f"look-ahead does no harm on {row}", ours, without, or_tied=True))
        checks.append(alike(f"β of the classifier on {row}", ours, betas))
    replay, row = numbers("table-1", "S-CL3", "HNET+R"), "S-CL3"
    condition = above(
        "condition of the replay model", replay, {"without": numbers(choices, row, "HNET+R, no condition")}
    )
    sizes = {f"{n} numbers": numbers(choices, row, f"HNET+R, condition of {n}") for n in ("10", "1000")}
    return combine([*checks, condition, alike("size of the condition", replay, sizes)])


def h24(numbers: Numbers) -> Outcome:
    per_scenario, one = ("target CL1/CL3", "target CL2"), ("target",)
    targets = {"P10 VAE": one, "P10 classifier": per_scenario, "S VAE": one, "S classifier": per_scenario}
    targets |= {"S VAE of HNET+TIR": one, "P10 VAE of HNET+R": one}
    targets |= {"P100 classifier": per_scenario, "P100 VAE": one, "P250 classifier": one, "ResNet-32": one}
    targets |= {"ZenkeNet": one, "P10 small net": one}
    checks = []
    for row, columns in targets.items():
        total = numbers("text-parameters", row, "total")
        for column in columns:
            name, target = f"{row} to {column}", numbers("text-parameters", row, column)
            gone = absent(name, {"total": total, column: target})
            checks.append(gone or at_most(name, total.mean / target.mean, 1, "ratio"))
    small = numbers("text-parameters", "P50 small net", "ratio")
    checks.append(
        absent("P50 small net", {"ratio": small}) or at_most("P50 small net", small.mean, 1, "ratio")
    )
    return combine(checks, every=True)


def h25(numbers: Numbers) -> Outcome:
    with_task, without = (numbers("table-4", f"P100-{s}", "HNET+TIR after") for s in ("CL1", "CL3"))
    return combine([above("P100-CL3", without, {"P100-CL1": with_task}, or_tied=True)])


def h26(numbers: Numbers) -> Outcome:
    row = "P10-100,100"
    soft = numbers("text-small-net", row, "HNET soft targets")
    return combine([above(row, soft, {"HNET": numbers("text-small-net", row, "HNET")})])


def h27(numbers: Numbers) -> Outcome:
    old = range(9)  # the last digit is not old
    checks = []
    for model in ("VAE", "GAN"):
        found = {f"digit {d}": numbers("figure-a8", f"digit {d}", f"{model}, recognised") for d in old}
        text = "samples of the old digit that is recognised least, in percent:"
        checks.append(absent(model, found) or at_least(model, min(number.mean for number in found.values()), 90, text))
    return combine(checks)
