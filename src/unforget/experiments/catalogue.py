"""All experiments and all cells they fill, over all papers."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from unforget.errors import UnforgetError, choose, nearest
from unforget.experiments import hnet, hrn, lstm
from unforget.experiments.spec import PROFILES, Cell, Experiment, Run, completed

EXPERIMENTS: dict[str, Experiment] = {e.id: e for paper in (hnet, lstm, hrn) for e in paper.EXPERIMENTS}
CELLS: tuple[Cell, ...] = hnet.CELLS + lstm.CELLS + hrn.CELLS
PAPERS = tuple(dict.fromkeys([*(id.partition("/")[0] for id in EXPERIMENTS), *(cell.paper for cell in CELLS)]))
"""Papers that have experiments, of their own or shared."""


def experiment(id: str) -> Experiment:
    """An experiment by id, as in "hnet/split-mnist"; an unknown one is refused with the nearest valid one."""
    return EXPERIMENTS[choose("experiment", id, EXPERIMENTS)]


def find(name: str) -> tuple[Experiment, tuple[Run, ...]]:
    """An experiment and its chosen runs: all for "hnet/split-mnist", one for "hnet/split-mnist/ewc-cl1".

    The paper may be left out where no other has an experiment of that name: records and pages say "split-mnist/ewc-cl1".
    Raises `UnforgetError` for the name of a paper alone, and for an unknown name with the nearest valid one.
    """
    if name in PAPERS:
        raise UnforgetError(f"{name} is a paper; choose one of its experiments: {', '.join(e.id for e in of_paper(name))}")
    parts = name.split("/")
    length = 2 if parts[0] in PAPERS else 1
    found = _named("/".join(parts[:length]))
    if len(found) > 1:
        raise UnforgetError(f"{name!r} is ambiguous; choose one of: {', '.join(e.id for e in found)}")
    if not found or len(parts) > length + 1:
        raise UnforgetError(f"unknown experiment {name!r}; {_hint(name)}")
    return found[0], (found[0].run(parts[length]),) if len(parts) > length else found[0].runs


def _named(name: str) -> list[Experiment]:
    """Experiments with this id, or with this id but for the paper."""
    return [e for e in EXPERIMENTS.values() if name in (e.id, e.name)]


def _hint(name: str) -> str:
    """The nearest id, with or without the paper and with or without a run, as it was written."""
    ids = [*EXPERIMENTS, *(f"{e.id}/{run.name}" for e in EXPERIMENTS.values() for run in e.runs)]
    near = nearest(name, [*PAPERS, *ids, *(id.partition("/")[2] for id in ids)])
    return f"did you mean {near!r}?" if near else f"choose one of: {', '.join(EXPERIMENTS)}"


def of_paper(paper: str) -> tuple[Experiment, ...]:
    """A paper's experiments: its own, or, where it has none, those of other papers that fill cells of its tables."""
    own = tuple(e for e in EXPERIMENTS.values() if e.id.startswith(f"{paper}/"))
    shared = {cell.run.partition("/")[0] for cell in CELLS if cell.paper == paper}
    return own or tuple(e for e in EXPERIMENTS.values() if e.name in shared)


@cache
def filling() -> dict[tuple[str, str, str, str], str]:
    """The run, as "split-mnist/ewc-cl1", that fills each cell (paper, artifact, row, column) as the paper has it, recorded
    or not; a cell without one is not built yet."""
    return {(cell.paper, cell.artifact, cell.row, cell.column): cell.run for cell in CELLS if not cell.variant}


def of(run: str) -> tuple[Experiment, Run]:
    """The experiment and the run that a record names, as in "split-mnist/ewc-cl1"."""
    parent, _, name = run.rpartition("/")
    named = {e.name: e for e in EXPERIMENTS.values()}
    found = named[choose("experiment", parent, named)]
    return found, found.run(name)


def label(config: Mapping[str, Any]) -> str:
    """The profile a configuration belongs to: "paper" where it equals what is declared there, else lite, smoke, custom.

    Seeds are not part of a configuration: five seeds of the paper's protocol are five seeds of the paper's protocol.
    """
    try:
        parent, run = of(config["run"])
        config = completed(config)
    except UnforgetError:
        return "custom"
    for profile in reversed(PROFILES):
        if config == parent.resolve(run, profile):
            return profile
    return "custom"
