"""Trains what is asked for and not yet recorded: in this process, a pool of one-thread processes, or a Dask cluster.

All three run the same function on the same jobs. A record is written as soon as its job ends; a job that is stopped or
killed leaves its checkpoint and goes on from there next time.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unforget import data, records, runtime
from unforget.data.files import project_root
from unforget.errors import UnforgetError
from unforget.experiments import catalogue, dispatch, work
from unforget.experiments.spec import Experiment, Run, completed, replicas
from unforget.experiments.work import Job
from unforget.loop import Control


def checkpoint_folder() -> Path:
    """Where unfinished runs of this project keep their checkpoints."""
    return project_root() / "data" / "checkpoints"


@dataclass(frozen=True)
class Outcome:
    """What an execution did: paths of records written, jobs that were stopped with their checkpoints saved, and whether
    someone (Ctrl-C, or the system) asked for the stop rather than the budget."""

    written: tuple[Path, ...]
    unfinished: tuple[Job, ...]
    interrupted: bool = False


def record_path(config: Mapping[str, Any], results: Path | None = None) -> Path:
    """Where the record of a configuration lies, or will lie."""
    return records.path_of(results or records.results_folder(), config, catalogue.label(config))


def recorded(path: Path, config: Mapping[str, Any]) -> set[tuple]:
    """Replicas (`records.key`) that the record at `path` holds, none where there is no record.

    Raises `UnforgetError` where it is damaged, or of another configuration: new replicas could not be pooled with it.
    """
    if not path.exists():
        return set()
    record = records.load(path)
    if not is_of(record, config):
        kept = f"custom-{records.configuration_hash(record['config'])}.json"
        raise UnforgetError(
            f"record {path} was made with another configuration than is declared now; rename it to {kept} to keep it, "
            "or delete it"
        )
    return {records.key(replica) for replica in record["replicas"]}


def is_of(record: records.Record, config: Mapping[str, Any]) -> bool:
    """Whether a record has this configuration, defaults that were declared later included."""
    try:
        return completed(record["config"]) == config
    except UnforgetError:  # an option it names is gone
        return False


def plan(
    experiment: Experiment,
    runs: Sequence[Run],
    profile: str,
    seeds: Sequence[int] | None = None,
    device: str = "auto",
    changes: Mapping[str, Any] | None = None,
    group: int | None = None,
    again: bool = False,
    results: Path | None = None,
    elsewhere: bool = False,
) -> list[Job]:
    """Jobs for the replicas that are not recorded yet (all of them with `again`), `group` replicas to a job.

    On CUDA all replicas of a run train together by default; on a CPU the experiment says how many; one by one where each
    seed has a stream of its own. `elsewhere` leaves it to the machines that will train to find out whether they have the device.
    """
    on = device if elsewhere else str(runtime.device(device))
    seeds = tuple(experiment.profile(profile).seeds if seeds is None else seeds)
    if len(set(seeds)) != len(seeds):
        raise UnforgetError(f"a seed is named twice in {', '.join(map(str, seeds))}; name each once")
    jobs = []
    for run in runs:
        config = experiment.resolve(run, profile, changes)
        wanted = replicas(seeds, run.scan)
        done = set() if again else recorded(record_path(config, results), config)
        todo = [replica for replica in wanted if records.key(replica) not in done]
        size = group or (len(wanted) if on.startswith("cuda") else experiment.cpu_group)
        size = 1 if data.by_seed(config["stream"]["kind"]) else size
        jobs += [_job(config, todo[i : i + size], on, changes or {}) for i in range(0, len(todo), size)]
    return jobs


def _job(
    config: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]], device: str, changes: Mapping[str, Any]
) -> Job:
    scan = {name: tuple(replica["scan"][name] for replica in wanted) for name in wanted[0]["scan"]}
    seeds = tuple(replica["seed"] for replica in wanted)
    return Job(config, seeds, scan, device, checkpoint_folder(), changes=changes)


def execute(
    jobs: Sequence[Job],
    workers: int = 1,
    scheduler: str | None = None,
    budget: float | None = None,
    results: Path | None = None,
    report: Callable[[float, str], None] = lambda done, where: None,
) -> Outcome:
    """Train all jobs. `report(replicas done, as a fraction of one with parts, where)` is called about twice a second.

    Stops cleanly, everything saved, on Ctrl-C or after `budget` seconds. An error in one job stops the others in the
    same way before it is raised.
    """
    deadline = None if budget is None else time.time() + budget
    written: list[Path] = []
    unfinished: list[Job] = []

    def keep(job: Job, record: records.Record | None) -> None:
        if record is None:
            unfinished.append(job)
            return
        path = record_path(job.config, results)
        records.save(path, record, completed)
        work.forget_checkpoint(job)
        written.append(path)

    folder = tempfile.TemporaryDirectory(prefix="unforget-")
    with folder, dispatch.stop_on_signals(Path(folder.name) / "stop") as stop:
        if workers == 1 and scheduler is None:
            ended = 0
            for job in jobs:

                def tell(done: int, total: int, where: str, job=job, ended=ended) -> None:
                    report(ended + len(job.seeds) * done / total, f"{job.config['run']}: {where}")

                keep(job, dispatch.unit(job, Control(dispatch.Stop(stop, deadline), tell)))
                ended += len(job.seeds)
        else:
            with dispatch.executor(min(workers, len(jobs) or 1), scheduler) as (pool, event):
                dispatch.spread(pool, jobs, keep, dispatch.Stop(stop, deadline, event and event.name), event, report)
        interrupted = stop.exists()
    return Outcome(tuple(dict.fromkeys(written)), tuple(unfinished), interrupted)
