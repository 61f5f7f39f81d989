"""Measuring: candidates that take turns, and work in a process of its own."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch

from unforget import runtime

PATIENCE = 40.0
"""Seconds after which a comparison ends early, once every candidate has had two turns."""

FEW_GB = 5.0
"""Candidates that would hold more are measured with `--full` only."""


@dataclass(frozen=True)
class Setup:
    """What all questions are asked with. `toy` shrinks every size until a question takes seconds (for the tests); `only`
    holds words that a case must all contain to be measured."""

    device: torch.device = torch.device("cpu")
    repetitions: int = 5
    full: bool = False
    toy: bool = False
    only: tuple[str, ...] = ()

    def chosen(self, cases: Iterable[tuple]) -> list[tuple]:
        """The cases that are asked for."""
        words = {case: {word for part in case for word in (str(part), *str(part).split())} for case in cases}
        return [case for case in words if words[case].issuperset(self.only)]


def paired(candidates: Mapping[str, Callable[[], None]], setup: Setup) -> dict[str, float]:
    """Median milliseconds per call of each candidate (see `seconds`).

    They take turns, so that a change of the machine's load hits all of them; a turn repeats a short call for 0.1 s.
    """
    first = {name: seconds(work, 1, setup) for name, work in candidates.items()}  # warms up as well
    calls = {name: max(1, int(0.1 / max(1e-6, taken))) for name, taken in first.items()}
    turns = {name: [] for name in candidates}
    started = time.perf_counter()
    for turn in range(setup.repetitions):
        if turn >= 2 and time.perf_counter() - started > PATIENCE:
            break
        for name, work in candidates.items():
            turns[name].append(seconds(work, 1 if setup.toy else calls[name], setup))
    return {name: 1e3 * statistics.median(taken) for name, taken in turns.items()}


def seconds(work: Callable[[], object], calls: int, setup: Setup) -> float:
    """Seconds per call; on a CPU those of this process, which has one thread: other programs then count little."""
    clock = time.process_time if setup.device.type == "cpu" else time.perf_counter
    _wait(setup)
    started = clock()
    for _ in range(calls):
        work()
    _wait(setup)
    return (clock() - started) / calls


def _wait(setup: Setup) -> None:
    if setup.device.type == "cuda":
        torch.cuda.synchronize(setup.device)


def fresh(function: Callable, *arguments, allocator: bool = True):
    """`function(*arguments)` in a new process, with or without the allocator settings: no process can undo them."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, runtime.settle, (allocator,)) as pool:
        return pool.submit(function, *arguments).result()


def peak_memory_mib(device: torch.device) -> int:
    """Peak memory of this process, in MiB: device memory on CUDA, else resident memory with everything that is loaded.

    Unlike `runtime.peak_memory_mib`, whose counter a new process inherits from the one that started it.
    """
    if device.type == "cpu":
        try:
            with open("/proc/self/status") as lines:
                return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 2**10
        except (OSError, StopIteration):  # not on Linux
            pass
    return runtime.peak_memory_mib(device)
