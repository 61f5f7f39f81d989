"""Numbers of the sequences of tasks of Berjaoui (2020), as frames for tables and figures.

*first* is the accuracy on a task right after it was trained, *final* that at the end of the sequence; both stand in every
cell of arXiv Table 1, and for the last task they are one number. Accuracies are in percent, tasks have the paper's numbers.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from unforget import records
from unforget.experiments.hrn.sequences import EXPERIMENTS, OWN, ROWS, TABLES
from unforget.records import Record
from unforget.results import measured, paper, verdict
from unforget.results.claims.hrn.sequences import ALONE, PRINTED, RIVALS, WHOLE
from unforget.results.tables import MISSING, number
from unforget.words import count

PAPERS_ROWS = (*RIVALS, "HRN")
OUR_ROWS = tuple(row for row in ROWS.values() if row not in PAPERS_ROWS)
PAPERS_RUNS = tuple(name for name, row in ROWS.items() if row in PAPERS_ROWS)
TESTS = {sequence.artifact: sequence.tests for sequence in (*PRINTED, ALONE)}
"""Numbers of test images of every task of a table."""
AVERAGES = {"images": "global", "tasks": "final"}
"""What an average of the final accuracies is over, and its metric: the first weighs a task by its test images."""


def printed(artifact: str) -> pd.DataFrame:
    """arXiv Table 1: columns row, task, first, final. CIFAR-100 alone gets those of its tasks after SVHN."""
    table = paper.load()
    source, number = (WHOLE.artifact, ALONE.first) if artifact == ALONE.artifact else (artifact, 0)
    cells = table[(table.paper == "hrn") & (table.artifact == source)]
    parts = cells.column.str.extract(r"T(?P<task>\d+) (?P<moment>\w+)")
    cells = cells.assign(task=parts.task.astype(int), moment=parts.moment)
    wide = cells.pivot(index=["row", "task"], columns="moment", values="mean").reset_index()
    wide = wide[wide.task >= number].assign(first=wide["first"].fillna(wide.final))
    order = wide.row.map(PAPERS_ROWS.index)
    return wide.iloc[np.lexsort((wide.task, order))][["row", "task", "first", "final"]].reset_index(drop=True)


def paper_is(artifact: str) -> str:
    """What the paper's numbers are called beside ours: those of CIFAR-100 alone come from the whole sequence."""
    return "paper, after SVHN" if artifact == ALONE.artifact else "paper"


def ceilings(artifact: str) -> pd.DataFrame:
    """The most that a task can have where an incomplete last batch of test images is left out and counts as wrong.

    One line per task, one column for each batch size of the printed rows; then the largest printed number, whose it is, and
    whether it is a ceiling.
    """
    experiment = next(e for e in EXPERIMENTS if e.id == f"hrn/{TABLES[artifact][0]}")
    found = [experiment.resolve(run, "paper")["options"]["batch"] for run in experiment.runs if run.title in PAPERS_ROWS]
    batches, theirs, lines = sorted(set(found)), printed(artifact), []
    for t, n in enumerate(TESTS[artifact], TABLES[artifact][2]):
        most = [f"{100 * (n // batch * batch) / n:.2f}" for batch in batches]
        own = theirs[theirs.task == t].melt("row", ["first", "final"])
        best = own.loc[own["value"].idxmax()]
        is_one = [batch for batch, ceiling in zip(batches, most, strict=True) if f"{best['value']:.2f}" == ceiling]
        lines.append((f"T{t}", n, *most, f"{best['value']:.2f}", best.row, "yes" if is_one else "no"))
    names = ["task", "test images", *(f"most with batches of {batch}" for batch in batches)]
    return pd.DataFrame(lines, columns=[*names, "largest printed", "whose", "is the most"])


def of_records(found: Mapping[str, Record], artifact: str) -> pd.DataFrame:
    """The same of runs, with every seed: columns row, seed, task, first, final. Runs that fill no row are left out."""
    lines = []
    for name, row in ROWS.items():
        if name in found:
            scores = 100 * records.scores(found[name], OWN)
            for replica, own in zip(found[name]["replicas"], scores, strict=True):
                both = zip(np.diagonal(own), own[-1], strict=True)
                lines += [(row, replica["seed"], TABLES[artifact][2] + t, *pair) for t, pair in enumerate(both)]
    return pd.DataFrame(lines, columns=["row", "seed", "task", "first", "final"])


def table(
    artifact: str, recorded: Mapping[str, Record], this_run: Mapping[str, Record], profile: str, rows: Sequence[str] = PAPERS_ROWS
) -> pd.DataFrame:
    """One line for each row and source, one column for each task, "first → final" in a cell (means over seeds)."""
    sources = {paper_is(artifact): printed(artifact), "recorded": of_records(recorded, artifact),
               f"this run ({profile})": of_records(this_run, artifact)}  # fmt: skip
    tasks = [TABLES[artifact][2] + t for t in range(len(TESTS[artifact]))]
    lite = {row for name, row in ROWS.items() if name in recorded and measured.profile(recorded[name]) != "paper"}
    lost = {source: {row: measured.diverged(found[name]) for name, row in ROWS.items() if name in found}
            for source, found in zip(list(sources)[1:], (recorded, this_run), strict=True)}  # fmt: skip
    lines = []
    for row in rows:
        for source, frame in sources.items():
            own = frame[frame.row == row]
            if len(own):
                seeds = own.seed.nunique() if "seed" in own else None
                means = own.groupby("task")[["first", "final"]].mean()
                last = means.index.max()
                cells = [_pair(*means.loc[t], t == last) if t in means.index else MISSING for t in tasks]
                said = f"{source}, lite" if source == "recorded" and row in lite else source
                said += f" ({lost[source][row]})" if lost.get(source, {}).get(row) else ""
                lines.append([row, said, MISSING if seeds is None else seeds, *cells])
    return pd.DataFrame(lines, columns=["row", "source", "seeds", *(f"T{t}" for t in tasks)])


def _pair(first: float, final: float, last: bool) -> str:
    return f"{final:.2f}" if last else f"{first:.2f} → {final:.2f}"


def averages(artifact: str, recorded: Mapping[str, Record], this_run: Mapping[str, Record], profile: str) -> pd.DataFrame:
    """Final accuracy averaged over test images (micro) and over tasks (macro), ± standard error (seeds)."""
    theirs, lines = printed(artifact), []
    runs = {row: name for name, row in ROWS.items()}
    for row in (*PAPERS_ROWS, *OUR_ROWS):
        if runs[row] not in (*recorded, *this_run) and row not in PAPERS_ROWS:
            continue
        line = [row]
        for over, metric in AVERAGES.items():
            finals = theirs[theirs.row == row].final.to_numpy()
            weights = np.array(TESTS[artifact] if over == "images" else np.ones(len(finals)), float)
            line.append(f"{finals @ weights / weights.sum():.2f}" if len(finals) else MISSING)
            line += [_average(found.get(runs[row]), metric, found is recorded) for found in (recorded, this_run)]
        lines.append(line)
    sources = (paper_is(artifact), "recorded", f"this run ({profile})")
    return pd.DataFrame(lines, columns=["row", *(f"over {over}: {source}" for over in AVERAGES for source in sources)])


def _average(record: Record | None, metric: str, name_profile: bool) -> str:
    if record is None:
        return MISSING
    shorter = ", lite" if name_profile and measured.profile(record) != "paper" else ""
    values = 100 * measured.metric(records.scores(record, OWN), metric, record["tests"])
    ended = f", {measured.diverged(record)}" if measured.diverged(record) else ""
    return number(values.mean(), values.std(ddof=1) if len(values) > 1 else 0.0, len(values), "%") + shorter + ended


def so_far(recorded: Mapping[str, Record]) -> str:
    """Which rows of a sequence are recorded, and what is open, in words for a page."""
    found = {row: recorded[name] for name, row in ROWS.items() if name in recorded}
    if not found:
        return "Nothing of this sequence is recorded, so what is claimed of it is open here."
    seeds = {row: len(record["replicas"]) for row, record in found.items()}
    shorter = {row: "" if measured.profile(record) == "paper" else ", lite" for row, record in found.items()}
    rows = [f"*{row}* ({count(n, 'seed')}{shorter[row]})" for row, n in seeds.items()]
    said = f"Recorded: {_and(rows)}."
    if min(seeds.values()) < verdict.MIN_SEEDS:
        said += f" Fewer than {verdict.MIN_SEEDS} seeds are shown, but not judged."
    if open_rows := [row for row in PAPERS_ROWS if row not in found]:
        missing = f"{_and(open_rows)} {'is' if len(open_rows) == 1 else 'are'} missing"
        return f"{said} Of the rows that the paper prints {missing}, so whether its order of the methods comes back is open."
    return f"{said} So every row that the paper prints stands beside ours above, and is judged below."


def _and(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def stages(found: Mapping[str, Record], artifact: str) -> pd.DataFrame:
    """After every task, for every seed, the accuracy on the first task and over all images seen: what Figure 2 draws."""
    lines = []
    for name, row in ROWS.items():
        if name in found:
            tests, number = np.array(found[name]["tests"]), TABLES[artifact][2]
            for replica, own in zip(found[name]["replicas"], 100 * records.scores(found[name], OWN), strict=True):
                for t in range(len(own)):
                    overall = own[t, : t + 1] @ tests[: t + 1] / tests[: t + 1].sum()
                    lines.append((row, replica["seed"], number + t, own[t, 0], overall))
    return pd.DataFrame(lines, columns=["row", "seed", "after", "first task", "all images"])
