"""Protected replay on Split MNIST (von Oswald et al. 2020): HNET+TIR, HNET+R and RPL-UB, their choices, Fig. A8."""

from unforget.experiments.hnet import SCENARIOS, split_mnist
from unforget.experiments.spec import Cell, Experiment, Profile, Run

_CONFUSION = ("task confusion",)
_TIR = {"CL2": "hnet-tir-cl2", "CL3": "hnet-tir"}

RUNS_R = (
    # As with HNET, one training serves CL1 and CL3; its CL1 is that of the run split-mnist/hnet.
    Run("hnet-tir", "hnet-tir", "CL3", ("CL1", "CL3"), probes=_CONFUSION, title="HNET+TIR, CL3"),
    Run("hnet-tir-cl2", "hnet-tir", "CL2", ("CL2",), probes=_CONFUSION, title="HNET+TIR, CL2"),
    *(Run(f"hnet-r-{s.lower()}", "hnet-r", s, (s,), title=f"HNET+R, {s}") for s in SCENARIOS),
    *(Run(f"rpl-ub-{s.lower()}", "rpl-ub", s, (s,), title=f"RPL-UB, {s}") for s in SCENARIOS),
)
"""Runs of split-mnist-replay."""

MINUTES_R = {f"rpl-ub-{s.lower()}": 1.3 for s in SCENARIOS} | {f"hnet-r-{s.lower()}": 3.5 for s in SCENARIOS}
MINUTES_R |= {name: 4.5 for name in _TIR.values()}

CELLS_R = (
    *(Cell("hnet", "table-1", f"S-{s}", "HNET+TIR", f"split-mnist-replay/{name}", s) for s, name in _TIR.items()),
    *(
        Cell("hnet", artifact, f"S-{s}", column, f"split-mnist-replay/{name}-{s.lower()}", s)
        for s in SCENARIOS
        for artifact, column, name in (
            ("table-1", "HNET+R", "hnet-r"), ("table-2", "HNET+R", "hnet-r"), ("table-2", "RPL-UB", "rpl-ub"),
        )
    ),
    Cell("hnet", "table-3", "S-CL1", "HNET+R during", "split-mnist-replay/hnet-r-cl1", "CL1", "during"),
    Cell("hnet", "table-3", "S-CL1", "HNET+R after", "split-mnist-replay/hnet-r-cl1", "CL1"),
    *(
        Cell("hnet", "text-parameters", "S VAE", row, "split-mnist-replay/hnet-r-cl1", "CL1", f"count vae {name}")
        for row, name in (
            ("total", "trained"), ("hypernetwork", "theta"), ("task embeddings", "task embeddings"), ("target", "target"),
        )
    ),
)  # fmt: skip

# --- One choice changed at a time -----------------------------------------------------------------------------------

_CHOICES = {
    "one-hot": ({"vae_condition": "one-hot"}, "one-hot condition, as in appendix B and in the published code"),
    "no-condition": ({"vae_condition": "nothing"}, "no condition"),
    "condition-10": ({"vae_condition_size": 10}, "condition of 10 numbers"),
    "condition-1000": ({"vae_condition_size": 1000}, "condition of 1000 numbers"),
    "zero-logit": ({"unseen": "zero logit"}, "teacher's logit 0 for new classes, as in the published code"),
    "decoder-400": ({"vae_decoder": (400, 400)}, "the decoder that the printed parameter counts belong to"),
}
_CHOICES_TIR = {"weak": ({"vae_beta": 0.01}, "β of the replay model as in the published code")}

split_mnist_replay_choices = Experiment(
    id="hnet/split-mnist-replay-choices",
    title="Split MNIST with replay, one choice changed",
    regenerates="causes of deviations in HNET+R and HNET+TIR, rows S",
    runs=(
        *(
            Run(name, "hnet-r", "CL3", ("CL3",), options, title=f"{title}, HNET+R, CL3")
            for name, (options, title) in _CHOICES.items()
        ),
        *(
            Run(f"tir-{name}", "hnet-tir", "CL3", ("CL1", "CL3"), options, _CONFUSION, f"{title}, HNET+TIR, CL3")
            for name, (options, title) in _CHOICES_TIR.items()
        ),
    ),
    profiles={
        "smoke": split_mnist.profiles["smoke"],
        "lite": split_mnist.profiles["lite"],
        "paper": Profile(split_mnist.profiles["paper"].stream, tuple(range(5))),
    },
    minutes={f"tir-{name}": 4.5 for name in _CHOICES_TIR} | {"*": 3.5},
)  # fmt: skip

_PLACES = (("table-1", "HNET+R"), ("table-2", "HNET+R"))
CELLS_CHOICES = (
    *(
        Cell("hnet", artifact, "S-CL3", column, f"split-mnist-replay-choices/{name}", "CL3", variant=True)
        for name in _CHOICES
        for artifact, column in _PLACES
    ),
    *(
        Cell("hnet", "table-1", "S-CL3", "HNET+TIR", f"split-mnist-replay-choices/tir-{name}", "CL3", variant=True)
        for name in _CHOICES_TIR
    ),
    *(
        Cell("hnet", "text-parameters", "S VAE", row, "split-mnist-replay-choices/decoder-400", "CL3", f"count vae {name}",
             variant=True)
        for row, name in (("total", "trained"), ("hypernetwork", "theta"), ("target", "target"))
    ),
)  # fmt: skip

# --- Figure A8 ------------------------------------------------------------------------------------------------------

_BY_CLASS = {"classes": 1, "tasks": 10}

replay_samples = Experiment(
    id="hnet/replay-samples",
    title="What the protected replay model draws",
    regenerates="Figure A8a",
    runs=(
        Run("vae", "hnet-r", "CL3", ("CL3",), {"vae_show": 4}, ("replay samples", "replay recognition"),
            "HNET+R's replay model, class by class"),
    ),
    profiles={
        "smoke": Profile(
            {"kind": "split", "image_set": "digits"} | _BY_CLASS, (0, 1), {"iterations": 20, "batch": 32, "hidden": (100, 100)}
        ),
        "lite": Profile({"kind": "split", "image_set": "mnist"} | _BY_CLASS, (0,)),
        "paper": Profile({"kind": "split", "image_set": "mnist"} | _BY_CLASS, tuple(range(5))),
    },
    minutes={"*": 8.0},
)  # fmt: skip

EXPERIMENTS = (split_mnist_replay_choices, replay_samples)
