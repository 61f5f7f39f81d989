"""Adam over single rows of weights [S, R, n]: rows without a gradient keep weights, moments and step count."""

from collections.abc import Sequence

import torch
from torch import Tensor

BETAS, EPS = (0.9, 0.999), 1e-8


class RowAdam:
    """Adam (Kingma & Ba 2015) for the rows that a step names; moments and step counts are in `state`.

    One call of torch's fused kernel for all rows with the same learning rate; nothing is read back to the host.
    """

    def __init__(self, state: dict[str, Tensor], lr: Sequence[float]):
        """`lr` is the learning rate of each replica."""
        self.state, self.lr = state, lr

    def reset(self, name: str, like: Tensor) -> None:
        """Fresh moments for weights [S, R, n], kept under `name`."""
        for part in ("m", "v"):
            self.state[f"{name}.{part}"] = torch.zeros_like(like, memory_format=torch.contiguous_format)
        self.state[f"{name}.t"] = torch.zeros(like.shape[:2], dtype=torch.float32, device=like.device)

    @torch.no_grad()
    def step(self, changes: list[tuple[str, Tensor, Tensor, list[tuple[int, int]]]]) -> None:
        """Update rows (replica, row) of each (name, weights [S, R, n], gradient [S, R, n], rows) in place."""
        lists: dict[float, list[list[Tensor]]] = {}
        for name, weights, gradient, rows in changes:
            tensors = (weights, gradient, *(self.state[f"{name}.{part}"] for part in "mvt"))
            for r, k in rows:
                columns = lists.setdefault(self.lr[r], [[], [], [], [], []])
                for column, tensor in zip(columns, tensors, strict=True):
                    column.append(tensor[r, k])
        for lr, (weights, gradients, m, v, t) in lists.items():
            torch._foreach_add_(t, 1)
            torch._fused_adam_(
                weights, gradients, m, v, [], t, lr=lr, beta1=BETAS[0], beta2=BETAS[1], weight_decay=0.0, eps=EPS,
                amsgrad=False, maximize=False,
            )  # fmt: skip
