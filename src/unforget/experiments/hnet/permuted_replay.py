"""Ten permutations of MNIST with replay: rows P10 of Table 2, and the columns of Table 1 that replay."""

from unforget.experiments.hnet import permuted, rows
from unforget.experiments.spec import Experiment, Profile

_VAE = {
    "vae_hyper_hidden": (25, 25), "vae_task_embedding": 24, "vae_chunk_embedding": 8, "vae_chunk_size": 85_000, "vae_beta": 0.05,
}  # fmt: skip
HNET_TIR = permuted.HNET | _VAE | {"vae_encoder": (1000, 1000), "vae_decoder": (1000, 1000)}
# The published code keeps TIR's encoder here; appendix C makes both networks smaller.
HNET_R = permuted.TARGET | _VAE | {"vae_encoder": (400, 400), "vae_decoder": (400, 400)}

permuted_mnist_10_replay = Experiment(
    id="hnet/permuted-mnist-10-replay",
    page="hnet/permuted-mnist-10",
    title="Permuted MNIST, ten tasks, with replay",
    regenerates="Table 2, rows P10; replay in rows P10 of Table 1; columns P10 of Table 2 of the LSTM paper",
    runs=rows.replay_runs(permuted.TARGET, hnet_tir=HNET_TIR, hnet_r=HNET_R),
    profiles={
        **permuted.permuted_mnist_10.profiles,
        "smoke": Profile(
            permuted.SMOKE.stream | {"tasks": 3}, (0, 1),
            {"iterations": 5, "batch": 32, "hidden": (100, 100), "vae_encoder": (100,), "vae_decoder": (100,)},
        ),
    },
    minutes={"hnet-tir": 110, "hnet-r": 55, "rpl-ub": 25, "lwf": 15, "dgr": 60},  # from a few steps
)  # fmt: skip

EXPERIMENTS = (permuted_mnist_10_replay,)

CELLS = (
    *rows.replay_cells("permuted-mnist-10-replay", "P10"),
    *rows.replay_model_cells("permuted-mnist-10-replay/hnet-tir", "CL3", "P10 VAE"),
    *rows.replay_model_cells("permuted-mnist-10-replay/hnet-r-cl1", "CL1", "P10 VAE of HNET+R"),
)
LSTM_CELLS = rows.replay_cells_lstm("permuted-mnist-10-replay", "P10")
