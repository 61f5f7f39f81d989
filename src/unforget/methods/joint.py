"""Joint training: the same classifier on all tasks at once, with as many updates as all stages together. The upper bound."""

from dataclasses import replace

from unforget.data.streams import Stream
from unforget.methods.base import Replicas
from unforget.methods.finetune import Finetune, Options


class Joint(Finetune):
    """Fine-tuning on the merged stream (`Stream.merged`)."""

    def __init__(self, stream: Stream, scenario: str, options: Options, replicas: Replicas):
        stages = stream.tasks // len(stream.stages) if len(stream.stages) == 1 else len(stream.stages)
        super().__init__(stream, scenario, replace(options, iterations=options.iterations * stages), replicas)

    @staticmethod
    def arrange(stream: Stream) -> Stream:
        return stream.merged()
