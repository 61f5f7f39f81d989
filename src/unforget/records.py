"""Records: what a run leaves behind. One JSON per run and configuration, replicas inside it, written atomically.

A record holds its full configuration, sizes of the test sets, data checksums, one entry per replica (seed, scanned
hyperparameters, parameter counts, scores per view as [after_stage][on_task], probes) and a `run` block (timings, memory, versions, device,
source). Replicas trained at different times pool in one file; outside `run` it is a function of the configuration and the
seeds. A checksum over the content tells a damaged file, which is named and refused.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unforget.data.files import project_root
from unforget.errors import UnforgetError

FORMAT = 1
Record = dict[str, Any]


def results_folder() -> Path:
    """Where the records of this project lie."""
    return project_root() / "data" / "results"


def configuration_hash(configuration: dict[str, Any]) -> str:
    """Twelve hexadecimal digits naming a configuration (seeds are not part of it)."""
    return hashlib.sha256(_canonical(configuration).encode()).hexdigest()[:12]


def path_of(folder: Path, configuration: dict[str, Any], label: str) -> Path:
    """Where the record of a run lives: `<stream>/<run>/<label>.json`; `label` is the profile, or custom."""
    name = label if label != "custom" else f"custom-{configuration_hash(configuration)}"
    return Path(folder, *configuration["run"].split("/")) / f"{name}.json"


def load(path: Path) -> Record:
    """Read a record. Raises `UnforgetError` naming the file where it is damaged or of another format."""
    try:
        record = json.loads(Path(path).read_text())
        found = record.pop("checksum")
        whole = found == _checksum(record)
    except FileNotFoundError:
        raise UnforgetError(f"no record {path}; `unforget list` names the recorded runs") from None
    except OSError as error:
        raise UnforgetError(f"cannot read record {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole, record = False, {}
    if not whole:
        raise UnforgetError(f"record {path} is damaged; restore it from version control or delete it and run again")
    if record.get("format") != FORMAT:
        raise UnforgetError(f"record {path} has format {record.get('format')}; this version reads format {FORMAT}")
    return record


def save(path: Path, record: Record, complete: Callable[[dict], dict] = lambda config: config) -> Record:
    """Pool `record` with what the file holds (newer replicas replace older ones of the same seed) and write it.

    `complete` brings the configuration of an older record up to date (options declared since, at their defaults).

    Raises `UnforgetError` where the file holds another configuration or cannot be written; it is then left as it was.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            old = load(path) if path.exists() else {**record, "replicas": [], "run": []}
            pooled = pool(old | {"config": complete(old["config"])}, record)
            write(path, pooled)
    except OSError as error:
        raise UnforgetError(f"cannot write record {path}: {error.strerror}") from None
    return pooled


def write(path: Path, record: Record) -> None:
    """Write a record with its checksum in place of what the file holds, all of it or nothing.

    Raises `UnforgetError` where it cannot be written.
    """
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(part, "w") as file:
                file.write(_layout(record | {"checksum": _checksum(record)}))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UnforgetError(f"cannot write record {path}: {error.strerror}") from None


def pool(old: Record, new: Record) -> Record:
    """One record from two of the same configuration. Replicas of `new` replace those of `old` with the same key."""
    for part in ("config", "tests", "checksums"):
        if not same(old[part], new[part]):
            raise UnforgetError(f"two records of {new['config']['run']} differ in {part}; they cannot be pooled")
    fresh = {key(replica) for replica in new["replicas"]}
    kept = [replica for replica in old["replicas"] if key(replica) not in fresh]
    replicas = sorted(kept + new["replicas"], key=key)
    blocks = []
    for block in old["run"]:
        mine = [k for k in block["replicas"] if (k[0], *map(tuple, k[1:])) not in fresh]  # JSON made lists of pairs
        if mine:
            blocks.append(block | {"replicas": mine})
    return new | {"replicas": replicas, "run": blocks + new["run"]}


def key(replica: dict[str, Any]) -> tuple:
    """What tells a replica from the others: its seed and its scanned hyperparameters."""
    return (replica["seed"], *sorted(replica["scan"].items()))


def same(one: Any, other: Any) -> bool:
    """Whether two parts of records say the same, one of them perhaps not yet written (its tuples not yet lists)."""
    return json.loads(_canonical(one)) == json.loads(_canonical(other))


def scores(record: Record, view: str) -> np.ndarray:
    """acc[seed, after_stage, on_task] as fractions (or squared errors); NaN where not scored."""
    if view not in record["config"]["views"]:
        raise UnforgetError(f"run {record['config']['run']} has no view {view!r}; it has {record['config']['views']}")
    return np.array([replica["scores"][view] for replica in record["replicas"]], dtype=float)


def probe(record: Record, name: str) -> np.ndarray:
    """A probe of a record as an array [seed, ...]."""
    if name not in record["config"]["probes"]:
        raise UnforgetError(f"run {record['config']['run']} kept no probe {name!r}")
    return np.array([replica["probes"][name] for replica in record["replicas"]], dtype=float)


def seeds(record: Record) -> list[int]:
    """The seeds of its replicas, in their order."""
    return [replica["seed"] for replica in record["replicas"]]


def seconds(block: dict[str, Any]) -> float:
    """What an entry of a `run` block cost: processor seconds on a CPU (another program may share it), else wall seconds."""
    spent = block["seconds"]
    shared = block["device_type"] == "cpu" and "processor" in spent and spent["wall"] >= spent["train"]
    return spent["processor"] if shared else spent["train"] + spent["evaluate"]


def without_run(record: Record) -> Record:
    """What two runs of the same thing must agree in."""
    return {name: value for name, value in record.items() if name != "run"}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _checksum(record: Record) -> str:
    return hashlib.sha256(_canonical(record).encode()).hexdigest()


def _layout(record: Record) -> str:
    """JSON with one line per entry and per replica, so that a difference shows what changed."""
    lines = []
    for name, value in record.items():
        if isinstance(value, list):
            inner = ",\n".join("  " + json.dumps(item, sort_keys=True) for item in value)
            lines.append(f" {json.dumps(name)}: [\n{inner}\n ]")
        else:
            lines.append(f" {json.dumps(name)}: {json.dumps(value, sort_keys=True)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


@contextlib.contextmanager
def _locked(folder: Path):
    """Keep two processes from pooling into the same folder at once (where the system has file locks)."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
