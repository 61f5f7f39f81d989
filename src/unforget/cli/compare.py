"""`unforget compare`: two records side by side."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

    from unforget.records import Record


def register(app: typer.Typer) -> None:
    app.command()(compare)


def compare(
    one: Annotated[
        str, typer.Argument(metavar="RUN", help="A record's path, or split-mnist/ewc-cl1, or split-mnist/ewc-cl1/lite.")
    ],
    other: Annotated[str, typer.Argument(metavar="RUN", help="The other one.")],
    profile: Annotated[str, typer.Option(help="Which record of a run whose label is not given.")] = "paper",
) -> None:
    """What differs between two recorded runs: options, scores, time, code.

    [bold]Examples[/bold]

      unforget compare split-mnist/ewc-cl1 split-mnist/online-ewc-cl1
        options.strength  1e7             1e8
        CL1, final        99.03 ± 0.09 %  99.14 ± 0.07 %  +0.11, +1.0 SE
      unforget compare split-mnist/hnet split-mnist/hnet/custom-1f0c2a9d7b3e
      unforget compare old.json data/results/split-mnist/hnet/paper.json

    A label is a profile, or the name of a record's file without its ending.
    ± is the standard error over seeds; the difference is the second minus the
    first, also in combined standard errors (SE).
    """
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    from unforget import records
    from unforget.cli.words import ERROR, print_whole

    paths = [find(name, profile) for name in (one, other)]
    loaded = [records.load(path) for path in paths]
    table = Table("", *(escape(_name(path)) for path in paths), "difference", box=None, pad_edge=False)
    for row in [*_configuration(*loaded), *_scores(*loaded), *_circumstances(*loaded)]:
        table.add_row(*(Text(cell) for cell in row))
    print_whole(table)
    print(f"\n{ERROR}; SE is the combined one of both")
    if paths[0].resolve() == paths[1].resolve():
        print(f"both are one record{_shared(loaded[0])}")
    elif loaded[0]["config"] == loaded[1]["config"]:
        print("the same configuration")


def find(name: str, profile: str) -> Path:
    """The file of a record given by path, `stream/run` or `stream/run/label` (the paper's name in front is allowed).

    Raises `UnforgetError` naming the nearest recorded run or label.
    """
    from unforget.errors import UnforgetError, choose
    from unforget.experiments import catalogue, executor
    from unforget.experiments.spec import PROFILES
    from unforget.records import results_folder

    if Path(name).suffix == ".json":
        return Path(name)
    choose("profile", profile, PROFILES)
    parts = name.strip("/").split("/")
    papers = {id.split("/")[0] for id in catalogue.EXPERIMENTS}
    parts = parts[1:] if parts[0] in papers else parts
    if len(parts) not in (2, 3):
        raise UnforgetError(f"cannot read the run {name!r}; write split-mnist/ewc-cl1, or split-mnist/ewc-cl1/lite")
    experiment, run = catalogue.of("/".join(parts[:2]))
    folder = results_folder() / "/".join(parts[:2])
    label = parts[2] if len(parts) == 3 else profile
    if label in PROFILES:  # where two profiles declare the same, there is one record
        path = executor.record_path(experiment.resolve(run, label))
    else:
        path = folder / f"{label}.json"
    if not path.exists():
        labels = {file.stem for file in folder.glob("*.json")}
        if not labels:
            raise UnforgetError(f"{'/'.join(parts[:2])} has no record yet; `unforget run` makes one")
        choose(f"record of {'/'.join(parts[:2])}", path.stem, labels)
    return path


def _shared(record: "Record") -> str:
    """Which profiles declare what a record holds, where it is more than one."""
    from unforget.errors import UnforgetError
    from unforget.experiments import catalogue, executor
    from unforget.experiments.spec import PROFILES

    try:
        experiment, run = catalogue.of(record["config"]["run"])
    except UnforgetError:  # a record of a run that is no longer declared
        return ""
    here = [name for name in PROFILES if executor.is_of(record, experiment.resolve(run, name))]
    return f": profiles {' and '.join(here)} declare the same run" if len(here) > 1 else ""


def _name(path: Path) -> str:
    return "/".join(path.with_suffix("").parts[-3:])


def _configuration(one: "Record", other: "Record") -> list[tuple[str, str, str, str]]:
    """Lines for what is not the same in configuration, test sets, parameter counts and data."""
    from unforget.cli.words import plain

    rows = []
    for part, title, short in (
        (lambda record: record["config"], "", None), (lambda record: {"": record["tests"]}, "test samples", None),
        (lambda record: record["replicas"][0]["counts"], "parameters, ", None),
        (lambda record: record["checksums"], "checksum of ", 16),
    ):  # fmt: skip
        a, b = (_flat(part(record)) for record in (one, other))
        for name in dict.fromkeys([*a, *b]):
            if a.get(name, "–") != b.get(name, "–"):
                rows.append((f"{title}{name}", *(plain(flat.get(name, "–"))[:short] for flat in (a, b)), ""))
    return rows


def _flat(values: dict, prefix: str = "") -> dict:
    flat = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _scores(one: "Record", other: "Record") -> list[tuple[str, str, str, str]]:
    """Final and during scores of the views that both have, and how far common replicas are apart."""
    import numpy as np

    from unforget import records
    from unforget.cli.words import mean_text, number, scaled, scanned
    from unforget.results import measured
    from unforget.words import count

    rows, groups = [], [scanned(record) for record in (one, other)]
    places = [{records.key(replica): i for i, replica in enumerate(record["replicas"])} for record in (one, other)]
    common = [key for key in places[0] if key in places[1]]
    for view in [view for view in one["config"]["views"] if view in other["config"]["views"]]:
        scores = [records.scores(record, view) for record in (one, other)]
        for values in [values for values in groups[0] if values in groups[1]]:
            for metric in ("final", "during"):
                a, b = (measured.metric(own[group[values]], metric) for own, group in zip(scores, groups, strict=True))
                words = _difference(scaled(a, view), scaled(b, view), view)
                rows.append((f"{view}, {metric}{values}", mean_text(a, view), mean_text(b, view), words))
        if common:
            a, b = (measured.metric(own, "final")[[place[key] for key in common]]
                    for own, place in zip(scores, places, strict=True))  # fmt: skip
            apart = float(np.max(np.abs(scaled(a - b, view))))
            words = "equal" if apart == 0 else f"at most {number(apart, view)} apart"
            rows.append((f"{view}, {count(len(common), 'common replica')}", "", "", words))
    return rows


def _difference(a: "np.ndarray", b: "np.ndarray", view: str) -> str:
    """The second mean minus the first, also in combined standard errors."""
    from unforget.cli.words import number, standard_error

    difference = float(b.mean() - a.mean())
    words = f"{'+' if difference >= 0 else ''}{number(difference, view)}"
    error = math.hypot(standard_error(a), standard_error(b))
    return words + (f", {difference / error:+.1f} SE" if error > 0 else "")


def _circumstances(one: "Record", other: "Record") -> list[tuple[str, str, str, str]]:
    """Seeds, time, device and code: what is in the `run` blocks."""
    from unforget import records
    from unforget.experiments.spec import seed_text
    from unforget.results import cost

    def values(record: "Record", name: str) -> str:
        return ", ".join(dict.fromkeys(str(block[name]) for block in record["run"]))

    both = (one, other)
    rows = [("seeds", *(seed_text(set(records.seeds(record))) for record in both), "")]
    a, b = (cost.of(record).seconds / 60 for record in both)
    rows.append(("minutes per replica", f"{a:.2f}", f"{b:.2f}", f"{b / a:.2f} x" if a > 0 else ""))
    for name in ("device", "torch", "source", "commit", "date"):
        a, b = (values(record, name) for record in both)
        matters = name not in ("date", "commit")
        rows.append(("source hash" if name == "source" else name, a, b, "differs" if matters and a != b else ""))
    return rows
