"""The claims of von Oswald et al., *Continual learning with hypernetworks*, ICLR 2020.

Row and column names are those of `data/paper/hnet.csv`; what the paper shows only as a figure is looked up
under `figure-<n>` with the names used here. The function `hNN` judges the claim hNN
of `CLAIMS` below.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from unforget.experiments.hnet.chunking import BINS, FIGURE_A7, bin_of
from unforget.experiments.hnet.permuted import FIGURE_3B
from unforget.results.claims.base import (
    Check,
    Claim,
    Number,
    Numbers,
    Outcome,
    above,
    absent,
    at_least,
    at_most,
    combine,
    compare,
    show,
)

SPLIT, PERMUTED = ("S-CL1", "S-CL2", "S-CL3"), ("P10-CL1", "P10-CL2", "P10-CL3")
RELATED = ("EWC", "SI", "DGR")
LONG_RELATED = ("SI", "DGR+distill", "Online EWC")  # as the figures on P100 name them


def _row(numbers: Numbers, artifact: str, row: str, columns) -> dict[str, Number | None]:
    return {column: numbers(artifact, row, column) for column in columns}


def _gap(name: str, numbers: dict[str, Number | None], limit: float, absolute: bool = False) -> Check:
    """First number minus second at most `limit`."""
    if gone := absent(name, numbers):
        return gone
    (first, a), (second, b) = numbers.items()
    value = abs(a.mean - b.mean) if absolute else a.mean - b.mean
    return at_most(name, value, limit, f"{first} {show(a.mean)}, {second} {show(b.mean)}, difference")


def h01(numbers: Numbers) -> Outcome:
    checks = []
    for task in ("task 1", "task 2", "task 3"):
        cells = {letter: numbers(f"figure-2{letter}", task, "MSE") for letter in "abc"}
        pairs = [("comparable to offline", "a", "b", 10)]
        if task != "task 3":  # the last task is never old
            pairs.append(("forgotten without the regulariser", "c", "a", 100))
        for what, high, low, factor in pairs:
            name = f"{task} {what}"
            if gone := absent(name, {f"figure 2{k}": cells[k] for k in (high, low)}):
                checks.append(gone)
                continue
            # The figure shows one run each; some seeds fall into a poor fit, so the typical seed is compared.
            ratio, text = typical(cells[high]) / typical(cells[low]), f"median MSE in {high} over {low}"
            checks.append((at_most if what.startswith("comp") else at_least)(name, ratio, factor, text))
    return combine(checks)


def typical(number: Number) -> float:
    """The median over seeds (the mean where single values are not known)."""
    return float(np.median(number.values)) if number.values else number.mean


def h02(numbers: Numbers) -> Outcome:
    rivals = _row(numbers, "table-1", "P10-CL1", RELATED)
    return combine([above("P10-CL1", numbers("table-1", "P10-CL1", "HNET+ENT"), rivals, or_tied=True)])


def h03(numbers: Numbers) -> Outcome:
    ours, checks = numbers("table-1", "P10-CL3", "HNET+ENT"), []
    for rival, number in _row(numbers, "table-1", "P10-CL3", ("SI", "EWC")).items():
        if gone := absent(rival, {"HNET+ENT": ours, rival: number}):
            checks.append(gone)
        else:
            checks.append(at_least(rival, ours.mean - number.mean, 20, "difference"))
    return combine(checks)


def h04(numbers: Numbers) -> Outcome:
    checks = []
    for row in PERMUTED:
        rivals = _row(numbers, "table-1", row, (*RELATED, "HNET+ENT"))
        for method in ("HNET+TIR", "HNET+R"):
            same = (
                row == "P10-CL1" and method == "HNET+TIR"
            )  # one training with HNET+ENT when the task is given
            others = {k: v for k, v in rivals.items() if not (same and k == "HNET+ENT")}
            checks.append(above(f"{row} {method}", numbers("table-1", row, method), others, or_tied=True))
    return combine(checks)


def h05(numbers: Numbers) -> Outcome:
    checks, behind = [], []
    for row in SPLIT:
        variants = _row(numbers, "table-1", row, ("HNET+ENT", "HNET+TIR", "HNET+R"))
        known = {k: v for k, v in variants.items() if v is not None}
        best = max(known, key=lambda k: known[k].mean) if known else None
        for rival, number in _row(numbers, "table-1", row, RELATED).items():
            check = above(f"{row} over {rival}", known.get(best), {rival: number})
            if check.holds is False and len(known) < len(variants):  # a variant not run yet may be the best
                check = Check(check.name, None, f"{best} {check.text}; the other variants are not run")
            checks.append(check)
            behind += [
                f"{k} is below {rival} on {row}"
                for k, v in known.items()
                if number and compare(v, number) == -1
            ]
    return combine(checks, note="; ".join(behind))


def h06(numbers: Numbers) -> Outcome:
    rows = ("S-CL2", "S-CL3")
    return combine(
        above(row, numbers("table-1", row, "HNET+R"), _row(numbers, "table-1", row, ("DGR",))) for row in rows
    )


def h07(numbers: Numbers) -> Outcome:
    return combine(
        above(row, numbers("table-1", row, "HNET+ENT"), _row(numbers, "table-1", row, ("EWC", "SI")))
        for row in SPLIT
    )


def h08(numbers: Numbers) -> Outcome:
    columns = ("RPL-UB", "HNET+R")
    return combine(_gap(row, _row(numbers, "table-2", row, columns), 1.1) for row in (*PERMUTED, *SPLIT))


def h09(numbers: Numbers) -> Outcome:
    pairs = [("table-3", row, f"{m} ") for row in ("S-CL1", "P10-CL1") for m in ("HNET+TIR", "HNET+R")]
    pairs += [("table-4", "P100-CL1", "HNET+TIR "), ("table-5", "ZenkeNet", ""), ("table-5", "ResNet-32", "")]
    return combine(
        (
            _gap(
                f"{row} {method}".strip(),
                _row(numbers, artifact, row, (f"{method}during", f"{method}after")),
                0.2,
            )
            for artifact, row, method in pairs
        ),
        every=True,
    )


def h11(numbers: Numbers) -> Outcome:
    finals = {ratio: numbers("figure-3b", f"ratio {ratio}", "final") for ratio in FIGURE_3B}
    largest, smallest, flat = *(list(FIGURE_3B)[i] for i in (0, -1)), "0.25"
    kept = list(FIGURE_3B)[1 : list(FIGURE_3B).index(flat) + 1]
    checks = [
        _gap(f"ratio {ratio} as good as {largest}", {largest: finals[largest], ratio: finals[ratio]}, 1)
        for ratio in kept
    ]
    falls = absent(f"fall below ratio {flat}", {r: finals[r] for r in (largest, flat, smallest)})
    if not falls:
        # Accuracy lost per unit of the ratio, where it is said to be flat and where it is said to fall.
        slopes = [
            (finals[a].mean - finals[b].mean) / (float(a) - float(b))
            for a, b in ((largest, flat), (flat, smallest))
        ]
        text = f"{show(slopes[1])} points per unit of the ratio below {flat}, {show(slopes[0])} above"
        lost = finals[flat].mean - finals[smallest].mean
        falls = Check(f"fall below ratio {flat}", lost > 1 and slopes[1] > slopes[0], text)
    return combine([*checks, falls])


def h12(numbers: Numbers) -> Outcome:
    def cell(task: int, column: str) -> Number | None:
        return numbers("figure-4", f"task {task}", column)

    def reaches(name: str, number: Number | None, least: float) -> Check:
        return absent(name, {name: number}) or at_least(name, number.mean, least, "accuracy")

    tasks, chance = range(1, 6), {"chance": Number(50.0, 0.0)}
    solved = [reaches(f"task {t} solved", cell(t, "own embedding"), 95) for t in tasks]
    shared = [reaches(f"task 1 with embedding {k}", cell(1, f"embedding {k}"), 90) for k in tasks if k > 1]
    competing = [above(f"task 5 with embedding {k}", cell(5, f"embedding {k}"), chance) for k in tasks if k < 5]
    bounded = above("more of the plane solves task 1", cell(1, "plane solved"), {"task 5": cell(5, "plane solved")})
    return combine([*solved, *shared, *competing, bounded])


def h13(numbers: Numbers) -> Outcome:
    pair = _row(numbers, "table-5", "ResNet-32", ("during", "after"))
    return combine([_gap("ResNet-32", pair, 0.5, absolute=True)])


def _transfer(numbers: Numbers, artifact: str) -> float | None:
    """Mean over tasks 2 to 6 of accuracy right after the task minus accuracy from scratch, in points."""
    gains = []
    for task in range(2, 7):
        during, scratch = (numbers(artifact, f"task {task}", c) for c in ("hnet during", "from scratch"))
        if during is None or scratch is None:
            return None
        gains.append(during.mean - scratch.mean)
    return sum(gains) / len(gains)


def h15(numbers: Numbers) -> Outcome:
    ours, text = numbers("table-5", "ZenkeNet", "after"), "text-zenkenet"
    checks = [_gap("comparable to SI", {"SI": numbers(text, "ZenkeNet", "SI"), "HNET": ours}, 3)]
    during = {"during": numbers("table-5", "ZenkeNet", "during")}
    checks.append(above("protected from forgetting", ours, during, or_tied=True))
    name, shallow, deep = (
        "more transfer than ResNet-32",
        *(_transfer(numbers, f"figure-{k}") for k in ("a3", "5")),
    )
    if shallow is None or deep is None:
        checks.append(Check(name, None, "no number for the tasks of figures A3 and 5"))
    else:
        checks.append(Check(name, shallow > deep, f"{show(shallow)} points against {show(deep)}"))
    return combine(checks)


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
        [spread, _gap("smaller net", nets, 2), above("smaller net against others", smaller, related)]
    )


def h17(numbers: Numbers) -> Outcome:
    final = {row: numbers("table-4", row, "HNET+TIR after") for row in ("P100-CL2", "P100-CL3")}
    inferred = numbers("text-task-inference", "P100-CL3", "HNET+TIR")
    name = "task inference"
    found = absent(name, {name: inferred}) or at_least(name, inferred.mean, 99, "share of right tasks")
    ages = {age: numbers("figure-a4a", "HNET+TIR", age) for age in ("tasks 91-100", "tasks 1-10")}
    checks = [_gap("retention on P100-CL2", ages, 2), found]
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
            checks.append(Check(f"{name} declines non-linearly", mean[0] < mean[-1] and first > rest, text))
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
    similar = [_gap(row, _row(numbers, "table-6", row, ("HAT", "HNET")), 0.6, absolute=True) for row in rows]
    ahead = [
        above(row, numbers("table-6", row, "HNET"), _row(numbers, "table-6", row, ("HAT",)))
        for row in ("P10-100,100", "P100-1000,1000")
    ]
    return combine(similar + ahead)


def h22(numbers: Numbers) -> Outcome:
    return combine([_gap("P250-CL1", _row(numbers, "text-p250", "P250-CL1", ("during", "final")), 2)])


def h23(numbers: Numbers) -> Outcome:
    row = "S-CL1"
    ours, choices = numbers("table-1", row, "HNET+ENT"), "text-choices"
    without = numbers(choices, row, "no look-ahead")
    minor = _gap("look-ahead", {"with": ours, "without": without}, 0.5, absolute=True)
    helps = above("look-ahead does no harm", ours, {"without": without}, or_tied=True)
    betas = {"0.01": ours} | {beta: numbers(choices, row, f"β {beta}") for beta in ("0.001", "0.1")}
    replay, row = numbers("table-1", "S-CL3", "HNET+R"), "S-CL3"
    condition = above(
        "condition of the replay model", replay, {"without": numbers(choices, row, "HNET+R, no condition")}
    )
    sizes = {"100": replay} | {n: numbers(choices, row, f"HNET+R, condition of {n}") for n in ("10", "1000")}
    return combine([minor, helps, _spread("β of the classifier", betas), condition, _spread("size of the condition", sizes)])


def _spread(what: str, by_value: dict[str, Number | None]) -> Check:
    """Whether accuracies differ by at most half a point, whatever the value."""
    gone = absent(what, by_value)
    if gone:
        return gone
    means = [number.mean for number in by_value.values()]
    return at_most(what, max(means) - min(means), 0.5, f"largest minus smallest accuracy for {', '.join(by_value)}:")


def h24(numbers: Numbers) -> Outcome:
    per_scenario, one = ("target CL1/CL3", "target CL2"), ("target",)
    targets = {"P10 VAE": one, "P10 classifier": per_scenario, "S VAE": one, "S classifier": per_scenario}
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


def _claim(id: str, where: str, text: str, evaluate: Callable[[Numbers], Outcome] | None = None) -> Claim:
    return Claim(id, "hnet", where, text, evaluate)


CLAIMS = (
    _claim("h01", "Fig. 2", "Learning three functions one after the other with the regulariser ends about "
           "as well as learning them together offline; without it the earlier functions are "
           "forgotten.", h01),
    _claim("h02", "3, Tab. 1", "With the task given, HNET is at least as accurate as EWC, SI and DGR on ten "
           "permutations of MNIST.", h02),
    _claim("h03", "3, Tab. 1", "Guessing the task by entropy puts HNET far above SI and online EWC on "
           "P10-CL3.", h03),
    _claim("h04", "3, Tab. 1", "On ten permutations no method beats HNET+TIR and HNET+R, whatever the "
           "scenario.", h04),
    _claim("h05", "3, Tab. 1", "On split MNIST the best method of each scenario is a hypernetwork.", h05),
    _claim("h06", "3, Tab. 1", "HNET+R improves on DGR with distillation on split MNIST without task "
           "identity.", h06),
    _claim("h07", "3, Tab. 1", "Without any generative model, HNET+ENT is above EWC and SI on split "
           "MNIST.", h07),
    _claim("h08", "3, Tab. 2", "HNET+R nearly reaches what replaying real data would give.", h08),
    _claim("h09", "1, Tab. 3-5", "Accuracy after the last task is practically what it was right after each "
           "task.", h09),
    _claim("h10", "Fig. 3a", "Over a hundred permutations HNET hardly loses old tasks, SI and DGR lose them "
           "gradually, and online EWC keeps them without ever being accurate."),
    _claim("h11", "Fig. 3b", "Accuracy stays about the same while the hypernetwork shrinks well below the "
           "size of its target, and then falls quickly.", h11),
    _claim("h12", "Fig. 4", "Two-dimensional task embeddings suffice for split MNIST: the first task is "
           "solved in a large region that holds all embeddings, the last one in a bounded region.", h12),
    _claim("h13", "Fig. 5, Tab. 5", "A ResNet-32 on split CIFAR forgets nothing.", h13),
    _claim("h14", "Fig. 5", "Earlier tasks help later ones on split CIFAR: HNET is above training from "
           "scratch, while fine-tuning forgets."),
    _claim("h15", "Fig. A3", "On the shallow CIFAR network HNET is comparable to SI, does not forget, and "
           "gains more from earlier tasks than on ResNet-32.", h15),
    _claim("h16", "Fig. A2", "The regularisation strength may vary widely; a hypernetwork that does not "
           "grow with the output layer loses little and stays ahead of other methods.", h16),
    _claim("h17", "Fig. A4, Tab. 4", "On a hundred permutations without task identity HNET+TIR keeps old "
           "tasks, finds the right task nearly always, is alone in learning CL3, and finds CL2 "
           "harder than CL3.", h17),
    _claim("h18", "Fig. A5, A6", "No strength of online EWC reaches HNET: strong blocks new tasks, weak "
           "forgets."),
    _claim("h19", "Fig. A5c,d", "Unprotected, a hypernetwork drops to chance at once, a plain network "
           "gradually."),
    _claim("h20", "Fig. A7", "Over random architectures split MNIST stays in the high nineties down to "
           "about one percent of the target's size, permuted MNIST declines non-linearly; "
           "architecture matters little.", h20),
    _claim("h21", "App. D, Tab. 6", "HAT and HNET are alike on large networks; on small ones and on long "
           "sequences HNET is better.", h21),
    _claim("h22", "App. D", "A random subset of old tasks in the regulariser is enough for 250 tasks.", h22),
    _claim("h23", "2.1, App. C", "Looking one optimiser step ahead helps a little; a condition per task "
           "helps the replay model; the strength of the split MNIST classifier's regulariser hardly "
           "matters.", h23),
    _claim("h24", "3, App. C", "No hypernetwork has more parameters than the model it is compared "
           "with.", h24),
    _claim("h25", "Fig. A4", "With the right task inferred, CL3 is no harder than CL1.", h25),
    _claim("h26", "App. D", "Softened labels improve the small network on ten permutations.", h26),
    _claim("h27", "App. F, Fig. A8", "Protected replay models learn to draw all digits class by class.", h27),
)  # fmt: skip
