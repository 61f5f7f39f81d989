"""One unit of work: a group of replicas of one run, from configuration to record. Runs in any process, on any machine."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from unforget import __version__, data, methods, records, runtime, source
from unforget.checkpoint import Checkpoint
from unforget.data.streams import Stream
from unforget.errors import choose
from unforget.loop import Control, Loop, Result
from unforget.methods.base import Learner, Replicas, options


@dataclass(frozen=True)
class Job:
    """Replicas of one resolved configuration that train together. `scan` maps an option to one value per seed.

    `changes` are the options that a user changed, for the words of an error; the configuration has them already.

    Which code trains it is noted when the job is made, not when it ends: files may change in between.
    """

    config: Mapping[str, Any]
    seeds: tuple[int, ...]
    scan: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    device: str = "cpu"
    checkpoints: Path | None = None
    source: str = ""
    commit: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "source", self.source or source.source_hash(self.config))
        object.__setattr__(self, "commit", self.commit or source.commit())
        if data.by_seed(self.config["stream"]["kind"]) and len(set(self.seeds)) > 1:
            raise ValueError(f"{self.config['run']}: seeds have streams of their own and cannot train together")
        for name, values in self.scan.items():
            choose(f"option of {self.config['method']} to scan", name, methods.find(self.config["method"]).scannable)
            if len(values) != len(self.seeds):
                raise ValueError(f"{len(values)} values of {name} for {len(self.seeds)} seeds")

    @property
    def name(self) -> str:
        """A file name that no other work shares: configuration, code and replicas."""
        identity = {"config": dict(self.config), "seeds": self.seeds, "scan": dict(self.scan)}
        return f"{self.config['run'].replace('/', '-')}-{records.configuration_hash(identity)}-{self.source}"


def build(job: Job) -> tuple[Learner, Stream]:
    """The learner of a job and the stream it trains on, on the job's device."""
    config, device = job.config, runtime.device(job.device)
    kind = methods.find(config["method"])
    stream = data.build(**config["stream"], seed=job.seeds[0]).to(device)
    stream = kind.arrange(stream) if hasattr(kind, "arrange") else stream
    replicas = Replicas(tuple(job.seeds), dict(job.scan), device)
    learner = kind(stream, config["scenario"], options(kind.Options, config["options"], config["method"]), replicas)
    return learner, stream


def train(job: Job, control: Control | None = None) -> tuple[records.Record, Learner, Stream]:
    """Train a job to its end (from its checkpoint, if it has one). Raises `Interrupted` when asked to stop."""
    learner, stream = build(job)
    config = job.config
    checkpoint = Checkpoint(job.checkpoints / f"{job.name}.checkpoint") if job.checkpoints else None
    started = time.monotonic(), time.process_time()
    loop = Loop(learner, stream, config["views"], config["probes"], control, checkpoint)
    result = loop.run()
    record = _record(job, learner, stream, result) | {"run": [_run_block(job, result, *started)]}
    return record, learner, stream


def forget_checkpoint(job: Job) -> None:
    """Remove a job's checkpoint; its record has been written."""
    if job.checkpoints:
        Checkpoint(job.checkpoints / f"{job.name}.checkpoint").remove()


def _record(job: Job, learner: Learner, stream: Stream, result: Result) -> records.Record:
    counts = learner.counts()
    replicas = [
        {
            "seed": seed,
            "scan": {name: values[i] for name, values in job.scan.items()},
            "finite": bool(result.finite[i]),
            "counts": {name: int(n[i]) if isinstance(n, Tensor) else n for name, n in counts.items()},
            "scores": {view: _plain(scores[i]) for view, scores in result.scores.items()},
            "probes": {name: _plain(values[i]) for name, values in result.probes.items()},
        }
        for i, seed in enumerate(job.seeds)
    ]
    tests = [len(test) for test in stream.tests]
    return {
        "format": records.FORMAT, "config": dict(job.config), "tests": tests, "checksums": stream.checksums,
        "replicas": replicas,
    }  # fmt: skip


def _run_block(job: Job, result: Result, wall: float, processor: float) -> dict[str, Any]:
    device = runtime.device(job.device)
    # Wall seconds of training and evaluation, resumed parts included; of this process alone, wall and processor seconds.
    spent = result.seconds | {"wall": time.monotonic() - wall, "processor": time.process_time() - processor}
    seconds = {name: round(value, 1) for name, value in spent.items()}
    return {
        "replicas": [[seed, *((n, v[i]) for n, v in sorted(job.scan.items()))] for i, seed in enumerate(job.seeds)],
        "seconds": seconds, "peak_memory_mib": runtime.peak_memory_mib(device), **runtime.describe(device),
        "unforget": __version__, "source": job.source, "commit": job.commit,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }  # fmt: skip


def _plain(values: Tensor) -> list:
    """Nested lists; what is not a number (not scored, or diverged) as null, floats to nine significant digits."""
    if values.ndim:
        return [_plain(value) for value in values]
    number = values.item()
    return number if isinstance(number, int) else float(f"{number:.9g}") if math.isfinite(number) else None


