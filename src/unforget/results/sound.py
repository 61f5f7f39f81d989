"""Whether what is recorded and transcribed is whole: every record, every CSV, and both against the declarations."""

from pathlib import Path

from unforget import records
from unforget.data import images, toy
from unforget.errors import UnforgetError
from unforget.experiments import catalogue, executor
from unforget.experiments.spec import PROFILES
from unforget.records import Record
from unforget.results import ledger, measured, paper, speeds


def problems(results: Path | None = None) -> list[str]:
    """One line per problem, none where all is sound."""
    found, whole = [], []
    results = results or records.results_folder()
    for path in sorted(results.glob("**/*.json")):
        try:
            record = records.load(path)
        except UnforgetError as error:
            found.append(str(error))
            continue
        wrong = [f"record {path} {what}" for what in [*_misplaced(path.relative_to(results), record), *_odd(record)]]
        found += wrong
        if not wrong:
            whole.append(record)
    for path in sorted(speeds.folder().glob("*.json")):
        try:
            records.load(path)
        except UnforgetError as error:
            found.append(str(error))
    left = [*sorted(results.glob("**/*.part")), *sorted(speeds.folder().glob("*.part"))]
    found += [f"{path} is left over from an interrupted write; delete it" for path in left]
    try:
        ledger.ledger(paper.load(), measured.from_records(whole), paper.load_causes())
    except UnforgetError as error:
        found.append(str(error))
    return found


def _misplaced(place: Path, record: Record) -> list[str]:
    """Where folder and file name do not say what the record's configuration is."""
    config = record["config"]
    try:
        experiment, run = catalogue.of(config["run"])
    except UnforgetError as error:
        return [f"belongs to no declared run: {error}"]
    right = executor.record_path(config, Path())
    if place == right:
        return []
    changed = place.stem in PROFILES and not executor.is_of(record, experiment.resolve(run, place.stem))
    if place.parent == right.parent and changed:
        return [
            f"no longer has the configuration declared for {place.stem}; rename it to {right.name} to keep "
            "it, or delete it, and run again"
        ]
    return [f"lies in the wrong place; move it to {right}"]


def _odd(record: Record) -> list[str]:
    """Where the parts of a record do not fit each other."""
    keys = [records.key(replica) for replica in record["replicas"]]
    wrong = []
    if not keys:
        wrong.append("holds no replica; delete it")
    if keys != sorted(set(keys)):
        wrong.append("holds replicas twice or out of order; run it again")
    made = sorted((key[0], *map(tuple, key[1:])) for block in record["run"] for key in block["replicas"])
    if made != sorted(keys):
        wrong.append("has replicas that its run blocks do not name once each; run it again")
    for view in record["config"]["views"]:
        shapes = {tuple(map(len, replica["scores"].get(view, [[]]))) for replica in record["replicas"]}
        if len(shapes) > 1 or any(0 in shape or len(set(shape)) > 1 for shape in shapes):
            wrong.append(f"has scores of different shapes for {view}; run it again")
    for name, value in _known_checksums(record).items():
        if record["checksums"].get(name, value) != value:
            wrong.append(f"was made from other data than {name} is today; run it again")
    return wrong


def _known_checksums(record: Record) -> dict[str, str]:
    """What this version reads, as far as it is known without loading files."""
    stream = record["config"]["stream"]
    if stream["kind"] == "toy regression":
        return toy.toy_regression().checksums
    sets = {stream[part] for part in ("image_set", "first", "second") if part in stream}
    prefix = "{}/" if len(sets) > 1 else ""  # as `unforget.data.sequences` names them
    return {prefix.format(s) + name: value for s in sets & set(images.names()) for name, value in _of(s).items()}


def _of(image_set: str) -> dict[str, str]:
    about = images.describe(image_set)
    return images.load(image_set).checksums if about.embedded else dict(about.source.checksums)
