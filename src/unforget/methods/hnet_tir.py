"""HNET+TIR (von Oswald et al. 2020, section 2.2, appendix B): a network infers the task, HNET's classifier answers.

The hypernetwork classifier is trained as in HNET, without replay. The task-inference network α is trained from the second
task on, to tell images of the task in training from replayed ones: L_TI (Eq. 6), cross-entropy over the tasks so far,
½ for the batch and ½ for the replay. A replayed image is labelled with the task it was drawn for, as Eq. 6 and the
published code have it.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from unforget.data.streams import Batch, Stream
from unforget.methods import hnet, replay
from unforget.methods.base import Phase, Replicas
from unforget.methods.optim import Adam
from unforget.nets.layout import xavier_uniform
from unforget.nets.mlp import MLP


@dataclass(frozen=True)
class Options(hnet.Options, replay.Options):
    """Those of the classifier and, beginning with `vae_`, of the replay model. α has the classifier's hidden layers."""

    vae_decoder: tuple[int, ...] = (50, 150)
    vae_beta: float = 0.05


class HNETTIR(hnet.HNET):
    """HNET's classifiers, chosen by α."""

    Options = Options
    scannable = ("lr", "beta", "vae_beta")

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        super().__init__(stream, scenario, options, replicas)
        self.alpha = MLP((self.net.sizes[0], *options.hidden, stream.tasks), options.activation)
        self.state["alpha"] = xavier_uniform(self.alpha.layout, self.seeds, "alpha")
        self.adam_alpha = Adam(self.state, "adam_alpha", replicas.value("lr", options.lr))
        self.replay = replay.ReplayModel(self.state, stream, options, replicas)

    def phases(self, stage: int) -> list[Phase]:
        inference = []
        if stage > 0:
            o, seeds = self.options, self.seeds
            batches = self.stream.stages[stage].batches(seeds, f"alpha/{stage}", o.batch)
            begin = partial(self.begin_inference, stage)
            inference = [Phase("task inference", o.iterations, batches, partial(self.infer_step, stage), begin)]
        return [*super().phases(stage), *inference, *self.replay.phases(stage)]

    def begin_inference(self, stage: int) -> None:
        """A fresh Adam."""
        self.adam_alpha.reset(self.state["alpha"])

    def infer_step(self, stage: int, batch: Batch, step: "int | Tensor") -> None:
        """One Adam step of α on ½ L_TI(batch) + ½ L_TI(replay), ⌈batch/t⌉ images of each of t old tasks."""
        x, per_task = batch.x.flatten(2), -(-self.options.batch // stage)
        drawn = self.replay.sample(f"replay/{stage}", step, range(stage), per_task).flatten(1, 2)
        alpha = self.state["alpha"].detach().requires_grad_()
        log_p = self.alpha.apply(alpha, torch.cat((x, drawn), 1))[..., : stage + 1].log_softmax(-1)
        current, replayed = log_p.tensor_split([x.shape[1]], 1)
        task = torch.arange(stage, device=x.device).repeat_interleave(per_task).expand(len(x), -1)
        right = replayed.gather(-1, task.unsqueeze(-1))
        loss = -0.5 * current[..., stage].mean(1) - 0.5 * right.mean((1, 2))
        (gradient,) = torch.autograd.grad(loss.sum(), alpha)
        self.adam_alpha.step(self.state["alpha"], gradient)

    def end_stage(self, stage: int) -> None:
        super().end_stage(stage)
        self.replay.end_stage(stage)

    @torch.no_grad()
    def predict(self, x: Tensor, task: int | None, tasks_seen: int) -> Tensor:
        """As HNET's; but context-free, a task's network is asked only about images that some replica takes for the task's."""
        if task is not None:
            return super().predict(x, task, tasks_seen)
        believed, chosen = self.infer_task(x, tasks_seen), None
        for t in believed.unique().tolist():
            rows = (believed == t).any(0).nonzero()[:, 0]
            own = self.outputs(self.classifier.weights(t), x[:, rows], t)[..., self.head.own(t)]
            chosen = own.new_zeros(*believed.shape, own.shape[-1]) if chosen is None else chosen
            chosen[:, rows] = torch.where((believed[:, rows] == t).unsqueeze(-1), own, chosen[:, rows])
        return self.believe(chosen.unsqueeze(1).expand(-1, tasks_seen, -1, -1), believed)

    @torch.no_grad()
    def infer_task(self, x: Tensor, tasks_seen: int, candidates: Tensor | None = None) -> Tensor:
        """The task that α finds most likely: [S, B]."""
        return self.alpha.apply(self.state["alpha"], x)[..., :tasks_seen].argmax(-1)

    def counts(self) -> dict[str, int]:
        counts = super().counts() | {"inference": self.alpha.layout.size} | self.replay.counts()
        rest = (counts[name] for name in ("inference", "encoder", "vae trained"))
        return counts | {"trained": counts["trained"] + sum(rest)}
