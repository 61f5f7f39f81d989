"""Figure A8: what protected replay models draw when they learn MNIST class by class."""

from unforget.experiments.spec import Cell, Experiment, Profile, Run

_BY_CLASS = {"classes": 1, "tasks": 10}
_PROBES = ("replay samples", "replay recognition")

replay_samples = Experiment(
    id="hnet/replay-samples",
    title="What the protected replay model draws",
    regenerates="Figure A8",
    runs=(
        Run("vae", "hnet-r", "CL3", ("CL3",), {"vae_show": 4}, _PROBES, "HNET+R's replay model, class by class"),
        Run("gan", "hnet-gan", "CL3", ("CL3",), {"gan_show": 4}, _PROBES, "a GAN in its place"),
    ),
    profiles={
        "smoke": Profile(
            {"kind": "split", "image_set": "digits"} | _BY_CLASS, (0, 1),
            {"iterations": 20, "batch": 32, "hidden": (100, 100), "gan_iterations": 20, "gan_generator": (100, 100),
             "gan_discriminator": (100, 100), "gan_chunk_size": 10_000},
        ),
        "lite": Profile({"kind": "split", "image_set": "mnist"} | _BY_CLASS, (0,), {"gan_iterations": 1000}),
        "paper": Profile({"kind": "split", "image_set": "mnist"} | _BY_CLASS, tuple(range(5))),
    },
    minutes={"vae": 8.0, "gan": 64.0},
)  # fmt: skip

EXPERIMENTS = (replay_samples,)
CELLS = tuple(
    Cell("hnet", "figure-a8", f"digit {digit}", f"{run.upper()}, recognised", f"replay-samples/{run}", "CL3",
         f"recognised: task {digit + 1}")
    for run in ("vae", "gan")
    for digit in range(10)
)  # fmt: skip
