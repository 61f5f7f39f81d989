"""Recorded speeds: what a benchmark measured, one JSON per benchmark and kind of device in `data/speeds`.

A speed belongs to a machine and a day, not to a configuration: no two measurements agree, and a new one replaces the old
one whole. Hence a folder of its own beside the records of runs, in the same format (checksum, one line per row).
`python -m benchmarks NAME --record` writes it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unforget import records, source
from unforget.data.files import project_root
from unforget.records import Record
from unforget.words import count


def folder() -> Path:
    """Where the recorded speeds of this project lie."""
    return project_root() / "data" / "speeds"


def save(benchmark: str, rows: Sequence[Mapping[str, Any]], machine: Mapping[str, Any], repetitions: int) -> Path:
    """Keep the rows of a benchmark's table, measured on `machine` (`unforget.runtime.describe`) in so many turns a candidate.

    Returns the file. Raises `UnforgetError` where it cannot be written.
    """
    path = folder() / f"{benchmark}-{machine['device_type']}.json"
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    about = {"machine": dict(machine), "date": date, "commit": source.commit(), "repetitions": repetitions}
    record = {"format": records.FORMAT, "benchmark": benchmark, **about, "rows": [dict(row) for row in rows]}
    records.write(path, record)
    return path


def load(benchmark: str) -> dict[str, Record]:
    """The recorded speeds of a benchmark by the type of device ("cpu", "cuda"); empty where there is none.

    Raises `UnforgetError` naming a damaged file.
    """
    return {path.stem.removeprefix(f"{benchmark}-"): records.load(path) for path in sorted(folder().glob(f"{benchmark}-*.json"))}


def machine(record: Record) -> str:
    """On what and when it was measured, in words."""
    about, turns = record["machine"], record["repetitions"]
    threads = f", {about['threads']} of {about['cores']} threads" if about["device_type"] == "cpu" else ""
    return (
        f"{about['device']}{threads}, torch {about['torch']}, Python {about['python']}, {about['system']}; "
        f"{record['date']}, commit {record['commit'][:7] or 'unknown'}, median of at most {count(turns, 'turn')}"
    )
