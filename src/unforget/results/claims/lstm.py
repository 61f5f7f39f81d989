"""The claims of Chandra et al., *Continual Learning with Dependency Preserving Hypernetworks*, 2022.

Row and column names are those of `data/paper/lstm.csv`. The paper prints no sizes; `published_sizes`
computes what follows from the chunk sizes of its code and from the equations at equal size (artifact
`sizes`). The function `lNN` judges the claim lNN, stated in `CLAIMS` below.
"""

import math
from dataclasses import dataclass

from unforget.results.claims.base import (
    Check,
    Number,
    Numbers,
    Outcome,
    above,
    absent,
    assumptions,
    at_least,
    at_most,
    combine,
    compare,
    listed,
)

COLUMNS = tuple(f"{stream} {scenario}" for stream in ("S", "P10") for scenario in ("CL1", "CL2", "CL3"))
BASELINES = ("EWC", "Online EWC", "SI", "HNET")
REPLAY_BASELINES = ("LWF", "DGR", "DGR+distill", "HNET+R")
TABLES = (("table-1", "", BASELINES), ("table-2", "+R", REPLAY_BASELINES))
AVERAGE = "Average accuracy"
SPLITS = ("S1", "S2", "S3", "S4", "S5")


def _column(numbers: Numbers, artifact: str, rows, column: str) -> dict[str, Number | None]:
    return {row: numbers(artifact, row, column) for row in rows}


def l01(numbers: Numbers) -> Outcome:
    return combine(
        above(c, numbers("table-1", "LSTM_NET", c), _column(numbers, "table-1", BASELINES, c))
        for c in COLUMNS
    )


def l02(numbers: Numbers) -> Outcome:
    return combine(
        above(c, numbers("table-2", "LSTM_NET+R", c), _column(numbers, "table-2", REPLAY_BASELINES, c))
        for c in COLUMNS
    )


def l03(numbers: Numbers) -> Outcome:
    checks = []
    for artifact, replay, _ in TABLES:
        for net in ("HNET", "LSTM_NET"):
            for column in COLUMNS:
                with_iwr = numbers(artifact, f"{net}_IWR{replay}", column)
                plain = {net + replay: numbers(artifact, net + replay, column)}
                checks.append(above(f"{net}{replay} {column}", with_iwr, plain))
    return combine(checks, every=True)


def l04(numbers: Numbers) -> Outcome:
    """Each method above the next, and each of the three above every baseline."""
    checks = []
    for artifact, replay, baselines in TABLES:
        order = [f"{name}{replay}" for name in ("LSTM_NET_GROW", "LSTM_NET_IWR", "LSTM_NET")]
        for column in COLUMNS:
            below = _column(numbers, artifact, baselines, column)
            links = []
            for place, name in enumerate(order):
                rivals = _column(numbers, artifact, order[place + 1 : place + 2], column) | below
                links.append(above(name, numbers(artifact, name, column), rivals))
            checks.append(_chain(f"{column}{' with replay' if replay else ''}", links))
    return combine(checks)


def _chain(name: str, links: list[Check]) -> Check:
    for value in (False, None):
        bad = [link for link in links if link.holds is value]
        if bad:
            text = ", ".join(f"{link.name} {link.text}" for link in bad)
            return Check(name, value, text, all(link.tied for link in bad), assumptions(links))
    return Check(name, True, "in this order", assumed=assumptions(links))


def l05(numbers: Numbers) -> Outcome:
    return combine(
        above(c, numbers("table-1", "LSTM_NET_GROW", c), _column(numbers, "table-1", ("LSTM_NET",), c))
        for c in COLUMNS
        if not c.endswith("CL1")
    )


def l06(numbers: Numbers) -> Outcome:
    ours = numbers("table-3", "LSTM_NET", AVERAGE)
    checks = [above("average", ours, _column(numbers, "table-3", ("HNET",), AVERAGE))]
    pair = {"during": numbers("table-3", "LSTM_NET during", AVERAGE), "after": ours}
    name = "during equals after"  # within half a point, as for the same statement on HNET's ResNet-32 (h13)
    checks.append(
        absent(name, pair) or at_most(name, abs(pair["during"].mean - ours.mean), 0.5, "difference")
    )
    for column in SPLITS:
        scratch = _column(numbers, "table-3", ("Training-from-scratch",), column)
        checks.append(above(column, numbers("table-3", "LSTM_NET", column), scratch))
    return combine(checks)


def l07(numbers: Numbers) -> Outcome:
    cells = _column(numbers, "table-3", ("HNET_IWR", "HNET"), AVERAGE)
    name = "HNET"  # "almost 2 %": at least 1.5 points
    gone = absent(name, cells)
    gain = gone or at_least(name, cells["HNET_IWR"].mean - cells["HNET"].mean, 1.5, "gain")
    plain = _column(numbers, "table-3", ("LSTM_NET",), AVERAGE)
    return combine([gain, above("LSTM_NET", numbers("table-3", "LSTM_NET_IWR", AVERAGE), plain)])


def l08(numbers: Numbers) -> Outcome:
    rivals = ("HNET", "HNET_IWR", "LSTM_NET", "LSTM_NET_IWR")
    return combine(
        above(c, numbers("table-3", "LSTM_NET_GROW", c), _column(numbers, "table-3", rivals, c))
        for c in ("C-10", *SPLITS, AVERAGE)
    )


def l11(numbers: Numbers) -> Outcome:
    hours = {
        "GROW": numbers("text-training-time", "LSTM_NET_GROW", "GROW"),
        "regularised": numbers("text-training-time", "LSTM_NET", "Eq. 2 or 3"),
    }
    name = "GROW trains faster"
    checks = [absent(name, hours) or _faster(name, **hours)]
    for row in ("S CL1", "CIFAR"):  # "much lower than separate networks": at most half of one
        cells = {column: numbers("sizes", row, column) for column in ("GROW stored per task", "target")}
        name = f"storage per task on {row}"
        gone = absent(name, cells)
        ratio = gone or cells["GROW stored per task"].mean / cells["target"].mean
        checks.append(gone or at_most(name, ratio, 0.5, "share of a separate network"))
    slopes = {
        net: numbers("training-time", net, "seconds per further task")
        for net in ("LSTM_NET", "LSTM_NET_GROW")
    }
    name = "time grows with the tasks only under a regulariser"
    checks.append(absent(name, slopes) or above(name, slopes["LSTM_NET"], {"GROW": slopes["LSTM_NET_GROW"]}))
    return combine(checks)


def _faster(name: str, GROW: Number, regularised: Number) -> Check:
    text = f"{GROW.mean:.0f} against {regularised.mean:.0f} hours"
    order = compare(GROW, regularised)
    return Check(name, order == -1, text, order == 0, assumptions([GROW, regularised]))


def l12(numbers: Numbers) -> Outcome:
    checks = []
    for row in ("S CL1", "S CL2", "P10 CL1", "P10 CL2", "CIFAR"):
        cells = {column: numbers("sizes", row, column) for column in ("total", "target")}
        gone = absent(row, cells)
        checks.append(
            gone or at_most(row, cells["total"].mean / cells["target"].mean, 1, "total over target")
        )
    return combine(checks)


def l13(numbers: Numbers) -> Outcome:
    """A gain is the mean over the three LSTM methods of their difference to HNET on split MNIST."""
    gains = {}
    for artifact, replay, _ in TABLES:
        methods = [f"{name}{replay}" for name in ("LSTM_NET", "LSTM_NET_IWR", "LSTM_NET_GROW")]
        for column in COLUMNS[:3]:
            cells = _column(numbers, artifact, (*methods, f"HNET{replay}"), column)
            gains[f"{column}{' with replay' if replay else ''}"] = _gain(*cells.values())
    pairs = [(f"{s}{r}", f"S CL1{r}") for r in ("", " with replay") for s in ("S CL2", "S CL3")]
    pairs += [(s, f"{s} with replay") for s in ("S CL2", "S CL3")]
    return combine(above(f"gain on {a} over {b}", gains[a], {f"gain on {b}": gains[b]}) for a, b in pairs)


def _gain(*cells: Number | None) -> Number | None:
    if None in cells:
        return None
    *methods, base = cells
    error = math.hypot(*(m.sem / len(methods) for m in methods), base.sem)
    return Number(sum(m.mean for m in methods) / len(methods) - base.mean, error, assumed=assumptions(cells))


@dataclass(frozen=True)
class _Size:
    """One benchmark: hidden size, the published code's chunk, the largest chunk (a multiple of 50) with
    which the equations need no more parameters than HNET, the target's parameters, and the number of tasks.
    """

    hidden: int
    published: int
    equal: int
    target: int
    tasks: int


EMBEDDING = 96  # of tasks and of chunks alike
SIZES = {
    "S CL1": _Size(64, 50_000, 6_100, 478_410, 5),
    "S CL2": _Size(64, 50_000, 6_100, 475_202, 5),
    "P10 CL1": _Size(64, 125_000, 30_550, 2_126_100, 10),
    "P10 CL2": _Size(64, 125_000, 30_550, 2_036_010, 10),
    "CIFAR": _Size(128, 9_000, 2_100, 468_540, 6),
}


def published_sizes() -> dict[tuple[str, str, str], Number]:
    """What the published settings come to, keyed as (artifact, row, column), in parameters.

    `total`: the code's hypernetwork (two biases per gate, one output bias). `GROW stored per task`: what the
    equations keep for each task (w^t, W^t, chunk and task embeddings, no biases) at equal size with HNET.
    """
    sizes = {}
    for row, size in SIZES.items():
        inputs = 4 * size.hidden * 2 * EMBEDDING
        chunks = math.ceil(size.target / size.published)
        total = inputs + 4 * size.hidden**2 + 8 * size.hidden + (size.hidden + 1) * size.published
        total += EMBEDDING * (chunks + size.tasks)
        stored = inputs + size.hidden * size.equal + EMBEDDING * (math.ceil(size.target / size.equal) + 1)
        for column, count in (("total", total), ("target", size.target), ("GROW stored per task", stored)):
            sizes["sizes", row, column] = Number(count, 0.0)
    return sizes


CLAIMS = listed(
    "lstm",
    ("l01", "abstract, 4.2.1, 4.2.2", "LSTM_NET is above EWC, SI and HNET.", l01),
    ("l02", "4.2.1", "With replay, LSTM_NET is above LwF, DGR and HNET+R.", l02),
    ("l03", "4.2.1", "Weighting the regulariser by importance improves HNET and LSTM_NET in every "
     "set-up.", l03),
    ("l04", "4.2.2", "The order is GROW, then LSTM_NET with importance weights, then LSTM_NET, then "
     "the baselines.", l04),
    ("l05", "4.2.1", "Growing the hypernetwork improves the scenarios without task identity "
     "greatly.", l05),
    ("l06", "4.2.3", "On CIFAR LSTM_NET is far above HNET, does not forget, and is above training "
     "from scratch.", l06),
    ("l07", "4.2.3", "On CIFAR importance weights add almost two points to HNET, and improve "
     "LSTM_NET.", l07),
    ("l08", "4.2.3", "On CIFAR growing is better still.", l08),
    ("l09", "Fig. 2a", "LSTM_NET's lead over HNET grows with the size of the hypernetwork."),
    ("l10", "Fig. 2b", "Too weak importance weighting is poor; from some strength on it is good and "
     "stable."),
    ("l11", "4.2.4", "With a regulariser training slows with each task and memory stays, with GROW it "
     "is the other way round, at far less memory than separate networks.", l11),
    ("l12", "4.2", "No method has more trainable parameters than the baselines.", l12),
    ("l13", "4.2.1", "The gains are larger where the task is not given, and larger without "
     "replay.", l13),
)  # fmt: skip
