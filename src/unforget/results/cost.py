"""What a recorded run cost, in one place for all pages that list runs."""

from dataclasses import dataclass

from unforget import records, source
from unforget.records import Record


@dataclass(frozen=True)
class Cost:
    """Of one record: `seconds` are those of one replica (replicas that trained together share them evenly), `memory` is the
    highest peak of a process in MiB, `parameters` the trained ones, from fewest to most where replicas differ; `changed`
    of the `replicas` were trained by other code than the package holds now."""

    replicas: int
    seconds: float
    memory: int
    parameters: str
    dates: tuple[str, ...]
    commits: tuple[str, ...]
    changed: int


def of(record: Record) -> Cost:
    """The cost of a record, from its `run` blocks."""
    blocks = record["run"]
    made = sum(len(block["replicas"]) for block in blocks)
    counts = sorted({replica["counts"]["trained"] for replica in record["replicas"] if "trained" in replica["counts"]})
    return Cost(
        replicas=len(record["replicas"]),
        seconds=sum(map(records.seconds, blocks)) / max(made, 1),
        memory=max(block["peak_memory_mib"] for block in blocks),
        parameters=" to ".join(f"{n:,}" for n in dict.fromkeys(counts[:1] + counts[-1:])) or "–",
        dates=tuple(sorted({block["date"] for block in blocks})),
        commits=tuple(dict.fromkeys(block["commit"][:7] for block in blocks if block["commit"])),
        changed=source.outdated(record),
    )
