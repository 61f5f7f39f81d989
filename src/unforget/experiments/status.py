"""What is recorded, what is missing, and what it would cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unforget import records
from unforget.experiments import executor
from unforget.experiments.spec import Experiment, Run, replicas, seed_text


@dataclass(frozen=True)
class Status:
    """One run at one profile: which of its declared seeds are recorded, and its cost.

    `cpu_minutes` is what one seed (all its scanned values) takes on one CPU thread, estimated from the measured minutes
    at `paper` by the number of iterations or epochs. `gpu_minutes` is what all replicas together took where a record says so, else None.
    """

    experiment: Experiment
    run: Run
    profile: str
    declared: tuple[int, ...]
    recorded: tuple[int, ...]
    cpu_minutes: float
    gpu_minutes: float | None

    @property
    def missing(self) -> tuple[int, ...]:
        """Declared seeds that no record holds."""
        return tuple(seed for seed in self.declared if seed not in self.recorded)

    @property
    def missing_minutes(self) -> float:
        """Estimated minutes on one CPU thread for what is missing."""
        return self.cpu_minutes * len(self.missing)

    @property
    def command(self) -> str:
        """What trains the missing replicas."""
        seeds = "" if len(self.missing) == len(self.declared) else f" --seeds {seed_text(self.missing)}"
        return f"unforget run {self.experiment.id}/{self.run.name} --profile {self.profile}{seeds}"


def status(experiment: Experiment, run: Run, profile: str, results: Path | None = None) -> Status:
    """The state of one run at one profile; a record of another configuration counts for nothing.

    Raises `UnforgetError` naming a damaged record.
    """
    config = experiment.resolve(run, profile)
    path = executor.record_path(config, results)
    record = records.load(path) if path.exists() else None
    if record and not executor.is_of(record, config):
        record = None
    found = {records.key(replica) for replica in record["replicas"]} if record else set()
    declared = experiment.profile(profile).seeds
    recorded = [seed for seed in declared if all(records.key(one) in found for one in replicas((seed,), run.scan))]
    return Status(
        experiment, run, profile, declared, tuple(recorded),
        replica_minutes(experiment, run, profile) * len(replicas((0,), run.scan)),
        _gpu_minutes(record) if record else None,
    )  # fmt: skip


def missing(experiments: Iterable[Experiment], profile: str, results: Path | None = None) -> list[Status]:
    """Runs with replicas not yet recorded at a profile, cheapest first."""
    states = [status(experiment, run, profile, results) for experiment in experiments for run in experiment.runs]
    return sorted((state for state in states if state.missing), key=lambda state: state.missing_minutes)


def replica_minutes(experiment: Experiment, run: Run, profile: str) -> float:
    """Estimated minutes of one replica on one CPU thread: as measured at `paper`, in proportion to the iterations
    or epochs."""
    measured = experiment.minutes_of(run.name)
    here, there = (_length(experiment.resolve(run, name)["options"]) for name in (profile, "paper"))
    return measured * here / there if here and there else measured


def _length(options: Mapping[str, Any]) -> int:
    """Iterations of a task, with those of a replay model that has its own number, or epochs (of all tasks, where they are
    declared one by one); 0 without either."""
    epochs = options.get("epochs", 0)
    return (options.get("iterations") or 0) + options.get("gan_iterations", 0) or (epochs if isinstance(epochs, int) else sum(epochs))


def _gpu_minutes(record: records.Record) -> float | None:
    """Minutes of the largest group of replicas that was trained together on CUDA."""
    groups = [block for block in record["run"] if block["device_type"] == "cuda"]
    if not groups:
        return None
    largest = max(groups, key=lambda block: len(block["replicas"]))
    return records.seconds(largest) / 60


def minutes_text(minutes: float | None) -> str:
    """"35 s", "12 min" or "5.6 h"; "not measured" for None."""
    if minutes is None:
        return "not measured"
    if minutes < 1:
        return f"{max(1, round(minutes * 60))} s"
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
