"""How many samples a second hash-routed networks make, one by one and in batches: as printed, as recorded, and measured here.

Recorded is what `python -m benchmarks hrn --record` kept; there "one by one" is a network written for a single sample
(`benchmarks/naive_hrn.py`). Measured here it is the same learner: training with the order "sample", where every sample goes
through all levels alone and bases change before the next one starts, and prediction with batches of one. All ways make
one Adam step per batch.

Beside it stand VC, EWC and ELL with the networks and settings of the sequence that begins with SVHN, all on its first task,
where EWC and ELL have nothing to protect yet. Only the quotient HRN's time over VC's says anything about routing.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pandas as pd
import torch
import torch.nn.functional as F

from unforget.data.streams import Samples, Stage, Stream
from unforget.experiments.hrn.sequences import svhn_cifar100
from unforget.methods import find
from unforget.methods.base import Phase, Replicas, options
from unforget.methods.hrn.method import HRN, Options
from unforget.methods.hrn.scenarios import READINGS, SCENARIOS
from unforget.results import paper, speeds
from unforget.results.tables import MISSING

PUBLISHED = {"SVHN, 1 epoch": (73_257, 26_032), "CIFAR-100, 1 epoch": (5_000, 1_000)}
"""Training and test images behind a column of ICLR Table 14."""
ABLATION = (5, 60_000)
"""Epochs and training images of all tasks behind the training time of ICLR Table 1, on Pairwise MNIST."""
CONFIGURATIONS = {"pairwise-mnist": "Pairwise MNIST", "svhn-cifar": "SVHN and CIFAR-100"}
READ = {"algorithm1": "Algorithm 1", "figure1": "Figure 1", "released": "released code"}
"""What the readings of HRN are called."""
ORDERS = {"one by one": "sample", "batches": "deferred"}
COLUMNS = ["scenario", "reading", "work", "seeds", "way", "samples per second"]
OTHERS = {"VC": "vc", "EWC": "ewc", "ELL": "ell"}
"""Methods of ICLR Table 14 beside HRN, and their runs in the experiment on SVHN and CIFAR-100."""


def samples_per_second(
    scenario: str, stream: Stream, seeds: Sequence[int], device: str = "cpu", readings: Sequence[str] = ("algorithm1", "figure1"),
    warm_up: int = 20, steps: int = 10, turns: int = 3,
) -> pd.DataFrame:  # fmt: skip
    """Samples per second on the stream's first task, of all seeds that go together: columns `COLUMNS`.

    Candidates take turns of `steps` batches, so that a change of the machine's load hits all; the median turn counts.
    """
    rows, device, count = [], torch.device(device), steps * Options.batch
    for reading in readings:
        learners = {}
        for way, order in ORDERS.items():
            for own in {1: seeds[:1], len(seeds): seeds}.values() if way == "batches" else (seeds[:1],):
                learners[way, len(own)] = _learner(scenario, stream, own, device, reading, order)
        train = {key: _steps(learner, warm_up, steps) for key, learner in learners.items()}
        predict = {key: _predictions(learner, key[0], count) for key, learner in learners.items()}
        for work, candidates in (("training", train), ("inference", predict)):
            for (way, number), seconds in _paired(candidates, turns, device).items():
                rows.append((scenario, reading, work, number, way, number * count / seconds))
    return pd.DataFrame(rows, columns=COLUMNS)


def other(name: str, stream: Stream, device: torch.device, **changes):
    """A learner of `OTHERS` on the stream's first task, with a second one to come; `changes` are options."""
    (run,) = (run for run in svhn_cifar100.runs if run.name == OTHERS[name])
    method, two = find(run.method), replace(stream, stages=stream.stages[:1] * 2, tests=stream.tests[:1] * 2).to(device)
    chosen = options(method.Options, run.options | {"epochs": (1, 1)} | changes, run.method)
    return method(two, "CL1", chosen, Replicas((0,), device=device))


def other_methods(
    stream: Stream, device: str = "cpu", warm_up: int = 5, steps: int = 3, turns: int = 3, **changes
) -> pd.DataFrame:  # fmt: skip
    """Samples per second of HRN (Algorithm 1), VC, EWC and ELL, one seed, taking turns: columns method, work, samples per
    second. `changes` are options of the last three."""
    device = torch.device(device)
    learners = {"HRN": _learner("svhn-cifar", stream, (0,), device, "algorithm1", "deferred")}
    learners |= {name: other(name, stream, device, **changes) for name in OTHERS}
    train = {name: _steps(learner, warm_up, steps) for name, learner in learners.items()}
    x = stream.to(device).stages[0].train.take(torch.arange(steps * Options.batch, device=device)[None]).x
    predict = {name: predictions(learner, x) for name, learner in learners.items()}
    rows = []
    for work, candidates in (("training", train), ("inference", predict)):
        for name, seconds in _paired(candidates, turns, device).items():
            count = steps * learners[name].options.batch if work == "training" else x.shape[1]
            rows.append((name, work, count / seconds))
    return pd.DataFrame(rows, columns=["method", "work", "samples per second"])


def predictions(learner, x: torch.Tensor, size: int = 256) -> Callable[[], None]:
    """A function that predicts the images [1, B, ...] with the first task's classifier, `size` at a time."""

    def work() -> None:
        for part in x.split(size, 1):
            learner.predict(part, 0, 1)

    return work


def rows_of_routing(record: Mapping) -> list[Mapping]:
    """The rows of a recorded benchmark that are about HRN; those of other methods say so."""
    return [row for row in record["rows"] if row.get("method", "HRN") == "HRN"]


def recorded_methods(device_type: str) -> pd.DataFrame:
    """Recorded samples per second by method and work, as of `other_methods`; empty where other methods are not recorded."""
    record = speeds.load("hrn").get(device_type)
    rows = [(row["method"], row["what"], row["samples/s"]) for row in (record["rows"] if record else ())
            if row.get("method", "HRN") != "HRN"]  # fmt: skip
    if rows:
        rows += [("HRN", row["what"], row["samples/s"]) for row in rows_of_routing(record)
                 if (row["scenario"], row["reading"], row["seeds"]) == ("svhn-cifar", "algorithm1", 1)]  # fmt: skip
    return pd.DataFrame(rows, columns=["method", "work", "samples per second"])


def methods_beside(device_type: str, this_run: pd.DataFrame) -> pd.DataFrame | None:
    """Samples per second of each method, printed, recorded and of this run (frame of `other_methods`, or an empty one); in
    brackets how many times as long HRN takes for a sample. None where there is no number but printed ones."""
    printed = published().query("images == 'SVHN' and work != 'stabilisation'")
    sources = {"paper": printed, "recorded": recorded_methods(device_type), "this run": this_run}
    sources = {name: {(row.method, row.work): row[-1] for row in frame[["method", "work", "samples per second"]].itertuples()}
               for name, frame in sources.items() if len(frame)}  # fmt: skip
    if sources.keys() == {"paper"}:
        return None
    keys = sorted(dict.fromkeys(key for source in sources.values() for key in source), key=lambda key: key[1] != "training")
    return pd.DataFrame(
        [(*key, *(_times(source, *key) for source in sources.values())) for key in keys], columns=["method", "work", *sources]
    )


def _times(source: Mapping[tuple[str, str], float], method: str, work: str) -> str:
    if (method, work) not in source:
        return MISSING
    own, hrn = source[method, work], source.get(("HRN", work))
    return f"{own:,.0f}" + (f" ({own / hrn:.1f}×)" if hrn and method != "HRN" else "")


def recorded(device_type: str) -> pd.DataFrame:
    """The recorded speeds of a type of device ("cpu", "cuda"), columns `COLUMNS`; empty where there are none."""
    record, rows = speeds.load("hrn").get(device_type), []
    for row in rows_of_routing(record) if record else ():
        what = (row["scenario"], row["reading"], row["what"], row["seeds"])
        if row["seeds"] == 1:  # of several seeds, the slow form is that of one
            rows.append((*what, "one by one", row["samples/s"] / row["naive / batched"]))
        rows.append((*what, "batches", row["samples/s"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def beside(device_type: str, this_run: pd.DataFrame) -> pd.DataFrame | None:
    """Samples per second of the paper, recorded, and of this run (frame of `samples_per_second`, or an empty one), one line
    per configuration, work and reading; in brackets how many times as fast as one by one. None where there is no number.
    """
    sources = {"recorded": recorded(device_type), "this run": this_run}
    known = pd.concat(sources.values())
    if known.empty:
        return None
    columns = [(source, way, n) for source, frame in sources.items()
               for way, n in dict.fromkeys(zip(frame.way, frame.seeds, strict=True))]  # fmt: skip
    columns.sort(key=lambda column: (list(sources).index(column[0]), column[2], list(ORDERS).index(column[1])))
    lines = []
    for scenario, work, reading in dict.fromkeys(zip(known.scenario, known.work, known.reading, strict=True)):
        line = [CONFIGURATIONS[scenario], work, READ[reading], _printed(scenario, work)]
        for source, way, n in columns:
            frame = sources[source].query("scenario == @scenario and work == @work and reading == @reading")
            by = {(w, k): value for w, k, value in zip(frame.way, frame.seeds, frame["samples per second"], strict=True)}
            line.append(_cell(by, way, n))
        lines.append(line)
    names = [f"{source}: {way}" + (f" of {n} seeds" if n > 1 else "") for source, way, n in columns]
    return pd.DataFrame(lines, columns=["units of", "work", "reading", "paper", *names])


def machine(device_type: str) -> str:
    """Where and when the recorded speeds of a type of device were measured, as a sentence of a caption; empty without them."""
    record = speeds.load("hrn").get(device_type)
    return f"Recorded on {speeds.machine(record)}. " if record else ""


def hashing_share(device_type: str) -> str:
    """What hashing the images themselves takes of a step and of prediction, recorded, as a sentence; empty without a record."""
    record = speeds.load("hrn").get(device_type)
    shares = {work: [row["h_0 share"] for row in record["rows"] if row["what"] == work and row.get("h_0 share")]
              for work in ("training", "inference")} if record else {}  # fmt: skip
    if not all(shares.values()) or not shares:
        return ""
    return "Hashing the images themselves, which could be done once for a data set, is {training} of training and {inference} of inference. ".format(
        **{work: f"{100 * min(share):.1f} to {100 * max(share):.1f} %" for work, share in shares.items()}
    )


def smooth_colours() -> Stream:
    """Random colour images with smooth shades, of the size and number of classes of a task of CIFAR-100: a stand-in for
    timing, where only shapes and how fast bases fill matter."""
    g = torch.Generator().manual_seed(0)
    x = F.interpolate(torch.randn(2048, 3, 8, 8, generator=g), size=(32, 32), mode="bilinear")
    samples = Samples(x, torch.randint(0, 10, (len(x),), generator=g))
    return Stream("smooth random images", 10, (3, 32, 32), (Stage("task 1", (0,), samples),), (samples,), {})


def published() -> pd.DataFrame:
    """ICLR Table 14 as samples per second: columns method, work, images, how many, seconds, samples per second.

    NaN for ELL's stabilisation: its seconds are of several epochs, of which number the text gives two versions.
    """
    printed = paper.load().query("paper == 'hrn' and artifact == 'table-d14'")
    rows = []
    for cell in printed.itertuples():
        method, work = cell.row.split()
        count = math.nan if work == "stabilisation" else PUBLISHED[cell.column][work == "inference"]
        rows.append((method, work, cell.column.split(",")[0], count, cell.mean, count / cell.mean))
    return pd.DataFrame(rows, columns=["method", "work", "images", "how many", "seconds", "samples per second"])


def table_14() -> pd.DataFrame:
    """ICLR Table 14 as text: what is printed, and for each type of device with recorded speeds, how many seconds as many
    images take there (one seed; HRN as Algorithm 1 reads)."""
    printed = published()
    table = printed[["method", "work", "images"]].assign(
        **{"paper: seconds": printed.seconds.astype(int).astype(str), "paper: samples per second": _text(printed["samples per second"])}
    )
    for device_type in sorted(speeds.load("hrn")):
        ours = recorded_methods(device_type).set_index(["method", "work"])["samples per second"].to_dict()
        rate = pd.Series([ours.get(row, math.nan) for row in zip(printed.method, printed.work, strict=True)])
        table[f"recorded ({device_type}): seconds"] = _text(printed["how many"] / rate, 1)
    return table


def _text(numbers: pd.Series, decimals: int = 0) -> list[str]:
    return [MISSING if math.isnan(x) else f"{x:,.{decimals}f}" for x in numbers]


def ablation() -> tuple[float, float]:
    """What ICLR Table 1 prints for the baseline: minutes of training, and what they are in samples per second."""
    table = paper.load().query("paper == 'hrn' and artifact == 'table-b1' and row == 'Baseline' and column == 'Training time'")
    minutes, (epochs, images) = float(table["mean"].iloc[0]), ABLATION
    return minutes, epochs * images / (60 * minutes)


def _printed(scenario: str, work: str) -> str:
    if scenario == "svhn-cifar":
        (value,) = published().query("method == 'HRN' and images == 'SVHN' and work == @work")["samples per second"]
        return f"{value:,.0f}"
    return f"{ablation()[1]:,.0f}" if work == "training" else MISSING


def _cell(by: Mapping[tuple, float], way: str, n: int) -> str:
    """A speed, in brackets how many times that of one by one."""
    if (way, n) not in by:
        return MISSING
    factor = f" ({by[way, n] / by['one by one', 1]:.1f}×)" if way != "one by one" and ("one by one", 1) in by else ""
    return f"{by[way, n]:,.0f}{factor}"


def _learner(
    scenario: str, stream: Stream, seeds: Sequence[int], device: torch.device, reading: str, order: str
) -> HRN:
    values = SCENARIOS[scenario] | READINGS[reading]
    learner = HRN(stream.to(device), "CL1", options(Options, values, "hrn"), Replicas(tuple(seeds), device=device))
    learner.order = order
    return learner


def _steps(learner, warm_up: int, steps: int) -> Callable[[], None]:
    """A function that makes the next `steps` steps of the first task; see `next_steps`."""
    phase, *_ = learner.phases(0)
    return next_steps(phase, warm_up, steps)


def next_steps(phase: Phase, warm_up: int, steps: int) -> Callable[[], None]:
    """A function that makes the next `steps` steps; `warm_up` of them are made at once, since early steps fill bases."""
    phase.begin()
    made = 0

    def work(number: int = steps) -> None:
        nonlocal made
        for _ in range(number):
            phase.step(phase.batches(made), made)
            made += 1

    work(warm_up)
    return work


def _predictions(learner: HRN, way: str, count: int) -> Callable[[], None]:
    """A function that computes the features of `count` images."""
    train = learner.stream.stages[0].train
    x = train.take((torch.arange(count, device=learner.state["w"].device) % len(train))[None]).x
    parts = x.split(1, dim=1) if way == "one by one" else (x,)

    def work() -> None:
        for part in parts:
            learner.features(part)

    return work


def _paired(candidates: Mapping, turns: int, device: torch.device) -> dict:
    """Median seconds of each; on a CPU those of this process only, so that other programs count little."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    taken = {name: [] for name in candidates}
    for _ in range(turns):
        for name, work in candidates.items():
            _wait(device)
            started = clock()
            work()
            _wait(device)
            taken[name].append(clock() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
