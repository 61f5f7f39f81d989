"""Small streams and learners for the tests of methods, loop and records."""

import torch

from unforget.data.streams import Samples, Stage, Stream
from unforget.methods import find
from unforget.methods.base import Replicas, options

_HNET = {"hyper_hidden": (5, 4), "task_embedding": 3, "chunk_embedding": 2, "chunk_size": 37}
OPTIONS = {
    "finetune": {}, "joint": {}, "ewc": {"strength": 50.0}, "online-ewc": {"strength": 50.0, "gamma": 0.9},
    "si": {"c": 5.0}, "lwf": {}, "dgr": {"latent": 3}, "dgr-distill": {"latent": 3}, "scratch": {},
    "hnet": _HNET | {"beta": 0.5}, "hnet-joint": _HNET,
}  # fmt: skip
_VAE = {
    "vae_encoder": (6,), "vae_decoder": (7,), "vae_latent": 3, "vae_condition_size": 4, "vae_hyper_hidden": (5, 4),
    "vae_task_embedding": 3, "vae_chunk_embedding": 2, "vae_chunk_size": 29, "vae_beta": 0.5,
}  # fmt: skip
# HNET+R at a higher rate: where the classifier barely left its teacher, their distance is mostly rounding.
OPTIONS |= {"hnet-r": {"lr": 3e-3} | _VAE, "hnet-tir": OPTIONS["hnet"] | _VAE, "rpl-ub": {}}
_GAN = {
    "gan_generator": (7,), "gan_discriminator": (12, 10), "gan_latent": 3, "gan_hyper_hidden": (5, 4), "gan_task_embedding": 3,
    "gan_chunk_embedding": 2, "gan_chunk_size": 29, "gan_beta": 0.5, "gan_lr": 3e-3, "gan_iterations": 6,
}  # fmt: skip
OPTIONS |= {"hnet-gan": {"lr": 3e-3} | _GAN}
SHARED = {"hidden": (7, 6), "iterations": 6, "batch": 8}
OWN_CLASSIFIER = {
    "vc": {}, "ewc-encoder": {"strength": 50.0, "images": 12}, "ewc-shared": {"strength": 5.0, "images": 12, "lr": 0.05},
    "ell": {"codes": 4, "code_weight": 5.0, "stabilisation_epochs": 1},
}  # fmt: skip
"""Methods that are scored with a classifier for each task (or, EWC, one for all of them), which see images."""
SHARED_BY_ENCODERS = {
    "filters": (3, 4), "kernels": (3, 2), "strides": (2, 1), "paddings": (1, 0), "channel_dropout": (0.3, 0.0),
    "hidden": (6,), "head_norm": True, "head_dropout": (0.2, 0.1), "outputs": 6, "epochs": (2, 2, 2), "batch": 8,
}  # fmt: skip


def stream(tasks=3, n=40, classes=2, dtype=torch.float32):
    """Random features whose class shifts them, so that there is something to learn."""
    g = torch.Generator().manual_seed(0)

    def samples(t, n):
        y = torch.randint(0, classes, (n,), generator=g) + t * classes
        x = torch.randn(n, 5, generator=g, dtype=dtype)
        x[:, 0] += 2.0 * (y % classes)
        return Samples(x, y, lambda x, y: x) if dtype != torch.float32 else Samples(x, y)

    return Stream(
        "tiny", classes, (5,), tuple(Stage(f"task {t + 1}", (t,), samples(t, n)) for t in range(tasks)),
        tuple(samples(t, 20) for t in range(tasks)), {"tiny": "0"},
    )  # fmt: skip


def features():
    """The same as a recorded configuration names it: all its parameters are JSON."""
    return stream()


def images():
    """Small pictures of two kinds per task; which one it is shows in a corner."""
    g = torch.Generator().manual_seed(0)

    def samples(t, n):
        y = torch.arange(n) % 2 + 2 * t
        x = torch.randn(n, 2, 7, 7, generator=g)
        x[:, :, :3, :3] += (1.5 * (y % 2) + 0.3 * t).view(-1, 1, 1, 1)
        return Samples(x, y)

    return Stream(
        "tiny images", 2, (2, 7, 7), tuple(Stage(f"task {t + 1}", (t,), samples(t, 26)) for t in range(3)),
        tuple(samples(t, 20) for t in range(3)), {"tiny images": "0"},
    )  # fmt: skip


def unbroken():
    """One stage without task boundaries."""
    return stream().merged()


def many():
    """More tasks than a full score matrix is kept for."""
    return stream(tasks=12)


def settings(method):
    """Options that make a method tiny."""
    return SHARED_BY_ENCODERS | OWN_CLASSIFIER[method] if method in OWN_CLASSIFIER else SHARED | OPTIONS[method]


def learner(method, scenario="CL1", seeds=(0, 1, 2), data=None, scan=None, device="cpu", **changes):
    """A learner of a tiny network on a tiny stream."""
    data = data or (images() if method in OWN_CLASSIFIER else stream())
    kind = find(method)
    data = (kind.arrange(data) if hasattr(kind, "arrange") else data).to(torch.device(device))
    values = options(kind.Options, settings(method) | changes, method)
    return kind(data, scenario, values, Replicas(tuple(seeds), scan or {}, torch.device(device))), data


def train(one, data, stages=None):
    """All phases and stage ends, without the loop."""
    for stage in range(len(data.stages) if stages is None else stages):
        for phase in one.phases(stage):
            phase.begin()
            for step in range(phase.steps):
                phase.step(phase.batches(step), step)
        one.end_stage(stage)
    return one
