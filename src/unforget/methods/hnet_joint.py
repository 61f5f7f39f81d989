"""The hypernetwork of `hnet` on all tasks at once: what its size allows where nothing has to be remembered.

θ and the embeddings of all tasks learn together from batches that hold as many samples of every task; there is nothing to
protect. As many updates as task after task. An upper bound of ours; von Oswald et al. (2020) print none.
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from unforget.data.streams import Batch, Samples, Shuffled, Stream
from unforget.errors import UnforgetError
from unforget.methods.base import Phase, Replicas
from unforget.methods.hnet import HNET, Options
from unforget.methods.protected import Protected


class AllTasks(Protected):
    """θ and all embeddings, trained by one loss without a regulariser."""

    def begin(self, stage: int) -> None:
        """Fresh Adams."""
        self.adam.reset(self["theta"])
        self.adam_e.reset(self["e"].flatten(1))

    def write(self, stage: int) -> Float[Tensor, "S T target"]:
        """The weights of all tasks, from which gradients flow back to θ and e."""
        self._written.clear()
        self._leaves = self["theta"].detach().requires_grad_(), self["e"].detach().requires_grad_()
        return self.hyper.generate(*self._leaves)

    def learn(self, stage: int, step: "int | Tensor", loss: Float[Tensor, "S"]) -> None:
        """One update of θ and e."""
        g_theta, g_e = torch.autograd.grad(loss.sum(), self._leaves)
        self.adam.step(self["theta"], g_theta)
        self.adam_e.step(self["e"].flatten(1), g_e.flatten(1))


class JointHNET(HNET):
    """HNET on the merged stream, without protection."""

    scannable = ("lr",)

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        """Raises `UnforgetError` for regression and for options that joint training does not know."""
        if scenario == "regression" or options.smoothing or options.importance != "none":
            raise UnforgetError("hnet-joint knows no regression, no smoothing and no importance")
        super().__init__(stream, scenario, replace(options, iterations=options.iterations * stream.tasks), replicas)
        self.classifier = AllTasks(self.state, "", self.hyper, stream.tasks, options, replicas)
        (train,) = (stage.train for stage in stream.stages)
        task, per_task = train.y // stream.classes, -(-options.batch // stream.tasks)
        self.sources = [
            Shuffled(Samples(train.x[task == t], train.y[task == t], train.prepare), self.seeds, f"batches/{t}", per_task)
            for t in range(stream.tasks)
        ]

    @staticmethod
    def arrange(stream: Stream) -> Stream:
        return stream.merged()

    def phases(self, stage: int) -> list[Phase]:
        return [replace(phase, batches=self.batches) for phase in super().phases(stage)]

    def batches(self, step: int) -> Batch:
        """The same number of samples of every task, task after task: x [S, T, b, ...] and y [S, T, b]."""
        return Batch(*(torch.stack(parts, 1) for parts in zip(*(source(step) for source in self.sources), strict=True)))

    def step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """One step: each task's samples through its own network."""
        logits = self.net.apply(self.classifier.write(stage).flatten(0, 1), batch.x.flatten(0, 1))
        logits = logits.unflatten(0, batch.y.shape[:2]).flatten(1, 2)
        self.classifier.learn(stage, step, self.losses(stage, logits, batch.y.flatten(1)).mean(1))
