"""All experiments and all cells they fill, over all papers."""

from collections.abc import Mapping
from typing import Any

from unforget.errors import UnforgetError, choose
from unforget.experiments import hnet, hrn, lstm
from unforget.experiments.spec import PROFILES, Cell, Experiment, Run, completed

EXPERIMENTS: dict[str, Experiment] = {e.id: e for paper in (hnet, lstm, hrn) for e in paper.EXPERIMENTS}
CELLS: tuple[Cell, ...] = hnet.CELLS + lstm.CELLS + hrn.CELLS


def experiment(id: str) -> Experiment:
    """An experiment by id, as in "hnet/split-mnist"; an unknown one is refused with the nearest valid one."""
    return EXPERIMENTS[choose("experiment", id, EXPERIMENTS)]


def find(name: str) -> tuple[Experiment, tuple[Run, ...]]:
    """An experiment and its chosen runs: all for "hnet/split-mnist", one for "hnet/split-mnist/ewc-cl1"."""
    if name.count("/") == 2:
        parent, _, run = name.rpartition("/")
        chosen = experiment(parent)
        return chosen, (chosen.run(run),)
    chosen = experiment(name)
    return chosen, chosen.runs


def of(run: str) -> tuple[Experiment, tuple[Run, ...]]:
    """The experiment and the run that a record names, as in "split-mnist/ewc-cl1"."""
    parent, _, name = run.rpartition("/")
    ids = {id.partition("/")[2]: id for id in EXPERIMENTS}
    return find(f"{ids[choose('experiment', parent, ids)]}/{name}")


def label(config: Mapping[str, Any]) -> str:
    """The profile a configuration belongs to: "paper" where it equals what is declared there, else lite, smoke, custom.

    Seeds are not part of a configuration: five seeds of the paper's protocol are five seeds of the paper's protocol.
    """
    try:
        parent, (run,) = of(config["run"])
        config = completed(config)
    except UnforgetError:
        return "custom"
    for profile in ("paper", *PROFILES):
        if config == parent.resolve(run, profile):
            return profile
    return "custom"
