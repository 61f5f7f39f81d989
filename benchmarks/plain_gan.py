"""A slow, obvious version of the GAN whose generator a hypernetwork writes. One seed, torch's own optimiser."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.reference import GivenDropout, PlainHNET, cut, mlp


class PlainGAN:
    """A discriminator of torch modules beside a `PlainHNET` that writes the generator."""

    def __init__(self, learner):
        """With the weights of a learner's first replica."""
        model, o = learner.replay, learner.options
        parts = []
        for n_in, n_out in pairwise(model.discriminator.sizes):
            parts += [nn.Linear(n_in, n_out), nn.ReLU(), GivenDropout(o.gan_dropout, n_out)]
        self.D = nn.Sequential(*parts[:-2]).to(learner.seeds.device)  # a linear output
        nn.utils.vector_to_parameters(model.state["gan.discriminator"][0].clone(), self.D.parameters())
        *layers, c = cut(model.protected["theta"][0], model.hyper.layout.shapes.values())
        shapes = list(model.generator.layout.shapes.values())
        self.writer = PlainHNET(layers, c, model.protected["e"][0], shapes, F.elu, lr=o.gan_lr, beta=o.gan_beta)
        self.lr = o.gan_lr

    def begin(self, task):
        self.writer.begin(task)
        self.adam = torch.optim.Adam(self.D.parameters(), lr=self.lr)

    def judge(self, images, draws):
        """What D says of images in [-1, 1], with dropout by these draws."""
        for layer in self.D:
            if isinstance(layer, GivenDropout):
                layer.draws, draws = draws[:, : layer.width], draws[:, layer.width :]
        return self.D(images).squeeze(1)

    def step(self, x, z, draws):
        """`draws`: for as many real images, drawn ones, and drawn ones when the generator learns."""
        real, unreal, again = draws.split(len(x))
        drawn, ones = 2 * self.sample(self.writer.task, z) - 1, torch.ones(len(x), device=x.device)
        loss = F.mse_loss(self.judge(2 * x.flatten(1) - 1, real), ones)
        loss = loss + F.mse_loss(self.judge(drawn, unreal), -ones)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        self.writer.step(z, 0 * ones, lambda images, zero: F.mse_loss(self.judge(images.tanh(), again), zero))

    @torch.no_grad()
    def sample(self, task, z):
        """Images in [0, 1] of a task for these codes."""
        weights = self.writer.generate(self.writer.e[task], self.writer.layers, self.writer.c)
        return (mlp()(cut(weights, self.writer.shapes), z).tanh() + 1) / 2
