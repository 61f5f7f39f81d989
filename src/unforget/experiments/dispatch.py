"""How jobs reach other processes and machines, how they are told to stop, and how they tell their progress."""

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path

import torch

from unforget import records, runtime
from unforget.errors import UnforgetError
from unforget.experiments import changes, work
from unforget.experiments.work import Job
from unforget.loop import Control, Interrupted


def spread(pool: Executor, jobs: Sequence[Job], keep, stop: "Stop", event, report) -> None:
    """Submit all jobs, collect them as they end, and pass on how far the running ones are."""
    for folder in {job.checkpoints for job in jobs if job.checkpoints}:
        folder.mkdir(parents=True, exist_ok=True)  # so that a worker knows whether it sees the same disk
    progress = [stop.path.parent / f"{number}.progress" for number in range(len(jobs))]
    waiting: dict[Future, int] = {}
    trained: set[int] = set()
    error: Exception | None = None
    try:
        waiting = {pool.submit(_remote, job, stop, str(progress[i])): i for i, job in enumerate(jobs)}
    except BrokenProcessPool as broken:
        error = broken
    while waiting:
        for future in wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED).done:
            # What is collected is let go of: a Dask cluster computes again what a lost worker held for somebody.
            number = waiting.pop(future)
            try:
                record = future.result()
                keep(jobs[number], record)
                trained |= {number} if record is not None else set()
            except (Exception, CancelledError) as problem:
                error = error or problem
                stop.path.touch()  # the others save themselves, and their records are still collected
            del future
        if event and stop.path.exists():
            with suppress(OSError):  # the cluster may be what was lost
                event.set()
            event = None
        told = [(1.0, "") if i in trained else _read_progress(path) for i, path in enumerate(progress)]
        where = ", ".join(sorted(told[i][1] for i in waiting.values() if told[i][1]))
        report(sum(len(job.seeds) * part for job, (part, _) in zip(jobs, told, strict=True)), where)
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


def unit(job: Job, control: Control) -> records.Record | None:
    """Train one job in this process; None where it was stopped.

    Raises `UnforgetError` where it does not fit into memory, and where it fails with options that a user changed; any
    other error is a mistake of ours and stays as it is.
    """
    runtime.settle()
    if control.stop():
        return None
    try:
        return work.train(job, control)[0]
    except Interrupted:
        return None
    except (UnforgetError, OSError):
        raise
    except Exception as error:
        if _out_of_memory(error):
            raise UnforgetError(_too_large(job)) from None
        if not job.changes:
            raise
        raise UnforgetError(
            f"{job.config['run']} does not train with {changes.written(job.changes)}: {type(error).__name__}: {error}"
        ) from error


def _out_of_memory(error: Exception) -> bool:
    """On CUDA torch has an error of its own for it, on a CPU only words."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "DefaultCPUAllocator" in str(error)


def _too_large(job: Job) -> str:
    n = len(job.seeds)
    if n == 1:
        return f"{job.config['run']}: a replica does not fit into the memory of {job.device}"
    return (
        f"{job.config['run']}: {n} replicas do not fit into the memory of {job.device}; "
        f"train fewer together, as in --group {n // 2}"
    )


def _remote(job: Job, stop: "Stop", progress: str) -> records.Record | None:
    """`unit` for another process: it is told to stop by a file (or an event) and tells its progress in a file."""
    path = Path(progress)

    def report(done: int, total: int, where: str) -> None:
        with suppress(OSError):  # a machine that does not share this folder reports nothing
            part = path.with_suffix(".part")
            part.write_text(json.dumps([done / total, f"{job.config['run']}: {where}"]))
            part.replace(path)

    if job.checkpoints and not job.checkpoints.exists():  # nor does it keep checkpoints that nobody would find
        job = replace(job, checkpoints=None)
    return unit(job, Control(stop, report))


def _read_progress(path: Path) -> tuple[float, str]:
    try:
        done, where = json.loads(path.read_text())
        return done, where
    except (OSError, ValueError):
        return 0.0, ""


@dataclass(frozen=True)
class Stop:
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
def stop_on_signals(stop: Path):
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
def executor(workers: int, scheduler: str | None):
    """An executor, and for a Dask cluster the event that asks its workers to stop."""
    if scheduler is None:
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_begin_worker) as pool:
            yield pool, None
        return
    try:
        from distributed import Client, Event
    except ImportError:
        raise UnforgetError("--scheduler needs Dask: pip install 'unforget[cluster]'") from None
    try:
        client = Client(scheduler, timeout="5s")
    except (OSError, ValueError) as error:
        raise UnforgetError(
            f"no Dask scheduler answers at {scheduler!r} ({error}); give one as tcp://host:8786"
        ) from None
    with client, client.get_executor(pure=False) as pool:
        yield pool, Event(f"unforget-stop-{uuid.uuid4().hex}")


def _begin_worker() -> None:
    """Ctrl-C is the parent's to handle; a worker whose parent was killed ends, its last checkpoint on disk."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
