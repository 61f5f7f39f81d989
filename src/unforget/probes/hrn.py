"""What the figure on unit usage of hash-routed networks needs (arXiv figure 3, ICLR figure 4)."""

from torch import Tensor

from unforget.data.streams import Stream
from unforget.methods.hrn.method import HRN


def unit_usage(learner: HRN, stream: Stream) -> Tensor:
    """How often each unit was selected while a stage was trained: [S, stage, unit]."""
    return learner.state["uses"]
