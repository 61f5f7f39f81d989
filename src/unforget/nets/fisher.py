"""The diagonal of the empirical Fisher information of a fully connected network, exactly, in one batched pass.

For a linear layer the gradient of one sample's loss is the outer product g xᵀ of its output gradient and its input, so
the sum over samples of its square is (G∘G)ᵀ(X∘X): two matrix products in place of one backward pass per sample.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from unforget.nets.mlp import MLP


def squared_gradients(
    net: MLP, weights: Float[Tensor, "S size"], x: Float[Tensor, "#S B ..."], loss: Callable[[Tensor], Tensor]
) -> Float[Tensor, "S size"]:
    """Sum over the batch of squared per-sample gradients with respect to every weight.

    `loss` maps outputs [S, B, n_out] to per-sample losses [S, B], each a function of its own sample only. x may have
    S = 1. Divide by the number of samples for the Fisher diagonal (EWC; FI of Chandra et al., section 3.2).
    """
    taps: list[tuple[Tensor, Tensor]] = []
    with torch.enable_grad():
        outputs = net.apply(weights.detach().requires_grad_(), x, taps)
        gradients = torch.autograd.grad(loss(outputs).sum(), [pre for _, pre in taps])
    tensors = {}
    for i, ((inputs, _), G) in enumerate(zip(taps, gradients, strict=True), 1):
        squares = G.square()
        tensors[f"W{i}"] = squares.transpose(1, 2) @ inputs.detach().square()
        tensors[f"b{i}"] = squares.sum(1)
    return net.layout.join(tensors)
