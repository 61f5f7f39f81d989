"""Ten permutations of MNIST, one choice changed at a time to what the published code has."""

from unforget.experiments.hnet import permuted
from unforget.experiments.hnet.permuted_replay import HNET_R, HNET_TIR, permuted_mnist_10_replay
from unforget.experiments.hnet.rows import HNET_ENT, SCENARIOS
from unforget.experiments.spec import Cell, Experiment, Profile, Run

_VAE_BETA, _ENCODER = {"vae_beta": 0.1}, {"vae_encoder": (1000, 1000)}
_BETA = "β of the replay model as in the published code"
_CONFUSION = ("task confusion",)

permuted_mnist_10_choices = Experiment(
    id="hnet/permuted-mnist-10-choices",
    page="hnet/permuted-mnist-10",
    title="Permuted MNIST, ten tasks, one choice changed",
    regenerates="causes of deviations in Table 1, rows P10",
    runs=(
        *permuted.hnet_runs("-code-beta", ", β of the published code", beta=0.1),
        Run("hnet-tir-code-beta", "hnet-tir", "CL3", ("CL1", "CL3"), HNET_TIR | _VAE_BETA, _CONFUSION, f"{_BETA}, HNET+TIR, CL3"),
        Run("hnet-r-code-beta", "hnet-r", "CL3", ("CL3",), HNET_R | _VAE_BETA, title=f"{_BETA}, HNET+R, CL3"),
        Run("hnet-r-code-encoder", "hnet-r", "CL3", ("CL3",), HNET_R | _ENCODER, title="encoder of the published code, HNET+R, CL3"),
    ),
    profiles=permuted_mnist_10_replay.profiles | {"paper": Profile(permuted.MNIST, tuple(range(5)))},
    minutes={"hnet-tir": 110, "*": 55},
)

EXPERIMENTS = (permuted_mnist_10_choices,)

_REPLAY = (("HNET+TIR", "hnet-tir-code-beta"), ("HNET+R", "hnet-r-code-beta"), ("HNET+R", "hnet-r-code-encoder"))
CELLS = tuple(
    Cell("hnet", "table-1", f"P10-{scenario}", column, f"permuted-mnist-10-choices/{run}", scenario, variant=True)
    for column, run, scenario in (
        *(("HNET+ENT", f"{HNET_ENT[s]}-code-beta", s) for s in SCENARIOS),
        *((column, run, "CL3") for column, run in _REPLAY),
    )
)
