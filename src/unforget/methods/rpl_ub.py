"""RPL-UB (von Oswald et al. 2020, Table 2): HNET+R with real images of the old tasks, an upper bound for replay."""

from dataclasses import replace

import torch
from torch import Tensor

from unforget.data.streams import Batch
from unforget.methods.base import Phase
from unforget.methods.rehearsal import Rehearsal


class RPLUB(Rehearsal):
    """Rehearsal of all old training images."""

    def phases(self, stage: int) -> list[Phase]:
        (phase,) = super().phases(stage)
        old = [
            earlier.batches(self.seeds, f"replay/{stage}/{task}", self.per_task(stage))
            for task, earlier in enumerate(self.stream.stages[:stage])
        ]

        def batches(step: int) -> tuple[Batch, Tensor | None]:
            return phase.batches(step), torch.cat([images(step).x for images in old], 1) if old else None

        return [replace(phase, batches=batches)]

    def step(self, stage: int, batches: tuple[Batch, Tensor | None], step: "int | Tensor") -> None:
        self.rehearse(stage, *batches)
