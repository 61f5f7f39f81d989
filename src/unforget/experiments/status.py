"""What is recorded, what is missing, and what it would cost."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from unforget import records
from unforget.experiments import executor
from unforget.experiments.spec import Experiment, Run, replicas, seed_text


@dataclass(frozen=True)
class Status:
    """One run at one profile: which of its declared seeds are recorded, and its cost.

    `cpu_minutes` is what one seed (all its scanned values) takes on one CPU thread (`replica_minutes`), `gpu_minutes` what
    all replicas together took on a GPU; None where nothing was measured that tells.
    """

    experiment: Experiment
    run: Run
    profile: str
    declared: tuple[int, ...]
    recorded: tuple[int, ...]
    cpu_minutes: float | None
    gpu_minutes: float | None

    @property
    def missing(self) -> tuple[int, ...]:
        """Declared seeds that no record holds."""
        return tuple(seed for seed in self.declared if seed not in self.recorded)

    @property
    def declared_minutes(self) -> float | None:
        """Estimated minutes on one CPU thread for all declared seeds."""
        return None if self.cpu_minutes is None else self.cpu_minutes * len(self.declared)

    @property
    def missing_minutes(self) -> float | None:
        """Estimated minutes on one CPU thread for what is missing."""
        return None if self.cpu_minutes is None else self.cpu_minutes * len(self.missing)

    @property
    def command(self) -> str:
        """What trains the missing replicas."""
        seeds = "" if len(self.missing) == len(self.declared) else f" --seeds {seed_text(self.missing)}"
        return f"unforget run {self.experiment.id}/{self.run.name} --profile {self.profile}{seeds}"


def status(experiment: Experiment, run: Run, profile: str) -> Status:
    """The state of one run at one profile; a record of another configuration counts for nothing.

    Raises `UnforgetError` naming a damaged record.
    """
    record = _record(experiment.resolve(run, profile))
    found = {records.key(replica) for replica in record["replicas"]} if record else set()
    declared = experiment.profile(profile).seeds
    recorded = [seed for seed in declared if all(records.key(one) in found for one in replicas((seed,), run.scan))]
    minutes = replica_minutes(experiment, run, profile)
    return Status(
        experiment, run, profile, declared, tuple(recorded),
        None if minutes is None else minutes * len(replicas((0,), run.scan)),
        _gpu_minutes(record) if record else None,
    )  # fmt: skip


def _record(config: Mapping[str, Any]) -> records.Record | None:
    """The record of a configuration, None where there is none or it has another one."""
    path = executor.record_path(config)
    record = records.load(path) if path.exists() else None
    return record if record and executor.is_of(record, config) else None


def missing(experiments: Iterable[Experiment], profile: str) -> list[Status]:
    """Runs with replicas not yet recorded at a profile, cheapest first, those of unknown cost at the end."""
    states = [status(experiment, run, profile) for experiment in experiments for run in experiment.runs]
    return sorted((state for state in states if state.missing), key=lambda state: _or_endless(state.missing_minutes))


def _or_endless(minutes: float | None) -> float:
    return math.inf if minutes is None else minutes


def total(minutes: Iterable[float | None]) -> float | None:
    """The sum; None where one of them is not known."""
    minutes = list(minutes)
    return None if None in minutes else sum(minutes)


def replica_minutes(experiment: Experiment, run: Run, profile: str) -> float | None:
    """Estimated minutes of one replica on one CPU thread: what its record says it took; else what was measured at `paper`
    (recorded, or declared with the experiment), in proportion to the iterations or epochs.

    None where the profile changes more than these: how long other data or networks of another size take was not measured.
    """
    config, paper = (experiment.resolve(run, name) for name in (profile, "paper"))
    own = _cpu_minutes(_record(config))
    if own is not None:
        return own
    measured = _cpu_minutes(_record(paper)) if config != paper else None
    measured = measured or experiment.minutes_of(run.name) or None
    here, there = (_length(each["options"]) for each in (config, paper))
    if config == paper or measured is None:
        return measured
    alike = config["stream"] == paper["stream"] and _sizes(config["options"]) == _sizes(paper["options"])
    return measured * here / there if alike and here and there else None


_LENGTHS = ("iterations", "gan_iterations", "epochs", "stabilisation_epochs")
"""Options that say how long a training lasts, not how large anything is."""


def _sizes(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _LENGTHS}


def _length(options: Mapping[str, Any]) -> float:
    """Iterations of a task, with those of a replay model that has its own number, or epochs (of a task on average, where
    they are declared one by one); 0 without either."""
    epochs = options.get("epochs", 0)
    epochs = epochs if isinstance(epochs, int) else sum(epochs) / len(epochs)
    return (options.get("iterations") or 0) + options.get("gan_iterations", 0) or epochs


def _cpu_minutes(record: records.Record | None) -> float | None:
    """Minutes of one replica, on average over those that were trained on a CPU."""
    blocks = [block for block in record["run"] if block["device_type"] == "cpu"] if record else []
    made = sum(len(block["replicas"]) for block in blocks)
    return sum(map(records.seconds, blocks)) / 60 / made if made else None


def _gpu_minutes(record: records.Record) -> float | None:
    """Minutes of the largest group of replicas that was trained together on CUDA."""
    groups = [block for block in record["run"] if block["device_type"] == "cuda"]
    if not groups:
        return None
    largest = max(groups, key=lambda block: len(block["replicas"]))
    return records.seconds(largest) / 60


def cost_text(minutes: float | None) -> str:
    """A time for a sentence: "12 min on one CPU thread"."""
    return "time not measured" if minutes is None else f"{minutes_text(minutes)} on one CPU thread"


def minutes_text(minutes: float | None) -> str:
    """"35 s", "12 min" or "5.6 h"; "not measured" for None."""
    if minutes is None:
        return "not measured"
    if minutes < 1:
        return f"{max(1, round(minutes * 60))} s"
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
