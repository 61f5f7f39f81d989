"""The ablations of Berjaoui (2020): what is printed twice, whether the two agree, and what the printed columns can be.

ICLR appendix B, Table 1 prints numbers, arXiv Table 2 marks from −− to ++.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from unforget.experiments.hrn.ablations import ROWS, ablations, run_name
from unforget.experiments.hrn.sequences import pairwise_mnist
from unforget.experiments.spec import Experiment
from unforget.records import Record
from unforget.results import cost, ledger, paper, verdict
from unforget.results.claims.hrn.ablations import MARKS, SAME_COLUMN, SAME_ROW, UNCHANGED, agrees
from unforget.results.claims.hrn.sequences import PRINTED
from unforget.results.hrn.architectures import SETTINGS
from unforget.results.tables import MISSING, compared

T0, MAX, GLOBAL, TIME = "T0 accuracy", "Max task accuracy", "Global accuracy", "Training time"
TESTS = next(sequence for sequence in PRINTED if sequence.name == "Pairwise MNIST").tests


def printed(artifact: str = "table-b1") -> pd.DataFrame:
    """Rows and columns of a table as the paper has them, as text with the printed decimals."""
    table = paper.load()
    cells = table[(table.paper == "hrn") & (table.artifact == artifact)]
    text = [f"{cell.mean:.{cell.decimals}f}" for cell in cells.itertuples()]
    wide = cells.assign(text=text).pivot(index="row", columns="column", values="text")
    return wide.loc[list(dict.fromkeys(cells.row)), list(dict.fromkeys(cells.column))]


SYMBOLS = {"eq7": "gradUpdate", "update": "basis update"} | {
    name: SETTINGS[name] for name in ("m", "s", "tau_expand", "rho", "lam", "n_res")
}
"""Options that rows change, as the paper calls them, in the order in which it prints them; Algorithm 2 and the depth, which
is one more than the residues, are changed in rows of the arXiv version only."""


def changes() -> pd.DataFrame:
    """What every row changes of the baseline, as ICLR Table 1 prints it and as our configuration has it, and where both
    name a value and differ. The baseline's line has the values that it prints."""
    lines = []
    for row in ROWS:
        theirs, ours = _printed_values(row), _own_values(row)
        differ = [name for name in ours if name in theirs and _number(theirs[name]) != _number(ours[name])]
        lines.append((row, _said(theirs), _said(ours), ", ".join(differ)))
    return pd.DataFrame(lines, columns=["row", "printed", "ours", "differs"])


def baseline() -> str:
    """In which settings the baseline differs from HRN of the sequence itself, as a sentence."""
    here, there = _options(ablations, "baseline"), _options(pairwise_mnist, "hrn")
    differ = [f"{SYMBOLS.get(name, name)} = {here[name]} where {SYMBOLS.get(name, name)} = {there[name]} there"
              for name in here if here[name] != there[name]]  # fmt: skip
    return f"The baseline is that of the ablations, not the row HRN of Pairwise MNIST: {', '.join(differ) or 'equal in all settings'}."


def _options(experiment: Experiment, run: str) -> dict[str, Any]:
    return experiment.resolve(experiment.run(run), "paper")["options"]


def _printed_values(row: str) -> dict[str, str]:
    lines = paper.load_ablations()
    return dict(lines.loc[lines.row == row, ["name", "value"]].values.tolist())


def _own_values(row: str) -> dict[str, str]:
    """The printed values of the baseline, or what another row changes of them, from the configuration."""
    base, own = _options(ablations, "baseline"), _options(ablations, run_name(row))
    printed = _printed_values("Baseline")
    wanted = [name for name in SYMBOLS if (SYMBOLS[name] in printed if row == "Baseline" else own[name] != base[name])]
    values = {SYMBOLS[name]: f"{own[name]:g}" if isinstance(own[name], float) else str(own[name]) for name in wanted}
    return values | ({"d": str(own["n_res"] + 1)} if "n_res" in wanted else {})


def _said(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items()) or MISSING


def _number(value: str) -> float | str:
    return value if value in ("True", "False") else float(value)


def shares() -> pd.DataFrame:
    """Whether the numbers of a printed column can be shares of the test images of T0, of another task, or of all.

    One line per column and number of images n: how many of its cells are k/n to two decimals, how many of as many random
    numbers with two decimals would be, and the probability that at least as many of them are.
    """
    table, lines = printed().astype(float), []
    sizes = {f"T{t}": n for t, n in enumerate(TESTS)} | {"T0, ten times": 10 * TESTS[0]}
    for column in (T0, MAX, GLOBAL):
        for name, n in sizes.items():
            possible = np.unique(np.round(100 * np.arange(n + 1) / n, 2))
            found = int(np.isclose(table[column].to_numpy()[:, None], possible, atol=1e-6).any(1).sum())
            chance, cells = len(possible) / 10_001, len(table)
            tail = sum(math.comb(cells, i) * chance**i * (1 - chance) ** (cells - i) for i in range(found, cells + 1))
            lines.append((column, name, n, f"{found} of {cells}", f"{chance * cells:.1f}", f"{tail:.1g}"))
    columns = ["printed column", "test images of", "n", "cells that are k/n", "expected by chance", "probability of as many"]
    return pd.DataFrame(lines, columns=columns)


def below() -> pd.DataFrame:
    """Rows whose "max task accuracy" lies below another accuracy of the row, which no maximum over tasks can."""
    table = printed()
    number, lines = table.astype(float), []
    for row in table.index:
        under = [other for other in (T0, GLOBAL) if number.loc[row, MAX] < number.loc[row, other]]
        if under:
            lines.append((row, *table.loc[row, [T0, MAX, GLOBAL]], " and ".join(under)))
    return pd.DataFrame(lines, columns=["row", T0, MAX, GLOBAL, "the maximum is below"])


def contradictions() -> pd.DataFrame:
    """One line per mark of arXiv Table 2: the mark, the numbers of the ICLR version, and whether they agree."""
    marks, numbers, lines = printed("table-2"), printed(), []
    for row in marks.index:
        for column in marks.columns:
            mark, other, same = int(marks.loc[row, column]), SAME_ROW.get(row), SAME_COLUMN[column]
            if other is None:
                lines.append((row, column, MARKS[mark], MISSING, "no such row"))
                continue
            before, after = (numbers.loc[name, same] for name in ("Baseline", other))
            verdict = "agree" if agrees(mark, float(before), float(after), same) else "contradict"
            lines.append((row, column, MARKS[mark], f"{before} to {after}", verdict))
    return pd.DataFrame(lines, columns=["row", "column", "arXiv", "ICLR", f"within {UNCHANGED:.0%} counts as ="])


def marks_beside(cells: pd.DataFrame, recorded: Mapping[str, Record]) -> pd.DataFrame:
    """One line per mark of arXiv Table 2: the mark, what the row adds to the baseline here (accuracies seed by seed, with how
    likely so much is by chance; times as a multiple), and whether the two agree. Rows were not timed side by side, so times are
    not judged. The column "Max task accuracy" of the marks is taken at its word; what the ICLR table prints under that name cannot
    be a maximum over tasks.

    `cells` is a frame of `unforget.results.measured`, `recorded` the records by the names of runs, for the times.
    """
    found, lines = _by_seed(cells), []
    for row, marks in printed("table-2").astype(int).iterrows():
        other = SAME_ROW.get(row, row)
        for column, mark in marks.items():
            same = SAME_COLUMN[column]
            if same == TIME:
                before, after = (cost.of(recorded[run]).seconds if run in recorded else math.nan for run in map(run_name, ("Baseline", other)))
                said, known, judged = f"× {_times(after, before)}", after / before == after / before, "not judged"
            else:
                added, chance = verdict.paired(found.get((other, same), {}), found.get(("Baseline", same), {}))
                said, known, beyond = compared(added, chance), chance == chance, chance < verdict.CHANCE
                agree = agrees(mark, 0.0, added if beyond else 0.0, same)
                judged = "agree" if agree else "contradict" if beyond else "within chance"
            lines.append((row, column, MARKS[mark], said if known else MISSING, judged if known else MISSING))
    return pd.DataFrame(lines, columns=["row", "column", "arXiv", "ours", "verdict"])


def columns_beside(recorded: pd.DataFrame, this_run: pd.DataFrame, profile: str, columns: dict[str, str]) -> pd.DataFrame:
    """One line per row; for each of `columns` (ours, and the printed one to stand beside it) what is printed and measured.

    `recorded` and `this_run` are frames of `unforget.results.measured`.
    """
    theirs, lines = printed(), []
    sources = {"recorded": recorded, f"this run ({profile})": this_run}
    for row in ROWS:
        line = [row]
        for ours, printed_name in columns.items():
            if printed_name:
                line.append(theirs.loc[row, printed_name] if row in theirs.index else MISSING)
            line += [_spread(frame, row, ours) for frame in sources.values()]
        lines.append(line)
    names = [f"{ours}: {source}" for ours, theirs in columns.items() for source in (*(["paper"] if theirs else []), *sources)]
    return pd.DataFrame(lines, columns=["row", *names])


def times(recorded: dict[str, Record], this_run: dict[str, Record], profile: str) -> pd.DataFrame:
    """One line per row: the printed minutes, and what one seed took in records by the names of runs, tests included.

    Beside each stands how many times the baseline's that is: machines differ, and so may the load on one.
    """
    theirs = printed().loc[:, TIME]
    ours = {"recorded": recorded, f"this run ({profile})": this_run}
    taken = {source: {run: cost.of(record).seconds for run, record in found.items()} for source, found in ours.items()}
    lines = []
    for row in ROWS:
        line = [row, theirs.get(row, MISSING), _times(*(float(theirs.get(name, "nan")) for name in (row, "Baseline")))]
        for seconds in taken.values():
            own, base = (seconds.get(run_name(name), math.nan) for name in (row, "Baseline"))
            line += [MISSING if math.isnan(own) else f"{own:.1f}", _times(own, base)]
        lines.append(line)
    units = {"paper": "min", **dict.fromkeys(ours, "s")}
    return pd.DataFrame(lines, columns=["row", *(f"{source}: {name}" for source, unit in units.items() for name in (unit, "× baseline"))])


def _times(own: float, base: float) -> str:
    return MISSING if math.isnan(own / base) else f"{own / base:.2f}"


def every_seed(cells: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Columns row, column, accuracy, one line per seed."""
    own = _own(cells)
    lines = [(row, column, value) for column in columns for row in ROWS
             for values in own[(own.row == row) & (own.column == column)]["values"][:1] for value in values]  # fmt: skip
    return pd.DataFrame(lines, columns=["row", "column", "accuracy in %"])


def differences(cells: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """What each row adds to the baseline, seed by seed, and how likely so much is by chance (`verdict.paired`)."""
    found, (baseline, *others), lines = _by_seed(cells), ROWS, []
    for row in others:
        pairs = [verdict.paired(found.get((row, column), {}), found.get((baseline, column), {})) for column in columns]
        if any(chance == chance for _, chance in pairs):
            lines.append((row, *(compared(*pair) for pair in pairs)))
    return pd.DataFrame(lines, columns=["row", *columns])


def _by_seed(cells: pd.DataFrame) -> dict[tuple[str, str], dict[int, float]]:
    """The values of this table by row and column, and by seed."""
    own = _own(cells).drop_duplicates(["row", "column"])
    return {(cell.row, cell.column): ledger.by_seed(cell) for cell in own.itertuples()}


def _own(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells of this table, those at `paper` before others."""
    own = cells[(cells.paper == "hrn") & (cells.artifact == "table-b1")]
    return own.sort_values("profile", key=lambda profile: profile != "paper", kind="stable")


def _spread(cells: pd.DataFrame, row: str, column: str) -> str:
    """Mean and, in brackets, the lowest and the highest seed."""
    own = _own(cells)
    own = own[(own.row == row) & (own.column == column)]
    if own.empty:
        return MISSING
    values = own.iloc[0]["values"]
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"
