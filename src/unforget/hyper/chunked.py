"""The chunked hypernetwork of von Oswald et al. (2020), section 2.2: a small network writes a large one in pieces."""

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from unforget import random
from unforget.nets.layout import Layout, linear_shapes, xavier_uniform
from unforget.nets.mlp import linear

# Overwriting spares the memory of every pre-activation, which matters at 100 tasks.
IN_PLACE = {"relu": torch.relu_, "elu": F.elu_, "sigmoid": torch.sigmoid_, "linear": lambda x: x}


@dataclass(frozen=True)
class ChunkedHypernet:
    """h(e, θ): maps a task embedding to all weights of a target network, chunk by chunk.

    The input is [e, c_j]; all chunks of a task are one batch; the surplus at the end of the last chunk is discarded.
    θ, one vector per replica, holds the network's weights (W1, b1, ..., the last pair being the large output layer) and
    the chunk embeddings c. With `chunk_size` None there is one chunk and no chunk embedding (the toy problem).
    """

    target: Layout
    hidden: tuple[int, ...]
    task_embedding: int
    chunk_embedding: int = 0
    chunk_size: int | None = None
    activation: str = "elu"

    @property
    def width(self) -> int:
        """Outputs per chunk."""
        return self.chunk_size or self.target.size

    @property
    def chunks(self) -> int:
        return -(-self.target.size // self.width)

    @property
    def last_width(self) -> int:
        """Inputs of the output layer."""
        return self.hidden[-1] if self.hidden else self.task_embedding + self.chunk_embedding

    @property
    def last_used(self) -> int:
        """Outputs of the last chunk that are used."""
        return self.target.size - (self.chunks - 1) * self.width

    @cached_property
    def layout(self) -> Layout:
        sizes = (self.task_embedding + self.chunk_embedding, *self.hidden, self.width)
        return Layout(linear_shapes(sizes) | {"c": (self.chunks, self.chunk_embedding)})

    def initial(self, seeds: Int[Tensor, "S"], stream: str = "theta") -> Float[Tensor, "S theta"]:
        """Xavier uniform matrices, zero biases, chunk embeddings N(0, 1)."""
        theta = xavier_uniform(self.layout, seeds, stream)
        theta[:, self.layout.slice("c")] = random.normal(seeds, f"{stream}/c", 0, self.layout.shapes["c"]).flatten(1)
        return theta

    def last_hidden(
        self, theta: Float[Tensor, "S theta"], e: Float[Tensor, "S T emb"]
    ) -> tuple[Float[Tensor, "S rows h"], Float[Tensor, "S width h"], Float[Tensor, "S width"]]:
        """Activations before the output layer, one row per (chunk, task) with tasks fastest, and that layer's W and b."""
        tensors, activation = self.layout.split(theta), IN_PLACE[self.activation]
        if self.hidden:
            # The first layer is linear in [e, c]: the shares of e and c are computed once each and added for every pair.
            W_e, W_c = tensors["W1"].split((self.task_embedding, self.chunk_embedding), -1)
            a = activation((tensors["c"] @ W_c.transpose(1, 2)).unsqueeze(2) + linear(e, W_e, tensors["b1"]).unsqueeze(1))
        else:
            N, T = self.chunks, e.shape[1]
            a = torch.cat((e.unsqueeze(1).expand(-1, N, -1, -1), tensors["c"].unsqueeze(2).expand(-1, -1, T, -1)), -1)
        a = a.flatten(1, 2)
        for i in range(2, len(self.hidden) + 1):
            a = activation(linear(a, tensors[f"W{i}"], tensors[f"b{i}"]))
        last = len(self.hidden) + 1
        return a, tensors[f"W{last}"], tensors[f"b{last}"]

    def generate(self, theta: Float[Tensor, "S theta"], e: Float[Tensor, "S T emb"]) -> Float[Tensor, "S T target"]:
        """Weights of the target network for T task embeddings."""
        outputs = linear(*self.last_hidden(theta, e)).unflatten(1, (self.chunks, e.shape[1]))
        # Split, not sliced: the backward pass then is one concatenation instead of a zero buffer of full size and a copy.
        return outputs.transpose(1, 2).flatten(2).split((self.target.size, self.width - self.last_used), -1)[0]
