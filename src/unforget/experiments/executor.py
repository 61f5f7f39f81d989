"""Trains what is asked for and not yet recorded: in this process, a pool of one-thread processes, or a Dask cluster.

All three run the same function on the same jobs. A record is written as soon as its job ends; a job that is stopped or
killed leaves its checkpoint and goes on from there next time.
"""

import json
import os
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import torch

from unforget import runtime
from unforget.data.files import project_root
from unforget.errors import UnforgetError
from unforget.experiments import catalogue, work
from unforget.experiments.spec import Experiment, Run, completed, replicas
from unforget.experiments.work import Job
from unforget.loop import Control, Interrupted
from unforget.results import records

Stop = Callable[[], bool]


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

    Raises `UnforgetError` where it is damaged, or made with another configuration than the one declared today.
    """
    if not path.exists():
        return set()
    record = records.load(path)
    if completed(record["config"]) != config:
        raise UnforgetError(f"record {path} was made with another configuration than {config['run']} has now; move it away")
    return {records.key(replica) for replica in record["replicas"]}


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
    checkpoints: Path | None = None,
    elsewhere: bool = False,
) -> list[Job]:
    """Jobs for the replicas that are not recorded yet (all of them with `again`), `group` replicas to a job.

    On CUDA all replicas of a run train together by default; on a CPU the experiment says how many. `elsewhere` leaves it
    to the machines that will train to find out whether they have the device.
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
        jobs += [
            _job(config, todo[i : i + size], on, checkpoints or checkpoint_folder()) for i in range(0, len(todo), size)
        ]
    return jobs


def _job(config: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]], device: str, checkpoints: Path) -> Job:
    scan = {name: tuple(replica["scan"][name] for replica in wanted) for name in wanted[0]["scan"]}
    return Job(config, tuple(replica["seed"] for replica in wanted), scan, device, checkpoints)


def execute(
    jobs: Sequence[Job],
    workers: int = 1,
    scheduler: str | None = None,
    budget: float | None = None,
    results: Path | None = None,
    report: Callable[[float, str], None] = lambda done, where: None,
) -> Outcome:
    """Train all jobs. `report(replicas done, as a fraction of one with parts, where)` is called about twice a second.

    Stops cleanly, everything saved, on Ctrl-C or after `budget` seconds. An error in one job stops the others in the same
    way before it is raised.
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

    with tempfile.TemporaryDirectory(prefix="unforget-") as folder, _stop_on_signals(Path(folder) / "stop") as stop:
        if workers == 1 and scheduler is None:
            ended = 0
            for job in jobs:

                def tell(done: int, total: int, where: str, job=job, ended=ended) -> None:
                    report(ended + len(job.seeds) * done / total, f"{job.config['run']}: {where}")

                keep(job, _unit(job, Control(_Stop(stop, deadline), tell)))
                ended += len(job.seeds)
        else:
            with _executor(min(workers, len(jobs) or 1), scheduler) as (executor, event):
                _spread(executor, jobs, keep, _Stop(stop, deadline, event and event.name), event, report)
        interrupted = stop.exists()
    return Outcome(tuple(dict.fromkeys(written)), tuple(unfinished), interrupted)


def _spread(executor: Executor, jobs: Sequence[Job], keep, stop: "_Stop", event, report) -> None:
    """Submit all jobs, collect them as they end, and pass on how far the running ones are."""
    for folder in {job.checkpoints for job in jobs if job.checkpoints}:
        folder.mkdir(parents=True, exist_ok=True)  # so that a worker knows whether it sees the same disk
    progress = {job.name: stop.path.parent / f"{job.name}.progress" for job in jobs}
    futures: dict[Future, Job] = {}
    trained: set[Future] = set()
    error: Exception | None = None
    try:
        futures = {executor.submit(_remote, job, stop, str(progress[job.name])): job for job in jobs}
    except BrokenProcessPool as broken:
        error = broken
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            job = futures[future]
            try:
                record = future.result()
                keep(job, record)
                trained |= {future} if record is not None else set()
            except (Exception, CancelledError) as problem:
                error = error or problem
                stop.path.touch()  # the others save themselves, and their records are still collected
        if event and stop.path.exists():
            event.set()
        told = {f: (1.0, "") if f in trained else _read_progress(progress[job.name]) for f, job in futures.items()}
        where = ", ".join(sorted(told[future][1] for future in waiting if told[future][1]))
        report(sum(len(job.seeds) * told[future][0] for future, job in futures.items()), where)
    if error is not None:
        raise _explained(error) from error


def _explained(error: Exception) -> Exception:
    """Lost processes and machines in words; any other error as it is."""
    if isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker":
        return UnforgetError(
            "a worker process died (killed, or out of memory); what was finished is recorded, run again to resume"
        )
    if isinstance(error, CancelledError) or type(error).__name__ == "FutureCancelledError":
        return UnforgetError("the Dask scheduler went away; what was finished is recorded, run again to resume")
    return error


def _unit(job: Job, control: Control) -> records.Record | None:
    """Train one job in this process; None where it was stopped."""
    runtime.settle()
    if control.stop():
        return None
    try:
        return work.train(job, control)[0]
    except Interrupted:
        return None
    except torch.OutOfMemoryError:
        raise UnforgetError(
            f"{job.config['run']}: {len(job.seeds)} replicas do not fit into the memory of {job.device}; "
            f"train fewer together, as in --group {max(1, len(job.seeds) // 2)}"
        ) from None


def _remote(job: Job, stop: Stop, progress: str) -> records.Record | None:
    """`_unit` for another process: it is told to stop by a file (or an event) and tells its progress in a file."""
    path = Path(progress)

    def report(done: int, total: int, where: str) -> None:
        with suppress(OSError):  # a machine that does not share this folder reports nothing
            part = path.with_suffix(".part")
            part.write_text(json.dumps([done / total, f"{job.config['run']}: {where}"]))
            part.replace(path)

    if job.checkpoints and not job.checkpoints.exists():  # nor does it keep checkpoints that nobody would find
        job = replace(job, checkpoints=None)
    return _unit(job, Control(stop, report))


def _read_progress(path: Path) -> tuple[float, str]:
    try:
        done, where = json.loads(path.read_text())
        return done, where
    except (OSError, ValueError):
        return 0.0, ""


@dataclass(frozen=True)
class _Stop:
    """Whether to stop: a file appeared, time is up, or, on another machine, an event of the Dask cluster is set."""

    path: Path
    deadline: float | None = None
    event: str | None = None

    def __call__(self) -> bool:
        if self.path.exists() or (self.deadline is not None and time.time() > self.deadline):
            return True
        if self.event is None or self.path.parent.exists():
            return False
        from distributed import Event

        return Event(self.event).is_set()


@contextmanager
def _stop_on_signals(stop: Path):
    """Turn Ctrl-C and the system's request to end into the file `stop`: running jobs save themselves. A second Ctrl-C
    does not wait for them."""

    def ask(number: int, frame: object) -> None:
        if stop.exists():
            raise KeyboardInterrupt
        stop.touch()

    if threading.current_thread() is not threading.main_thread():  # whoever called keeps the signals
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _executor(workers: int, scheduler: str | None):
    """An executor, and for a Dask cluster the event that asks its workers to stop."""
    if scheduler is None:
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_begin_worker) as executor:
            yield executor, None
        return
    try:
        from distributed import Client, Event
    except ImportError:
        raise UnforgetError("--scheduler needs Dask: pip install 'unforget[cluster]'") from None
    try:
        client = Client(scheduler, timeout="5s")
    except (OSError, ValueError) as error:
        raise UnforgetError(f"no Dask scheduler answers at {scheduler!r} ({error}); give one as tcp://host:8786") from None
    with client, client.get_executor(pure=False) as executor:
        yield executor, Event(f"unforget-stop-{uuid.uuid4().hex}")


def _begin_worker() -> None:
    """Ctrl-C is the parent's to handle; a worker whose parent was killed ends, its last checkpoint on disk."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
