"""The output regulariser of von Oswald et al. (2020), Eq. 2: Σ_t ‖h(e_t, θ*) − h(e_t, θ)‖² over old tasks.

Sum of squares over all generated weights, without the factor β/(T−1); θ is meant to be looked ahead (θ + Δθ) already.
Two ways to the same number, both with their gradients written out, since autograd would keep every intermediate:

*direct* forms the residuals R = A·Wᵀ + b − targets, one row per (chunk, task), and may weigh them by an importance.

*Gram* never forms them. With a constant 1 appended to A and b as a column of W, D = A−A₀ and V = W−W₀ (₀: at θ*), the
residual is D·Wᵀ + A₀·Vᵀ, so ‖·‖² = Σ (DᵀD)∘(WᵀW) + 2 Σ (DᵀA₀)∘(WᵀV) + Σ (A₀ᵀA₀)∘(VᵀV). Differences as factors avoid
cancellation. Rows of the last chunk of each task see only the outputs that are used.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from unforget.hyper.chunked import ChunkedHypernet

GRAM_FROM = 2.0
"""Gram pays where rows (old tasks x chunks) exceed this many times the last hidden width (`make bench` measures it)."""


def prefers_gram(net: ChunkedHypernet, old_tasks: int) -> bool:
    """Whether the Gram form is the faster one at this size."""
    return old_tasks * net.chunks > GRAM_FROM * (net.last_width + 1)


class Direct:
    """Σ over tasks and weights of (importance ·) (targets − h(e, θ))². Holds the targets [S, T, target] in rows of chunks."""

    def __init__(
        self,
        net: ChunkedHypernet,
        targets: Float[Tensor, "S T target"],
        importance: Float[Tensor, "S T target"] | None = None,
    ):
        self.net = net
        self.targets = self._rows(targets)
        self.importance = None if importance is None else self._rows(importance)

    def __call__(self, theta: Float[Tensor, "S theta"], e: Float[Tensor, "S T emb"]) -> Float[Tensor, "S"]:
        """The sum per replica."""
        return _Direct.apply(*self.net.last_hidden(theta, e), self.targets, self.importance, self.net)

    def _rows(self, weights: Tensor) -> Tensor:
        surplus = self.net.width - self.net.last_used
        return torch.nn.functional.pad(weights, (0, surplus)).unflatten(2, (-1, self.net.width)).transpose(1, 2).flatten(1, 2)


class _Direct(torch.autograd.Function):
    @staticmethod
    def forward(ctx, A, W, b, targets, importance, net):
        R = torch.baddbmm(targets, A, W.transpose(1, 2), beta=-1).add_(b.unsqueeze(1))
        R[:, -(R.shape[1] // net.chunks) :, net.last_used :] = 0
        weighted = R if importance is None else R * importance
        ctx.save_for_backward(A, W, weighted)
        return torch.linalg.vecdot(weighted.flatten(1), R.flatten(1))

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        A, W, R = ctx.saved_tensors
        g = 2 * g[:, None, None]
        return (R @ W).mul_(g), R.transpose(1, 2) @ (A * g), R.sum(1).mul_(g[:, 0]), None, None, None


class Gram:
    """The same sum without importance, never forming an output. Holds what is constant during a task: A₀, A₀ᵀA₀, W₀."""

    def __init__(self, net: ChunkedHypernet, theta_star: Float[Tensor, "S theta"], e: Float[Tensor, "S T emb"]):
        self.net = net
        with torch.no_grad():
            self.A0, self.W0 = self._factors(theta_star, e)
            self.A0A0 = tuple(_inner(a, a) for a in _groups(self.A0, net.chunks))

    def __call__(self, theta: Float[Tensor, "S theta"], e: Float[Tensor, "S T emb"]) -> Float[Tensor, "S"]:
        """The sum per replica; clamped at 0, which rounding can undercut."""
        return _Gram.apply(*self._factors(theta, e), self.A0, self.W0, self.A0A0, self.net)

    def _factors(self, theta: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        a, W, b = self.net.last_hidden(theta, e)
        return torch.cat((a, torch.ones_like(a[..., :1])), -1), torch.cat((W, b.unsqueeze(-1)), -1)


class _Gram(torch.autograd.Function):
    @staticmethod
    def forward(ctx, A, W, A0, W0, A0A0, net):
        h = A.shape[-1]
        M = torch.cat((W, W - W0), -1)
        last = _inner(M[:, : net.last_used], M[:, : net.last_used])
        both = (last + _inner(M[:, net.last_used :], M[:, net.last_used :]), last)
        D = A - A0
        # Per group of rows (whole chunks, last chunks): DᵀD, DᵀA₀, A₀ᵀA₀ and the products of the outputs they see.
        rows = [
            (_inner(d, d), _inner(d, a0), a0a0)
            for d, a0, a0a0 in zip(_groups(D, net.chunks), _groups(A0, net.chunks), A0A0, strict=True)
        ]
        ctx.net, ctx.rows, ctx.both = net, rows, both
        ctx.save_for_backward(D, A0, M)
        terms = (
            _dot(DD, MM[:, :h, :h]) + 2 * _dot(DA0, MM[:, :h, h:]) + _dot(AA, MM[:, h:, h:])
            for (DD, DA0, AA), MM in zip(rows, both, strict=True)
        )
        return sum(terms).clamp_(min=0)

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        D, A0, M = ctx.saved_tensors
        net, h, g = ctx.net, D.shape[-1], 2 * g[:, None, None]
        dA = torch.empty_like(D)
        for out, d, a0, MM in zip(
            _groups(dA, net.chunks), _groups(D, net.chunks), _groups(A0, net.chunks), ctx.both, strict=True
        ):
            torch.bmm(d, MM[:, :h, :h] * g, out=out).baddbmm_(a0, MM[:, :h, h:].transpose(1, 2) * g)
        # dL/dW = 2 W (DᵀD + DᵀA₀) + 2 V ((DᵀA₀)ᵀ + A₀ᵀA₀), summed over the groups that see the output.
        whole, last = (torch.cat((DD + DA0, DA0.transpose(1, 2) + AA), 1) * g for DD, DA0, AA in ctx.rows)
        dW = torch.cat((M[:, : net.last_used] @ (whole + last), M[:, net.last_used :] @ whole), 1)
        return dA, dW, None, None, None, None


def _groups(rows: Tensor, chunks: int) -> tuple[Tensor, Tensor]:
    """Views: rows of whole chunks [S, (chunks−1)·T, h] and of last chunks [S, T, h]."""
    last = rows.shape[1] // chunks
    return rows[:, :-last], rows[:, -last:]


def _inner(a: Tensor, b: Tensor) -> Tensor:
    return a.transpose(1, 2) @ b


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2))
