"""Adam over flat weights [S, n]: one program for all replicas, its moments in the learner's state."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Adam:
    """Adam (Kingma & Ba 2015) without weight decay; learning rates and step counts are per replica.

    The moments live in `state` under `name`.m, .v and .t, so that a checkpoint of the state holds them. All updates are in
    place and none reads a value back to the host.
    """

    def __init__(
        self, state: dict[str, Tensor], name: str, lr: Float[Tensor, "S"], betas=(0.9, 0.999), eps=1e-8, fused=True
    ):
        """`fused` allows torch's one-pass kernel. It needs contiguous weights, one learning rate and no masked steps."""
        self.state, self.name, self.lr, self.betas, self.eps = state, name, lr, betas, eps
        rates = lr.tolist()
        self.fused_lr = rates[0] if fused and len(set(rates)) == 1 else None

    def reset(self, like: Float[Tensor, "S n"]) -> None:
        """Fresh moments for weights of this shape."""
        self.state[f"{self.name}.m"] = torch.zeros_like(like)
        self.state[f"{self.name}.v"] = torch.zeros_like(like)
        self.state[f"{self.name}.t"] = like.new_zeros(len(like))

    def lookahead(self, gradient: Float[Tensor, "S n"], rate: float = 1.0) -> Float[Tensor, "S n"]:
        """The change Δθ that a step with this gradient would make; nothing is changed (HNET, section 2.1)."""
        moments = [self.state[f"{self.name}.{part}"].clone() for part in "mvt"]
        change = torch.zeros_like(gradient)
        self._update(change, gradient, *moments, rate)
        return change

    def step(
        self,
        weights: Float[Tensor, "S n"],
        gradient: Float[Tensor, "S n"],
        active: Bool[Tensor, "S"] | None = None,
        rate: float = 1.0,
    ) -> None:
        """One update of `weights` in place, the learning rate times `rate` (a schedule's factor).

        Replicas that are not `active` keep weights, moments and step count.
        """
        changed = (weights, *(self.state[f"{self.name}.{part}"] for part in "mvt"))
        if active is None:
            self._update(weights, gradient, *changed[1:], rate)
            return
        if self.fused_lr is not None:
            raise ValueError("masked steps need Adam(..., fused=False): step counts will differ")
        before = [tensor.clone() for tensor in changed]
        self._update(weights, gradient, *changed[1:], rate)
        for now, old in zip(changed, before, strict=True):
            now.copy_(torch.where(active.view(-1, *[1] * (now.ndim - 1)), now, old))

    def _update(self, weights: Tensor, gradient: Tensor, m: Tensor, v: Tensor, t: Tensor, rate: float) -> None:
        if self.fused_lr is not None:
            self._fused(weights, gradient, m, v, t, rate)
        else:
            self._plain(weights, gradient, m, v, t, rate)

    def _plain(self, weights: Tensor, gradient: Tensor, m: Tensor, v: Tensor, t: Tensor, rate: float) -> None:
        beta1, beta2 = self.betas
        t.add_(1)
        m.lerp_(gradient, 1 - beta1)
        v.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        bias1, bias2 = (1 - beta ** t.double() for beta in self.betas)  # float32 loses digits of 1 - 0.999
        root = v.sqrt().mul_(bias2.rsqrt().to(v)[:, None]).add_(self.eps)
        weights.addcmul_(root.reciprocal_().mul_(m), (-rate * self.lr / bias1).to(v)[:, None])

    def _fused(self, weights: Tensor, gradient: Tensor, m: Tensor, v: Tensor, t: Tensor, rate: float) -> None:
        # The kernel of torch.optim.Adam(fused=True): one pass over memory instead of eight, but one learning rate and one
        # step count for all. torch's wrappers around it take lists and loop over them.
        t.add_(1)
        torch._fused_adam_(
            [weights], [gradient], [m], [v], [], [t[0]], lr=rate * self.fused_lr, beta1=self.betas[0], beta2=self.betas[1],
            weight_decay=0.0, eps=self.eps, amsgrad=False, maximize=False,
        )  # fmt: skip
