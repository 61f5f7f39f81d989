"""Split MNIST with protected replay, one choice changed at a time."""

from unforget.experiments.hnet.replay import split_mnist_replay
from unforget.experiments.spec import Cell, Experiment, Profile, Run

_ZERO_LOGIT = {"unseen": "zero logit"}
_OVER_CLASSES = {"over_classes": "mean"}
_OVER_CLASSES_TITLE = "distillation averaged over classes"
_CHOICES = {
    "one-hot": ({"vae_condition": "one-hot"}, "one-hot condition, as in appendix B and in the published code"),
    "no-condition": ({"vae_condition": "nothing"}, "no condition"),
    "condition-10": ({"vae_condition_size": 10}, "condition of 10 numbers"),
    "condition-1000": ({"vae_condition_size": 1000}, "condition of 1000 numbers"),
    "zero-logit": (_ZERO_LOGIT, "teacher's logit 0 for new classes, as in the published code"),
    "decoder-400": ({"vae_decoder": (400, 400)}, "the decoder that the printed parameter counts belong to"),
}
_CHOICES_TIR = {
    "weak": ({"vae_beta": 0.01}, "β of the replay model as in the published code"),
    "one-hot": ({"vae_condition": "one-hot"}, "one-hot condition, as in appendix B and in the published code"),
    "decoder-300": ({"vae_decoder": (300, 150)}, "the decoder of an earlier state of the published code"),
}

split_mnist_replay_choices = Experiment(
    id="hnet/split-mnist-replay-choices",
    page="hnet/choices",
    title="Split MNIST with replay, one choice changed",
    regenerates="causes of deviations in HNET+R and HNET+TIR, rows S",
    runs=(
        *(
            Run(name, "hnet-r", "CL3", ("CL3",), options, title=f"{title}, HNET+R, CL3")
            for name, (options, title) in _CHOICES.items()
        ),
        *(
            Run(f"tir-{name}", "hnet-tir", "CL3", ("CL1", "CL3"), options, ("task confusion",), f"{title}, HNET+TIR, CL3")
            for name, (options, title) in _CHOICES_TIR.items()
        ),
        Run("lwf-zero-logit", "lwf", "CL3", ("CL3",), _ZERO_LOGIT, title="old network's logit 0 for new classes, LwF, CL3"),
        *(
            Run(f"lwf-mean-{cl.lower()}", "lwf", cl, (cl,), _OVER_CLASSES, title=f"{_OVER_CLASSES_TITLE}, LwF, {cl}")
            for cl in ("CL1", "CL2", "CL3")
        ),
        Run("dgr-distill-mean-cl3", "dgr-distill", "CL3", ("CL3",), _OVER_CLASSES,
            title=f"{_OVER_CLASSES_TITLE}, DGR with distillation, CL3"),
        Run("rpl-ub-zero-logit", "rpl-ub", "CL3", ("CL3",), _ZERO_LOGIT, title=f"{_CHOICES['zero-logit'][1]}, RPL-UB, CL3"),
    ),
    profiles={
        **split_mnist_replay.profiles,
        "smoke": split_mnist_replay.profiles["smoke"].of(iterations=6),
        "paper": Profile(split_mnist_replay.profiles["paper"].stream, tuple(range(5))),
    },
    minutes={"tir": 5.4, "lwf": 1.8, "dgr": 6.0, "rpl-ub": 1.6, "*": 4.7},
)  # fmt: skip

EXPERIMENTS = (split_mnist_replay_choices,)

_PLACES = (("table-1", "HNET+R"), ("table-2", "HNET+R"))
CELLS = (
    *(
        Cell("hnet", "text-choices", "S-CL3", f"HNET+R, {column}", f"split-mnist-replay-choices/{name}", "CL3")
        for column, name in (
            ("no condition", "no-condition"), ("condition of 10", "condition-10"), ("condition of 1000", "condition-1000"),
        )
    ),
    *(
        Cell("hnet", artifact, "S-CL3", column, f"split-mnist-replay-choices/{name}", "CL3", variant=True)
        for name in _CHOICES
        for artifact, column in _PLACES
    ),
    *(
        Cell("hnet", "table-1", "S-CL3", "HNET+TIR", f"split-mnist-replay-choices/tir-{name}", "CL3", variant=True)
        for name in _CHOICES_TIR
    ),
    Cell("hnet", "table-2", "S-CL3", "RPL-UB", "split-mnist-replay-choices/rpl-ub-zero-logit", "CL3", variant=True),
    *(
        Cell("hnet", artifact, "S-CL3", "DGR", "split-mnist-replay-choices/dgr-distill-mean-cl3", "CL3", variant=True)
        for artifact in ("table-1", "table-2")
    ),
    *(
        Cell("hnet", "text-parameters", "S VAE", row, "split-mnist-replay-choices/decoder-400", "CL3", f"count vae {name}",
             variant=True)
        for row, name in (("total", "trained"), ("hypernetwork", "theta"), ("target", "target"))
    ),
)  # fmt: skip

LSTM_CELLS = (
    Cell("lstm", "table-2", "LWF", "S CL3", "split-mnist-replay-choices/lwf-zero-logit", "CL3", variant=True),
    *(
        Cell("lstm", "table-2", "LWF", f"S {cl}", f"split-mnist-replay-choices/lwf-mean-{cl.lower()}", cl, variant=True)
        for cl in ("CL1", "CL2", "CL3")
    ),
    Cell("lstm", "table-2", "DGR+distill", "S CL3", "split-mnist-replay-choices/dgr-distill-mean-cl3", "CL3", variant=True),
    Cell("lstm", "table-2", "HNET+R", "S CL3", "split-mnist-replay-choices/zero-logit", "CL3", variant=True),
)
