"""How experiments are declared: runs, profiles, and which printed cell a run's number stands beside."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from unforget import methods
from unforget.errors import UnforgetError, choose
from unforget.experiments.changes import check
from unforget.methods.base import options

PROFILES = ("smoke", "lite", "paper")


@dataclass(frozen=True)
class Run:
    """One method in one scenario. `views` are scored; `options` are what differs from the method's defaults."""

    name: str
    method: str
    scenario: str
    views: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    probes: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Cell:
    """A printed (or our own) table cell and the run, as `<experiment>/<run>`, whose number stands beside it.

    `metric` is a metric of `unforget.results.measured` ("final", "during", "task N", ...) or "count NAME" for a number of
    parameters.
    """

    paper: str
    artifact: str
    row: str
    column: str
    run: str
    view: str
    metric: str = "final"


@dataclass(frozen=True)
class Profile:
    """What a profile changes: the stream, options common to all runs, the seeds."""

    stream: Mapping[str, Any]
    seeds: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """What one notebook regenerates."""

    id: str
    title: str
    regenerates: str
    runs: tuple[Run, ...]
    profiles: Mapping[str, Profile]
    minutes: Mapping[str, float] = field(default_factory=dict)
    """Measured minutes per replica at `paper` on one CPU thread, by run name ("*" for all others)."""
    cpu_group: int = 1
    """How many replicas train together on one CPU core. Many pay only where the weights of all fit its cache."""

    def run(self, name: str) -> Run:
        return {run.name: run for run in self.runs}[choose("run", name, [run.name for run in self.runs])]

    def profile(self, name: str) -> Profile:
        return self.profiles[choose("profile", name, PROFILES)]

    def resolve(self, run: Run, profile: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The full configuration of a run, every default spelt out: what its record holds and is compared by.

        `changes` to options make a custom run. Misspelt names are refused.
        """
        chosen = self.profile(profile)
        kind = methods.find(run.method).Options
        shared = {k: v for k, v in chosen.options.items() if k in kind.__dataclass_fields__}
        values = asdict(options(kind, {**run.options, **shared, **(changes or {})}, run.method))
        check(run.method, {name: values[name] for name in changes or {}})
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        return {
            "run": f"{self.id.split('/', 1)[1]}/{run.name}", "stream": dict(chosen.stream), "method": run.method,
            "scenario": run.scenario, "views": list(run.views), "options": values, "probes": list(run.probes),
        }  # fmt: skip


MOST_SEEDS = 10_000


def seed_range(text: str) -> tuple[int, ...]:
    """Seeds from "0-19", "3" or "0-4,7". Raises `UnforgetError` for anything else."""
    parts = [re.fullmatch(r"([0-9]{1,18})(?:-([0-9]{1,18}))?", part.strip()) for part in text.split(",")]
    if not all(parts):
        raise UnforgetError(f"cannot read seeds {text!r}; write them as 0-4, 7 or 0-4,7")
    ranges = [range(int(part[1]), int(part[2] or part[1]) + 1) for part in parts if part]
    if sum(map(len, ranges)) > MOST_SEEDS:
        raise UnforgetError(f"seeds {text!r} are more than {MOST_SEEDS}; write them as 0-4, 7 or 0-4,7")
    seeds = [seed for part in ranges for seed in part]
    if not all(ranges) or len(set(seeds)) != len(seeds):
        raise UnforgetError(f"seeds {text!r} are empty or repeat themselves; write them as 0-4, 7 or 0-4,7")
    return tuple(seeds)


def seed_text(seeds: Iterable[int]) -> str:
    """The inverse of `seed_range`: "0-4,7" for (0, 1, 2, 3, 4, 7)."""
    ranges: list[list[int]] = []
    for seed in sorted(seeds):
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
