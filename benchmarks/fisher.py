"""Diagonal of the Fisher information: one batched pass against one backward pass per sample.

Seconds are for 60,000 samples, extrapolated from some.
"""

import torch

from benchmarks.reference import cut, fisher, mlp
from benchmarks.timing import Setup, paired
from unforget.data.streams import Samples
from unforget.nets.fisher import squared_gradients
from unforget.nets.layout import fan_in_uniform
from unforget.nets.mlp import MLP

CASES = ((784, 400, 400, 10), (1024, 1000, 1000, 100))
TOY_CASES = ((12, 8, 6, 4),)
SAMPLES = 60_000
BATCHED, LOOPED = 2000, 40
GOAL = 10.0
"""Seconds at most, for the larger network."""


def measure(setup: Setup) -> list[dict]:
    rows = []
    for widths in TOY_CASES if setup.toy else CASES:
        net = MLP(widths)
        weights = fan_in_uniform(net.layout, torch.zeros(1, dtype=torch.int64, device=setup.device), "fisher")
        x = torch.randint(0, 256, (BATCHED, widths[0]), dtype=torch.uint8, device=setup.device)
        samples, plain_x = Samples(x, torch.zeros(BATCHED)), x[:LOOPED].float() / 255
        tensors = cut(weights[0], net.layout.shapes.values())
        took = paired({
            "batched": lambda: _batched(net, weights, samples),  # noqa: B023
            "loop": lambda: fisher(mlp(), tensors, plain_x, lambda z, i: -z.log_softmax(-1).max()),  # noqa: B023
        }, setup)  # fmt: skip
        batched, loop = took["batched"] / BATCHED * SAMPLES / 1e3, took["loop"] / LOOPED * SAMPLES / 1e3
        rows.append({
            "network": "-".join(map(str, widths)), "batched s": batched, "loop s": loop,
            "loop / batched": loop / batched, "goal s": GOAL, "met": "yes" if batched <= GOAL else "NO",
        })  # fmt: skip
    return rows


def _batched(net: MLP, weights: torch.Tensor, samples: Samples) -> None:
    total = torch.zeros_like(weights)
    for x, _ in samples.chunks():
        total += squared_gradients(net, weights, x, lambda logits: -logits.log_softmax(-1).amax(-1))
