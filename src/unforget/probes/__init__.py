"""What a figure needs beyond scores: measured once at the end of a run and kept in its record under the probe's name."""

from collections.abc import Callable
from importlib import import_module

from torch import Tensor

from unforget.data.streams import Stream
from unforget.errors import choose
from unforget.methods.base import Learner

PROBES = {
    "task confusion": "unforget.probes.confusion:task_confusion",
    "class confusion": "unforget.probes.classes:class_confusion",
    "certainty": "unforget.probes.certainty:certainty",
    "curves": "unforget.probes.curves:curves",
    "embeddings": "unforget.probes.embedding:embeddings",
    "embedding exchange": "unforget.probes.embedding:exchange",
    "embedding plane": "unforget.probes.embedding:plane",
    "unit usage": "unforget.probes.hrn:unit_usage",
    "replay samples": "unforget.probes.replay:samples",
    "replay recognition": "unforget.probes.replay:recognition",
}


def find(name: str) -> Callable[[Learner, Stream], Tensor]:
    """The function of a probe: (learner, stream) to a tensor [S, ...]."""
    module, _, function = PROBES[choose("probe", name, PROBES)].partition(":")
    return getattr(import_module(module), function)
