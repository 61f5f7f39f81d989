"""Split MNIST with replay: rows S of Table 2, and the columns of Table 1 that replay."""

from unforget.experiments.hnet import rows
from unforget.experiments.hnet.split import split_mnist
from unforget.experiments.spec import Experiment

split_mnist_replay = Experiment(
    id="hnet/split-mnist-replay",
    title="Split MNIST with replay",
    regenerates="Table 2, rows S; replay in rows S of Table 1; columns S of Table 2 of the LSTM paper",
    runs=rows.replay_runs(),
    profiles={**split_mnist.profiles, "smoke": split_mnist.profiles["smoke"].of(iterations=12)},
    minutes={"hnet-tir": 5.4, "hnet-r": 4.7, "rpl-ub": 1.6, "lwf": 1.8, "dgr": 5.3},
)

EXPERIMENTS = (split_mnist_replay,)

CELLS = (
    *rows.replay_cells("split-mnist-replay", "S"),
    *rows.replay_model_cells("split-mnist-replay/hnet-r-cl1", "CL1", "S VAE"),
    *rows.replay_model_cells("split-mnist-replay/hnet-tir", "CL3", "S VAE of HNET+TIR"),
)
LSTM_CELLS = rows.replay_cells_lstm("split-mnist-replay", "S")
