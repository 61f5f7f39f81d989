"""The machine a run uses: device, threads, allocator, and the words that describe them in a record."""

import ctypes
import os
import platform
import sys

import torch

from unforget.errors import UnforgetError


def device(name: str = "auto") -> torch.device:
    """The torch device for "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:N".

    Raises `UnforgetError` for an unknown name or where there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        found = torch.device(name)
    except RuntimeError:
        raise UnforgetError(f"unknown device {name!r}; choose auto, cpu, cuda or cuda:N") from None
    if found.type not in ("cpu", "cuda"):
        raise UnforgetError(f"unknown device {name!r}; choose auto, cpu, cuda or cuda:N")
    if found.type == "cpu" and found.index is not None:  # torch takes any number and ignores it
        raise UnforgetError(f"unknown device {name!r}; did you mean 'cpu'?")
    if found.type == "cuda":
        if not torch.cuda.is_available():
            raise UnforgetError(f"device {name!r}: this machine has no CUDA device; use --device cpu")
        if (found.index or 0) >= torch.cuda.device_count():
            raise UnforgetError(f"device {name!r}: this machine has {torch.cuda.device_count()} CUDA device(s)")
    return found


def settle(allocator: bool = True) -> None:
    """Make this process a good worker: one thread, full float32 products, no denormal numbers, an allocator that keeps its pages.

    Where a gradient stays zero (pixels that are black in every image of a task), Adam's moments shrink for hundreds of steps
    until they are denormal (below 1.2e-38), and a processor computes with such numbers many times slower (`benchmarks
    denormals`). As zeros they change no weight.

    glibc maps and unmaps every large temporary afresh, which costs more than the arithmetic once several replicas train
    together; these three settings (M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD) make it reuse them. glibc only, harmless elsewhere.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if allocator and sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 2**28)):
            libc.mallopt(option, value)


def describe(on: torch.device) -> dict[str, str | int]:
    """Versions and device for a record's `run` block. No host name: records are public."""
    name = torch.cuda.get_device_name(on) if on.type == "cuda" else _processor()
    return {
        "device": name, "device_type": on.type, "threads": torch.get_num_threads(), "cores": os.cpu_count() or 0,
        "python": platform.python_version(), "torch": torch.__version__, "system": platform.system(),
    }  # fmt: skip


def peak_memory_mib(on: torch.device) -> int:
    """Peak memory of this process so far, in MiB: device memory on CUDA, else resident memory (0 where unknown)."""
    if on.type == "cuda":
        return int(torch.cuda.max_memory_allocated(on) / 2**20)
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (2**20 if sys.platform == "darwin" else 2**10))


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
