"""Split MNIST once more, nothing changed, to see how certain each task's network is: why tasks, and with them classes, are
mistaken in S-CL2 and S-CL3."""

from unforget.experiments.hnet.split import split_mnist
from unforget.experiments.spec import Experiment, Run

split_mnist_certainty = Experiment(
    id="hnet/split-mnist-certainty",
    page="hnet/split-mnist",
    title="Split MNIST, certainty of every network",
    regenerates="what task inference goes by in Table 1, rows S-CL2 and S-CL3",
    runs=(
        Run("hnet", "hnet", "CL1", ("CL1", "CL3"), probes=("task confusion", "certainty", "class confusion"),
            title="HNET+ENT, CL1 and CL3"),
        Run("hnet-cl2", "hnet", "CL2", ("CL2",), probes=("task confusion", "certainty"), title="HNET+ENT, CL2"),
    ),
    profiles=split_mnist.profiles,
    minutes={"*": 1.8},
)

EXPERIMENTS = (split_mnist_certainty,)
CELLS = ()
