"""What the papers print: `data/paper/<paper>.csv` as one validated table, and the declared causes of
deviations.

One row is one printed number. `mean` and `error` are kept as the paper prints them, so that `decimals` can
tell how finely a value is known. `error_kind` is `SEM`, `STD`, `unstated` (the paper prints a ± without
saying what it is) or `none`. `n` is the number of runs behind it where the paper
says so, or where its digits do, as the note then says: that of HRN's arXiv Table 1 is 1, since its accuracies on few test
images are whole numbers of them (a test counts them). `status` is `own` (the paper ran it), `quoted` (the paper copied it from another one) or
`undefined` (the paper ran it, but it cannot be what it is called; `note` says why). A `sign` is a mark of a table of marks, from -2 for −− to 2 for ++.
"""

import csv
import math
import re
from pathlib import Path

import pandas as pd

from unforget.data.files import project_root
from unforget.errors import UnforgetError

PAPERS = ("hnet", "lstm", "dynamos", "hrn")
COLUMNS = (
    "paper", "artifact", "row", "column", "mean", "error", "error_kind", "n", "unit", "place", "status",
    "note",
)  # fmt: skip
CELL = ["paper", "artifact", "row", "column"]
NETWORK_COLUMNS = ("table", "part", "number", "name", "value", "note")
ABLATION_COLUMNS = ("row", "name", "value", "note")
NETWORK_PARTS = ("layers", "units", "settings")
CAUSE_COLUMNS = (*CELL, "cause", "run", "tried")
ERROR_KINDS = ("SEM", "STD", "unstated", "none")
UNDEFINED = "undefined"
STATUSES = ("own", "quoted", UNDEFINED)
UNITS = ("%", "points", "parameters", "ratio", "h", "min", "s", "sign", "MSE")
FOLDER = Path(__file__).parents[3] / "data" / "paper"

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ARTIFACT = re.compile(r"(table|figure|text)-[a-z0-9]+(-[a-z0-9]+)*")


def load(folder: Path | None = None) -> pd.DataFrame:
    """Every printed number of every paper whose CSV is there, in the order of the files.

    Columns: those of the CSV, with `mean` and `error` as floats (in `unit`; `error` NaN where none is
    printed), `n` as nullable integer, and `decimals`, the number of decimals the mean is printed with.
    Raises `UnforgetError` naming file and line for a missing column or a damaged row.
    """
    folder = FOLDER if folder is None else Path(folder)
    files = [folder / f"{paper}.csv" for paper in PAPERS if (folder / f"{paper}.csv").is_file()]
    if not files:
        raise UnforgetError(f"no table of printed results in {folder}; run from a clone of the project")
    rows, seen = [], {}
    for path in files:
        for where, row in _read(path, COLUMNS):
            rows.append(_checked(row, path.stem, where))
            key = tuple(row[name] for name in CELL)
            if key in seen:
                raise UnforgetError(f"{where}: the cell {' / '.join(key)} is already in {seen[key]}")
            seen[key] = where
    table = pd.DataFrame(rows, columns=[*COLUMNS, "decimals"])
    return table.astype({"mean": float, "error": float, "n": "Int64", "decimals": int})


def load_causes(folder: Path | None = None) -> pd.DataFrame:
    """The declared causes of deviations and what was tried, from `causes.csv`; columns `CAUSE_COLUMNS`, all
    text. They speak of recorded runs, so by default they are those of the project whose records are read.

    Raises `UnforgetError` for a damaged file, a cause without a run, or a line that declares nothing.
    """
    path = (project_root() / "data" / "paper" if folder is None else Path(folder)) / "causes.csv"
    if not path.is_file():
        return pd.DataFrame(columns=list(CAUSE_COLUMNS), dtype=object)
    rows = []
    for where, row in _read(path, CAUSE_COLUMNS):
        if bool(row["cause"]) != bool(row["run"]):
            raise UnforgetError(
                f"{where}: a cause needs the recorded run that moved the number, and a run a cause"
            )
        if not row["cause"] and not row["tried"]:
            raise UnforgetError(
                f"{where}: neither a cause nor anything tried is given; fill one in or drop the line"
            )
        rows.append(row)
    return pd.DataFrame(rows, columns=list(CAUSE_COLUMNS), dtype=object)


def load_networks(folder: Path | None = None) -> pd.DataFrame:
    """What the ICLR version of `hrn` prints of networks and settings, Tables 2 to 13, from `hrn-networks.csv`.

    One row is a line of a table (`table`, as a number): a layer of an encoder or a classifier, a layer of a group of
    units, or a setting; `number` is the layer's, or how many units a group has. `value` is text as printed, with a
    comma where a cell begins a new line. Raises `UnforgetError` for a damaged file.
    """
    rows = []
    for where, row in _read((FOLDER if folder is None else Path(folder)) / "hrn-networks.csv", NETWORK_COLUMNS):
        if row["table"] not in map(str, range(2, 14)) or row["part"] not in NETWORK_PARTS:
            raise UnforgetError(f"{where}: no part {row['part']!r} of a table {row['table']!r} is known")
        rows.append(row | {"table": int(row["table"])})
    return pd.DataFrame(rows, columns=list(NETWORK_COLUMNS))


def load_ablations() -> pd.DataFrame:
    """The column "Hyperparameters" of ICLR Table 1 of `hrn`, from `hrn-ablations.csv`: one line for each value that a row
    names, `value` as text as printed. Raises `UnforgetError` for a damaged file.
    """
    lines = _read(FOLDER / "hrn-ablations.csv", ABLATION_COLUMNS)
    return pd.DataFrame([row for _, row in lines], columns=list(ABLATION_COLUMNS))


def _read(path: Path, columns: tuple[str, ...]):
    """Yield (place in the file, row) for each line of a CSV with exactly these columns."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnforgetError(f"cannot read {path}: {error}; restore it with git checkout") from None
    reader = csv.DictReader(text.splitlines(), strict=True)
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    extra = [name for name in (reader.fieldnames or ()) if name not in columns]
    if missing or extra:
        what = f"lacks the column {missing[0]!r}" if missing else f"has an unknown column {extra[0]!r}"
        raise UnforgetError(f"{path} {what}; its columns are {', '.join(columns)}")
    try:
        for row in reader:
            where = f"{path} line {reader.line_num}"
            if None in row or None in row.values():
                raise UnforgetError(f"{where}: not {len(columns)} fields; quote a field that holds a comma")
            yield where, row
    except csv.Error as error:
        raise UnforgetError(f"{path} line {reader.line_num}: {error}; restore it with git checkout") from None


def _checked(row: dict[str, str], paper: str, where: str) -> dict:
    """The row with its numbers parsed; refuses what is not as the module docstring says."""

    def refuse(column: str, expected: str):
        raise UnforgetError(f"{where}: {column} is {row[column]!r}, expected {expected}")

    if row["paper"] != paper:
        refuse("paper", f"{paper!r}, the name of the file")
    if not _ARTIFACT.fullmatch(row["artifact"]):
        refuse("artifact", "an identifier such as table-1, figure-2a or text-small-net")
    for name in ("row", "column", "place"):
        if not row[name].strip():
            refuse(name, "some text")
    for name, valid in (("error_kind", ERROR_KINDS), ("status", STATUSES), ("unit", UNITS)):
        if row[name] not in valid:
            refuse(name, f"one of {', '.join(valid)}")
    if not _NUMBER.fullmatch(row["mean"]):
        refuse("mean", "a number as printed")
    if (row["error_kind"] == "none") != (row["error"] == ""):
        refuse("error", "a number exactly where error_kind is not none")
    if row["error"] and not (_NUMBER.fullmatch(row["error"]) and float(row["error"]) >= 0):
        refuse("error", "a number of at least 0, or nothing")
    if row["n"] and not (row["n"].isascii() and row["n"].isdigit() and int(row["n"]) > 0):
        refuse("n", "a whole number of at least 1, or nothing")
    if row["status"] == UNDEFINED and not row["note"].strip():
        refuse("note", f"the reason of its status {UNDEFINED}")
    if row["unit"] == "%" and not 0 <= float(row["mean"]) <= 100:
        refuse("mean", "a percentage between 0 and 100")
    return row | {
        "mean": float(row["mean"]),
        "error": float(row["error"]) if row["error"] else math.nan,
        "n": int(row["n"]) if row["n"] else pd.NA,
        "decimals": len(row["mean"].partition(".")[2]),
    }
