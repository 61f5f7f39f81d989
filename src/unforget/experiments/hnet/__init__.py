"""Von Oswald et al. (2020): what makes its tables and figures, one file per section of the paper."""

from unforget.experiments.hnet import (
    certainty,
    chunking,
    dealt,
    embedding,
    permuted,
    permuted_choices,
    permuted_replay,
    replay,
    replay_choices,
    replay_samples,
    small,
    split,
    toy,
)
from unforget.experiments.hnet.rows import HNET_ENT, SCENARIOS
from unforget.experiments.hnet.toy import toy_regression

__all__ = ["CELLS", "EXPERIMENTS", "HNET_ENT", "SCENARIOS", "toy_regression"]

_PARTS = (toy, split, certainty, replay, replay_choices, dealt, replay_samples, permuted, permuted_replay, permuted_choices,
          embedding, small, chunking)  # fmt: skip

EXPERIMENTS = tuple(experiment for part in _PARTS for experiment in part.EXPERIMENTS)
CELLS = tuple(cell for part in _PARTS for cell in part.CELLS)
