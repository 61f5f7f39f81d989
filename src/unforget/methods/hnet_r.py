"""HNET+R (von Oswald et al. 2020, section 2.2): a hypernetwork protects the replay model only; replay protects the rest.

At each task the classifier, an ordinary network, learns beside images that the replay model draws of all old tasks; then
the replay model learns the task.
"""

from dataclasses import dataclass

from torch import Tensor

from unforget.data.streams import Batch, Stream
from unforget.methods import rehearsal, replay
from unforget.methods.base import Phase, Replicas


@dataclass(frozen=True)
class Options(rehearsal.Options, replay.Options):
    """Those of the classifier and, beginning with `vae_`, of the replay model."""


class HNETR(rehearsal.Rehearsal):
    """Rehearsal of generated images."""

    Options = Options
    scannable = ("lr", "vae_beta")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        super().__init__(stream, scenario, options, replicas)
        self.replay = replay.ReplayModel(self.state, stream, options, replicas)

    def phases(self, stage: int) -> list[Phase]:
        return [*super().phases(stage), *self.replay.phases(stage)]

    def step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """A step of the classifier beside images drawn anew."""
        drawn = None
        if stage > 0:
            drawn = self.replay.sample(f"replay/{stage}", step, range(stage), self.per_task(stage)).flatten(1, 2)
        self.rehearse(stage, batch, drawn)

    def end_stage(self, stage: int) -> None:
        self.replay.end_stage(stage)

    def counts(self) -> dict[str, int]:
        counts = super().counts() | self.replay.counts()
        return counts | {"trained": counts["trained"] + counts["encoder"] + counts["vae trained"]}
