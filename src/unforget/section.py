"""What every notebook begins with: a section of the book at a profile, its runs, and the frames its tables need.

    section = Section("hnet/split-mnist", profile="smoke", seeds="", device="auto", compute=False)
    section.run()

At `smoke` everything is trained on the spot. At `lite` and `paper` the recorded runs are shown; with `compute` the
missing ones are trained and recorded first.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
from tqdm import tqdm

from unforget import records, runtime
from unforget.errors import choose
from unforget.experiments import catalogue, executor, status, work
from unforget.experiments.spec import PROFILES, Experiment, Run, seed_range
from unforget.loop import Control
from unforget.records import Record
from unforget.results import claims, cost, ledger, measured, paper
from unforget.results.tables import MISSING, Table, by_cause, signed, together


class Section:
    """An experiment at a profile. Raises `UnforgetError` for an unknown experiment or profile, for bad seeds, and in a notebook
    that was given parameters which it does not declare.

    `page` is the notebook where it is not the one that the experiment is named after: labels of tables are made from it.
    The device is looked at only where something is trained: recorded runs can be shown on any machine.
    """

    def __init__(self, id: str, profile: str = "smoke", seeds: str = "", device: str = "auto", compute: bool = False,
                 page: str = ""):  # fmt: skip
        _check_parameters(getattr(sys.modules["__main__"], "In", []))
        self.experiment = catalogue.experiment(id)
        self.profile = choose("profile", profile, PROFILES)
        self.seeds = seed_range(seeds) if seeds else self.experiment.profile(profile).seeds
        self.device, self.compute, self.page = device, compute, page or id
        self.records: dict[str, Record] = {}

    def run(self, *only: str) -> None:
        """Train at smoke, or collect recorded runs (after training the missing ones, with `compute`): all, or those named."""
        wanted = tuple(map(self.experiment.run, only)) or self.experiment.runs
        if self.profile == "smoke":
            runtime.settle()
            jobs = executor.plan(self.experiment, wanted, "smoke", self.seeds, self.device, again=True,
                                 group=len(self.seeds))  # fmt: skip
            with _bar(self.experiment.id, len(jobs)) as bar:
                for number, job in enumerate(jobs):
                    control = Control(report=lambda done, total, where, n=number: _advance(bar, n + done / total))
                    name, trained = job.config["run"].split("/")[-1], work.train(replace(job, checkpoints=None), control)[0]
                    self.records[name] = records.pool(self.records.get(name, trained), trained)
            return
        if self.compute:
            jobs = executor.plan(self.experiment, wanted, self.profile, self.seeds, self.device)
            with _bar(self.experiment.id, sum(len(job.seeds) for job in jobs)) as bar:
                executor.execute(jobs, report=lambda done, where: _advance(bar, done))
        for name, record in recorded_runs(self.experiment, (self.profile,)).items():
            shown = [replica for replica in record["replicas"] if replica["seed"] in self.seeds]
            if shown and name in {run.name for run in wanted}:
                self.records[name] = record | {"replicas": shown}

    @cached_property
    def recorded(self) -> dict[str, Record]:
        """Recorded runs of this experiment at `paper` (else `lite`) by run name."""
        return recorded_runs(self.experiment)

    @property
    def cells(self) -> pd.DataFrame:
        """This run's numbers (frame of `unforget.results.measured`)."""
        return measured.from_records(self.records.values())

    @cached_property
    def recorded_cells(self) -> pd.DataFrame:
        """All recorded numbers."""
        return measured.measured()

    @property
    def recorded_at(self) -> str:
        """How captions begin: whether the recorded runs follow the paper, or which of them were shorter."""
        return self.recorded_of(*self.recorded)

    def recorded_of(self, *names: str) -> str:
        """The same for a figure that draws these runs only, of which some may not be recorded."""
        return measured.recorded_at({self.title(name): self.recorded[name] for name in names if name in self.recorded})

    def title(self, name: str) -> str:
        """How a run is called in tables and figures."""
        return self.experiment.run(name).title or name

    def source_of(self, *things) -> "Code":
        """The code of functions or classes, to stand beside their equation."""
        return Code("\n\n".join(textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in things))

    def claims(self, *ids: str) -> Table:
        """What the paper claims, evaluated on its own numbers and on our records."""
        table = claims.evaluate(paper.load(), self.recorded_cells, ids=ids)
        frame = pd.DataFrame(
            {
                "claim": table.claim, "where": table["where"], "on the paper's numbers": table.printed,
                "on our records": [f"{o}: {r}" if r else o for o, r in zip(table.ours, table.ours_reason, strict=True)],
            }
        )  # fmt: skip
        return Table(frame, "Claims of this section, evaluated by code.", f"tab-{self._slug}-claims", "prose")

    def deviations(self, paper_id: str, artifact: str, rows: Sequence[str], columns: Sequence[str] | None = None,
                   of: str = "") -> Table:  # fmt: skip
        """Every recorded number of these rows (and columns) that is not reproduced, how far it is off, and why: a cause that
        several share stands at the first of them.

        `of` names the table in the caption where a page shows deviations of several, as in "Table 2 of Chandra et al.".
        """
        table = ledger.ledger(paper.load(), self.recorded_cells, paper.load_causes())
        table = table[(table.paper == paper_id) & (table.artifact == artifact) & table.row.isin(rows)]
        if columns is not None:
            table = table[table.column.isin(columns)]
        recorded = table[table.ours.notna() & (table.status != "ours")]
        judged = table.verdict.isin(["reproduced", "close", "differs"]).any()
        table = table[table.verdict.isin(["close", "differs"])]
        frame = pd.DataFrame(
            {
                "row": table.row, "column": table.column, "verdict": [ledger.label(cell) for cell in table.itertuples()],
                "Δ": [signed(x) for x in table.delta], "Δ in SE": [signed(x, 1) for x in table.delta_se],
                "rule": table.why, "cause": _causes(table, recorded),
            }
        )  # fmt: skip
        caption = "what is not reproduced, and why."
        reason = "nothing recorded deviates." if judged else "nothing that is recorded can be judged yet."
        caption, empty = (_capital(f"{of}: {said}" if of else said) for said in (caption, reason))
        source = artifact if self.page.startswith(f"{paper_id}/") else f"{paper_id}-{artifact}"
        name = f"tab-{self._slug}-{source}-deviations"
        return Table(frame, caption, name, "prose", empty, reason=_capital(reason))

    def runs_table(self, *only: str) -> Table:
        """What each recorded run cost, whether the code has changed since, and what trains it: one line per run, of all or
        those named. A run that is not recorded has the time that a seed should take on one CPU thread."""
        lines = []
        for run in tuple(map(self.experiment.run, only)) or self.experiment.runs:
            record = self.recorded.get(run.name)
            lines.append(self._recorded_line(run, record) if record else self._open_line(run))
        columns = ["run", "profile", "seeds", "seconds per seed", "parameters", "device", "date", "code", "run again"]
        frame = pd.DataFrame(lines, columns=columns)
        waiting = " ≈: expected on one CPU thread." if (frame.profile == "not run").any() else ""
        more = " A command trains what its profile still lacks; with `--again`, all of it."
        return Table(frame, f"Recorded runs of this section.{waiting}{more}", f"tab-{self._slug}-runs", commands="run again")

    def _recorded_line(self, run: Run, record: Record) -> list[str]:
        spent, profile = cost.of(record), measured.profile(record)
        devices = ", ".join(sorted({block["device"] for block in record["run"]}))
        return [
            self.title(run.name), profile, str(spent.replicas), f"{spent.seconds:.1f}", spent.parameters, devices,
            spent.dates[-1], "changed since" if spent.changed else "current", self._command(run, profile),
        ]  # fmt: skip

    def _open_line(self, run: Run) -> list[str]:
        minutes = status.replica_minutes(self.experiment, run, "paper")
        expected = f"≈ {60 * minutes:,.0f}" if minutes else MISSING
        return [self.title(run.name), "not run", "0", expected, *[""] * 4, self._command(run, "paper")]

    def _command(self, run: Run, profile: str) -> str:
        return f"unforget run {self.experiment.id}/{run.name} --profile {profile}"

    @property
    def _slug(self) -> str:
        return self.page.replace("/", "-")


def recorded_runs(experiment: Experiment | str, profiles: Sequence[str] = ("paper", "lite")) -> dict[str, Record]:
    """Recorded runs of an experiment, or of one by id, by run name, at the first of `profiles` that has one."""
    experiment = catalogue.experiment(experiment) if isinstance(experiment, str) else experiment
    found = {}
    for run in experiment.runs:
        paths = (executor.record_path(experiment.resolve(run, profile)) for profile in profiles)
        path = next((path for path in paths if path.exists()), None)
        if path:
            found[run.name] = records.load(path)
    return found


class Code:
    """Python source shown as a code block."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return f"Code({len(self.text.splitlines())} lines)"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": f"```python\n{self.text}\n```"}


def scores(record: Record, view: str) -> np.ndarray:
    """acc[seed, after_stage, on_task] of a record (see `unforget.records.scores`)."""
    return records.scores(record, view)


def probe(record: Record, name: str) -> np.ndarray:
    """A probe of a record as an array [seed, ...] (see `unforget.records.probe`)."""
    return records.probe(record, name)


def _check_parameters(cells: Sequence[str]) -> None:
    """Refuse names that papermill injected but no cell before declares; papermill itself only warns.

    `cells` is what a notebook has executed so far; elsewhere there is none.
    """
    declared: list[str] = []
    for cell in cells:
        if cell.startswith("# Parameters\n"):
            for name in _assigned(cell):
                choose("parameter", name, declared)
        declared += _assigned(cell)


def _assigned(cell: str) -> list[str]:
    """Names that the lines of a cell assign to; none where it is not plain Python."""
    try:
        lines = ast.parse(cell).body
    except SyntaxError:
        return []
    targets = (getattr(line, "target", None) or getattr(line, "targets", [None])[0] for line in lines)
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _causes(cells: pd.DataFrame, whole: pd.DataFrame) -> list[str]:
    """The cause of each cell; one that several share is said at the first, with the name of the group, and pointed to after."""
    said = {}
    for cause, group in by_cause(cells.itertuples()).items():
        shared = cause and len(group) > 1
        said |= {cell.Index: f"as for {group[0].row}, {group[0].column}" if shared else cause for cell in group}
        said[group[0].Index] = f"{together(group, whole)}: {cause}" if shared else cause
    return [said[index] for index in cells.index]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _bar(title: str, total: int) -> tqdm:
    return tqdm(total=total, desc=title, bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}")


def _advance(bar: tqdm, done: float) -> None:
    bar.n = done
    bar.refresh()
