"""Declared sections of the HNET paper: sizes as printed, constants as published, architectures from the stated grid."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from unforget import methods
from unforget.data.streams import Samples, Stage, Stream
from unforget.experiments import catalogue
from unforget.experiments.hnet import chunking
from unforget.experiments.hnet.permuted import FIGURE_3B
from unforget.methods.base import Replicas, options

PIXELS = {"split": (1, 28, 28), "permuted": (1024,)}
CLASSES = {"split": 2, "permuted": 10}


def counts(name: str) -> dict[str, int]:
    """What the learner of a run counts at `paper`, on a stream of the right shape without images."""
    experiment, run = catalogue.of(name)
    config = experiment.resolve(run, "paper")
    kind, tasks = config["stream"]["kind"], config["stream"]["tasks"]
    empty = Samples(torch.zeros(0, *PIXELS[kind]), torch.zeros(0, dtype=torch.int64))
    stream = Stream("empty", CLASSES[kind], PIXELS[kind], (Stage("none", (0,), empty),) * tasks, (empty,) * tasks, {})
    method = methods.find(config["method"])
    return method(stream, config["scenario"], options(method.Options, config["options"], "x"), Replicas((0,))).counts()


# run -> target, θ, task embeddings; the first three and "P10 small", "P50 small" as printed or as corrected in the text
SIZES = {
    "permuted-mnist-10/hnet": (2_126_100, 2_029_699, 240),
    "permuted-mnist-10/hnet-cl2": (2_036_010, 2_029_691, 240),
    "permuted-mnist-10-choices/hnet-code-beta": (2_126_100, 2_029_699, 240),
    "permuted-mnist-10-choices/hnet-cl2-code-beta": (2_036_010, 2_029_691, 240),
    "small-networks/hnet": (122_700, 121_819, 640),
    "small-networks/hnet-soft": (122_700, 121_819, 640),
    "small-networks-50/hnet": (163_100, 220_784, 3_200),
    "network-sizes/hnet-100": (122_700, 121_819, 640),
    "network-sizes/hnet-500": (813_100, 781_699, 240),
    "network-sizes/hnet-2000": (6_252_100, 6_241_691, 240),
    "split-embedding-2d/hnet": (478_410, 98 * 10 + 10 + 110 + 11 * 42_000 + 12 * 96, 10),
}


@pytest.mark.parametrize("run", SIZES)
def test_declared_hypernetworks_have_the_papers_sizes(run):
    target, theta, embeddings = SIZES[run]
    expected = {"target": target, "theta": theta, "task embeddings": embeddings, "trained": theta + embeddings}
    assert counts(run) == expected


@pytest.mark.parametrize(
    ("run", "size"),
    [(f"permuted-mnist-10/{m}-{s}", {"cl2": 2_036_010}.get(s, 2_126_100))
     for m in ("finetune", "joint", "ewc", "online-ewc", "si") for s in ("cl1", "cl2", "cl3")]
    + [(f"small-networks{tail}/{m}", size) for tail, size in (("", 122_700), ("-50", 163_100)) for m in ("finetune", "joint")],
)  # fmt: skip
def test_declared_baselines_are_the_target_networks(run, size):
    assert counts(run) == {"target": size, "trained": size}


def test_figure_3b_is_declared_at_the_ratios_it_names():
    for ratio, run in FIGURE_3B.items():
        size = catalogue.of(run)[1].options["chunk_size"]
        trained = 1_715 + 26 * size + 8 * -(-2_126_100 // size)
        assert counts(run)["trained"] == trained and f"{trained / 2_126_100:.2f}" == ratio


def option(run: str, *names: str, profile: str = "paper") -> tuple:
    experiment, one = catalogue.of(run)
    values = experiment.resolve(one, profile)["options"]
    return tuple(values[name] for name in names)


@pytest.mark.parametrize(
    ("scenario", "ewc", "online", "gamma", "c"),
    [("cl1", 500, 500, 0.8, 5), ("cl2", 500, 1000, 0.9, 5), ("cl3", 1, 5, 1, 0.1)],
)
def test_baselines_have_the_strengths_of_their_published_code(scenario, ewc, online, gamma, c):
    assert option(f"permuted-mnist-10/ewc-{scenario}", "strength") == (ewc,)
    # published λ belongs to a penalty that is multiplied by γ once more
    assert option(f"permuted-mnist-10/online-ewc-{scenario}", "strength", "gamma") == pytest.approx((online * gamma, gamma))
    assert option(f"permuted-mnist-10/si-{scenario}", "c") == (c,)
    for method in ("finetune", "joint", "ewc", "online-ewc", "si"):
        constants = option(f"permuted-mnist-10/{method}-{scenario}", "iterations", "batch", "lr", "hidden")
        assert constants == (5000, 128, 1e-4, [1000, 1000])


@pytest.mark.parametrize(
    ("scenario", "ewc", "online", "gamma", "c"), [("cl1", 1e7, 1e8, 0.8, 50), ("cl2", 1e6, 1e8, 0.7, 500), ("cl3", 1e8, 1e9, 0.8, 0.5)]
)
def test_baselines_on_split_mnist_have_the_strengths_of_their_published_code(scenario, ewc, online, gamma, c):
    assert option(f"split-mnist/ewc-{scenario}", "strength") == (ewc,)
    assert option(f"split-mnist/online-ewc-{scenario}", "strength", "gamma") == pytest.approx((online * gamma, gamma))
    assert option(f"split-mnist/si-{scenario}", "c") == (c,)
    for method in ("finetune", "joint", "ewc", "online-ewc", "si"):
        assert option(f"split-mnist/{method}-{scenario}", "iterations", "batch", "lr", "hidden") == (2000, 128, 1e-3, [400, 400])


COMMON = {"split": (2000, 128, 1e-3, [400, 400]), "permuted": (5000, 128, 1e-4, [1000, 1000])}
REPLAYED = {"split": "split-mnist-replay", "permuted": "permuted-mnist-10-replay"}
REPLAY_MODELS = {  # encoder, decoder, hypernetwork, weights of a chunk, embeddings of tasks and chunks, β
    ("split", "hnet-tir"): ([400, 400], [50, 150], [10, 10], 50_000, 96, 96, 0.05),
    ("split", "hnet-r"): ([400, 400], [250, 350], [10, 10], 50_000, 96, 96, 0.01),
    ("permuted", "hnet-tir"): ([1000, 1000], [1000, 1000], [25, 25], 85_000, 24, 8, 0.05),
    ("permuted", "hnet-r"): ([400, 400], [400, 400], [25, 25], 85_000, 24, 8, 0.05),
}
_MODEL = ("encoder", "decoder", "hyper_hidden", "chunk_size", "task_embedding", "chunk_embedding", "beta")


def replay_runs(stream: str, method: str) -> list[str]:
    return [run.name for run in catalogue.find(REPLAYED[stream])[1] if run.method == method]


@pytest.mark.parametrize(("stream", "method"), REPLAY_MODELS)
def test_declared_replay_models_have_the_papers_constants(stream, method):
    for run in replay_runs(stream, method):
        name = f"{REPLAYED[stream]}/{run}"
        assert option(name, *(f"vae_{part}" for part in _MODEL)) == REPLAY_MODELS[stream, method]
        others = ("vae_hyper_activation", "vae_condition", "vae_condition_size", "iterations", "batch", "lr", "hidden")
        assert option(name, *others) == ("elu", "gaussian", 100, *COMMON[stream])


@pytest.mark.parametrize("stream", COMMON)
def test_the_classifier_of_task_inference_by_replay_is_that_of_inference_by_entropy(stream):
    ent, run = catalogue.of({"split": "split-mnist", "permuted": "permuted-mnist-10"}[stream] + "/hnet")
    plain = ent.resolve(run, "paper")["options"]
    for name in replay_runs(stream, "hnet-tir"):
        assert option(f"{REPLAYED[stream]}/{name}", *plain) == tuple(plain.values())


@pytest.mark.parametrize("stream", COMMON)
def test_declared_rehearsal_has_the_papers_constants(stream):
    for method in ("hnet-r", "rpl-ub", "lwf", "dgr", "dgr-distill"):
        assert len(replay_runs(stream, method)) == 3
        for run in replay_runs(stream, method):
            assert option(f"{REPLAYED[stream]}/{run}", "iterations", "batch", "lr", "hidden") == COMMON[stream]
    for method in ("hnet-r", "rpl-ub", "lwf", "dgr-distill"):
        assert {option(f"{REPLAYED[stream]}/{run}", "temperature") for run in replay_runs(stream, method)} == {(2.0,)}


def test_the_codes_variants_of_permuted_replay_differ_in_nothing_else():
    base, changed = "permuted-mnist-10-replay/", "permuted-mnist-10-choices/"
    for plain, code, change in (
        ("hnet-tir", "hnet-tir-code-beta", {"vae_beta": 0.1}),
        ("hnet-r-cl3", "hnet-r-code-beta", {"vae_beta": 0.1}),
        ("hnet-r-cl3", "hnet-r-code-encoder", {"vae_encoder": [1000, 1000]}),
    ):
        (one, run), (other, variant) = catalogue.of(base + plain), catalogue.of(changed + code)
        assert other.resolve(variant, "paper")["options"] == one.resolve(run, "paper")["options"] | change


@pytest.mark.parametrize(
    ("run", "beta", "hidden", "lite"),
    [("permuted-mnist-10/hnet", 0.01, [25, 25], 500), ("permuted-mnist-10-choices/hnet-code-beta", 0.1, [25, 25], 500),
     ("permuted-mnist-10-compression/chunk-8000", 0.01, [25, 25], 500), ("small-networks/hnet", 0.05, [100, 75, 50], 1000),
     ("small-networks-50/hnet", 0.1, [100, 100], 1000)],
)  # fmt: skip
def test_permuted_hypernetworks_are_trained_with_the_papers_constants(run, beta, hidden, lite):
    names = ("iterations", "batch", "lr", "beta", "hyper_hidden", "hyper_activation", "look_ahead")
    assert option(run, *names) == (5000, 128, 1e-4, beta, hidden, "elu", True)
    assert option(run, "iterations", profile="lite") == (lite,)


def test_table_6_trains_50_epochs_of_networks_of_three_sizes_and_never_more_weights_than_theirs():
    for width in (100, 500, 2000):
        run = f"network-sizes/hnet-{width}"
        iterations, batch, lr, hidden = option(run, "iterations", "batch", "lr", "hidden")
        assert (iterations * batch // 60_000, batch, lr, hidden) == (50, 64, 1e-4, [width, width])
        assert 0.95 < counts(run)["trained"] / counts(run)["target"] < 1


@pytest.mark.parametrize(("tail", "beta"), [("", 0.05), ("-50", 0.1)])
def test_bounds_of_small_networks_differ_from_them_in_what_they_are_named_for(tail, beta):
    sizes = ("hyper_hidden", "hidden", "iterations")
    plain = option(f"small-networks{tail}/hnet", *sizes, "beta")
    assert plain[-1] == beta
    assert option(f"small-networks{tail}/unprotected", *sizes, "beta") == (*plain[:-1], 0)
    assert option(f"small-networks{tail}/hnet-joint", *sizes) == plain[:-1]
    assert option(f"small-networks{tail}/scratch", "hidden", "iterations", "lr") == ([100, 100], 5000, 1e-4)


def test_soft_targets_differ_in_nothing_else():
    plain, soft = (catalogue.of(f"small-networks/{name}")[1].options for name in ("hnet", "hnet-soft"))
    assert soft == plain | {"smoothing": 0.05}


@pytest.mark.parametrize("artifact", chunking.FIGURE_A7)
def test_random_architectures_come_from_the_grid_and_fill_every_bin(artifact):
    experiment, benchmark, nets = chunking.FIGURE_A7[artifact]
    assert nets == chunking.draw(benchmark) and len(set(nets)) == len(nets)  # the same list for everybody
    sizes = [10, 50, 100, 200, 300, 400, 500, 750] + [1000 * k for k in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40)]
    for one in nets:
        assert 1 <= len(one.hidden) <= 2 and set(one.hidden) <= {5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}
        assert one.chunk_embedding in (8, 12, 24, 56, 96) and one.chunk_size in sizes
    assert set(nets) <= set(chunking.grid()) and len(set(chunking.grid())) == (11 + 11 * 11) * 5 * 21
    ratios = [one.ratio(benchmark) for one in nets]
    assert np.histogram(ratios, [0.01, 0.03, 0.1, 0.3, 1, 2])[0].tolist() == [benchmark.per_bin] * 5
    assert ratios == sorted(ratios)
    assert [run.name for run in experiment.runs] == [one.name for one in nets]


@pytest.mark.parametrize("artifact", chunking.FIGURE_A7)
def test_ratios_of_random_architectures_are_what_their_learners_count(artifact):
    experiment, benchmark, nets = chunking.FIGURE_A7[artifact]
    for one in nets[:: len(nets) // 4]:
        found = counts(f"{experiment.id.removeprefix('hnet/')}/{one.name}")
        assert found["trained"] / found["target"] == one.ratio(benchmark)
        inputs, multiplications = benchmark.task_embedding + one.chunk_embedding, 0
        for width in one.hidden:
            multiplications, inputs = multiplications + inputs * width, width
        chunks = -(-found["target"] // one.chunk_size)
        assert one.work(benchmark) == chunks * multiplications <= 20_000_000


@pytest.mark.parametrize(("ratio", "bin"), [(0.01, 0), (0.0299, 0), (0.03, 1), (0.5, 3), (1.0, 4), (1.99, 4)])
def test_a_ratio_on_an_edge_belongs_to_the_bin_above(ratio, bin):
    assert chunking.bin_of(ratio) == bin


def test_random_architectures_share_the_constants_of_table_1():
    for one, table in ((chunking.SPLIT_NETS[0], "split-mnist/hnet"), (chunking.PERMUTED_NETS[0], "permuted-mnist-10/hnet")):
        name = {"split-mnist/hnet": "chunking", "permuted-mnist-10/hnet": "chunking-permuted"}[table]
        shared = ("hidden", "iterations", "batch", "lr", "beta", "task_embedding", "hyper_activation")
        assert option(f"{name}/{one.name}", *shared) == option(table, *shared)


def test_minutes_are_those_of_the_longest_beginning_of_a_runs_name():
    one = catalogue.experiment("hnet/split-mnist-replay")
    assert one.minutes_of("hnet-tir-cl2") == one.minutes["hnet-tir"] and one.minutes_of("dgr-distill-cl1") == one.minutes["dgr"]
    bounds = catalogue.experiment("hnet/split-mnist")
    assert bounds.minutes_of("hnet-joint") == bounds.minutes["hnet-joint"] != bounds.minutes_of("hnet-cl2")
    assert bounds.minutes_of("scratch") == bounds.minutes["*"] and replace(one, minutes={}).minutes_of("x") == 0
