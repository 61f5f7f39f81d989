"""Figure A8: what the protected replay model draws when it learns MNIST class by class."""

from unforget.experiments.spec import Cell, Experiment, Profile, Run

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

EXPERIMENTS = (replay_samples,)
CELLS = tuple(
    Cell("hnet", "figure-a8", f"digit {digit}", "VAE, recognised", "replay-samples/vae", "CL3", f"recognised: task {digit + 1}")
    for digit in range(10)
)
