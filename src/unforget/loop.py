"""The one training loop: order of stages and phases, batches, evaluation, checkpoints, progress. It knows no method."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from unforget import evaluation, probes
from unforget.checkpoint import Checkpoint
from unforget.data.streams import Stream
from unforget.errors import choose
from unforget.methods.base import Learner, Phase

FULL_MATRIX_UP_TO = 11
"""Streams with more tasks (11: SVHN and ten of CIFAR-100, whose curves are drawn after every task) are scored only on the
tasks of the stage just ended, and on all at the end."""


class Interrupted(Exception):
    """The run was asked to stop; its checkpoint is saved."""


@dataclass
class Control:
    """How a run reports and is stopped. `stop()` is asked between steps, `report(done, total, where)` told."""

    stop: Callable[[], bool] = lambda: False
    report: Callable[[int, int, str], None] = lambda done, total, where: None
    checkpoint_seconds: float = 60.0
    interval: float = 0.2


@dataclass
class Result:
    """Scores per view [S, after_stage, on_task] (NaN where not scored), probes [S, ...], health [S] and seconds spent."""

    scores: dict[str, Tensor]
    probes: dict[str, Tensor]
    finite: Tensor
    seconds: dict[str, float]


@dataclass
class _Position:
    """Where a run stands, and what it has measured: with the learner's state, all that a checkpoint needs."""

    scores: dict[str, Tensor]
    stage: int = 0
    phase: int = 0
    begun: bool = False
    step: int = 0
    done: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"train": 0.0, "evaluate": 0.0})


class Loop:
    """Trains `learner` on `stream`; one instance is one run. `run()` returns a `Result` or raises `Interrupted`."""

    def __init__(
        self,
        learner: Learner,
        stream: Stream,
        views: Sequence[str],
        probe_names: Sequence[str] = (),
        control: Control | None = None,
        checkpoint: Checkpoint | None = None,
    ):
        self.learner, self.stream = learner, stream
        self.probes = {name: probes.find(name) for name in probe_names}
        self.control, self.checkpoint = control or Control(), checkpoint
        any_state = next(iter(learner.state.values()))
        self.device, replicas = any_state.device, len(any_state)
        empty = torch.full((replicas, len(stream.stages), stream.tasks), torch.nan, dtype=torch.float64)
        self.at = _Position({choose("view", view, evaluation.VIEWS): empty.clone() for view in views})
        self._told = self._saved = time.monotonic()

    def run(self) -> Result:
        """Train to the end, from the checkpoint where there is one."""
        self._resume()
        plan = [self.learner.phases(stage) for stage in range(len(self.stream.stages))]
        total = sum(phase.steps for phases in plan for phase in phases)
        while self.at.stage < len(plan):
            phases = plan[self.at.stage]
            while self.at.phase < len(phases):
                self._phase(phases[self.at.phase], total)
                self.at.phase, self.at.step, self.at.begun = self.at.phase + 1, 0, False
            self._timed("train", lambda: self.learner.end_stage(self.at.stage))
            self._timed("evaluate", lambda: self._score(self.at.stage))
            self.at.stage, self.at.phase = self.at.stage + 1, 0
            self._save()
        started = time.monotonic()
        probed = {name: probe(self.learner, self.stream).cpu() for name, probe in self.probes.items()}
        self._clock("evaluate", started)
        return Result(self.at.scores, probed, evaluation.finite(self.learner).cpu(), self.at.seconds)

    def _phase(self, phase: Phase, total: int) -> None:
        where = f"{self.stream.stages[self.at.stage].name}, {phase.name}"
        started = time.monotonic()
        if not self.at.begun:
            phase.begin()
            self.at.begun = True
        while self.at.step < phase.steps and not self._finished(phase):
            if self._due():
                self.control.report(self.at.done, total, where)
                if self.control.stop():
                    self._clock("train", started)
                    self._save()
                    raise Interrupted
                if time.monotonic() - self._saved > self.control.checkpoint_seconds:
                    self._clock("train", started)
                    started = time.monotonic()
                    self._save()
            phase.step(phase.batches(self.at.step), self.at.step)
            self.at.step, self.at.done = self.at.step + 1, self.at.done + 1
        self.at.done += phase.steps - self.at.step
        self._clock("train", started)
        self.control.report(self.at.done, total, where)

    def _finished(self, phase: Phase) -> bool:
        if phase.finished is None or self.at.step % phase.check_every or self.at.step == 0:
            return False
        return bool(phase.finished().all())

    def _score(self, stage: int) -> None:
        seen = max(t for s in self.stream.stages[: stage + 1] for t in s.tasks) + 1
        everything = self.stream.tasks <= FULL_MATRIX_UP_TO or stage == len(self.stream.stages) - 1
        for view, scores in self.at.scores.items():
            for task in range(seen) if everything else self.stream.stages[stage].tasks:
                scores[:, stage, task] = evaluation.score(self.learner, self.stream, view, task, seen).cpu()

    def _timed(self, what: str, work: Callable[[], None]) -> None:
        started = time.monotonic()
        work()
        self._clock(what, started)

    def _clock(self, what: str, started: float) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.at.seconds[what] += time.monotonic() - started

    def _due(self) -> bool:
        """Whether it is time to look up from the work."""
        now = time.monotonic()
        if now - self._told < self.control.interval:
            return False
        self._told = now
        return True

    def _save(self) -> None:
        if self.checkpoint:
            self.checkpoint.save({"state": self.learner.state, "position": vars(self.at)})
            self._saved = time.monotonic()

    def _resume(self) -> None:
        content = self.checkpoint.load(self.device) if self.checkpoint else None
        if content:
            self.learner.state.clear()  # the learner's parts hold this very dictionary
            self.learner.state.update(content["state"])
            self.at = _Position(**content["position"])
            self.at.scores = {view: scores.cpu() for view, scores in self.at.scores.items()}
