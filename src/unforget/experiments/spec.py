"""How experiments are declared: runs, profiles, and which printed cell a run's number stands beside."""

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, get_type_hints

from unforget import data, methods, probes
from unforget.errors import UnforgetError, choose
from unforget.experiments.changes import check_ranges, check_types
from unforget.methods.base import options
from unforget.methods.heads import SCENARIOS

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
    scan: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Options with several values: every seed is trained once for each combination."""


@dataclass(frozen=True)
class Cell:
    """A printed (or our own) table cell and the run, as `<experiment>/<run>`, whose number stands beside it.

    `metric` is a metric of `unforget.results.measured` ("final", "during", "task N", "first N", ...), "count NAME" for a
    number of parameters, "ratio" for trained over target weights, or one that is read from a probe; "full batches: METRIC"
    counts test images of an incomplete last batch as wrong.
    """

    paper: str
    artifact: str
    row: str
    column: str
    run: str
    view: str
    metric: str = "final"
    variant: bool = False
    """The run differs from the paper on purpose: its number supports a cause and never stands in a table."""


@dataclass(frozen=True)
class Profile:
    """What a profile changes: the stream, options common to all runs, the seeds."""

    stream: Mapping[str, Any]
    seeds: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def of(self, **options: Any) -> "Profile":
        """The same with these options changed."""
        return replace(self, options={**self.options, **options})


@dataclass(frozen=True)
class Experiment:
    """What one notebook regenerates."""

    id: str
    title: str
    regenerates: str
    runs: tuple[Run, ...]
    profiles: Mapping[str, Profile]
    minutes: Mapping[str, float] = field(default_factory=dict)
    """Measured minutes per replica at `paper` on one CPU thread, by how a run's name begins ("*" for all others)."""
    cpu_group: int = 1
    """How many replicas train together on one CPU core. Many pay only where the weights of all fit its cache."""
    page: str = ""
    """The notebook that shows it, where that is not named like the experiment."""

    @property
    def name(self) -> str:
        """The id without the paper, as records and pages say it."""
        return self.id.partition("/")[2]

    def run(self, name: str) -> Run:
        return {run.name: run for run in self.runs}[choose("run", name, [run.name for run in self.runs])]

    def minutes_of(self, run: str) -> float:
        """The measured minutes of a run: those of the longest beginning of its name that has any."""
        known = [start for start in self.minutes if run.startswith(start)]
        return self.minutes[max(known, key=len)] if known else self.minutes.get("*", 0.0)

    def profile(self, name: str) -> Profile:
        return self.profiles[choose("profile", name, PROFILES)]

    def resolve(self, run: Run, profile: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The full configuration of a run, every default spelt out: what its record holds and is compared by.

        `changes` to options make a custom run. Misspelt names are refused.
        """
        chosen = self.profile(profile)
        hints = get_type_hints(methods.find(run.method).Options)
        check_types(run.method, hints, changes or {})
        shared = {k: v for k, v in chosen.options.items() if k in hints}
        config = completed(
            {
                "run": f"{self.name}/{run.name}", "stream": dict(chosen.stream), "method": run.method,
                "scenario": choose("scenario", run.scenario, SCENARIOS), "views": run.views,
                "options": {**run.options, **shared, **(changes or {})},
                "probes": [name for name in run.probes if probes.find(name)],
            }
        )  # fmt: skip
        check_ranges(run.method, {name: config["options"][name] for name in changes or {}})
        return config


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with the defaults of today spelt out, as JSON gives it back.

    An option or stream parameter that is declared later comes with a default that leaves old runs as they were; this makes
    their records comparable with new ones.
    """
    kind = methods.find(config["method"]).Options
    values = asdict(options(kind, config["options"], config["method"]))
    return json.loads(json.dumps({**config, "stream": data.complete(**config["stream"]), "options": values}))


def replicas(seeds: tuple[int, ...], scan: Mapping[str, tuple[float, ...]]) -> list[dict[str, Any]]:
    """One entry per replica, {"seed": ..., "scan": {...}}: every seed for every combination of scanned values."""
    combinations = [dict(zip(scan, values, strict=True)) for values in itertools.product(*scan.values())]
    return [{"seed": seed, "scan": combination} for combination in combinations for seed in seeds]


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


def seed_text(seeds: Iterable[int], to: str = "-", then: str = ",") -> str:
    """The inverse of `seed_range`: "0-4,7" for (0, 1, 2, 3, 4, 7); `to` and `then` are what stands in and between ranges."""
    ranges: list[list[int]] = []
    for seed in sorted(seeds):
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    return then.join(str(a) if a == b else f"{a}{to}{b}" for a, b in ranges)
