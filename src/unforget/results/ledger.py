"""The ledger: every printed number beside ours, with Δ, a verdict (`verdict.rule()`) and the cause of a
deviation.

Only records of profile `paper` are judged. Values of profile `lite` are shown with their label, no others
are. A cause counts only if it names a recorded run; where that run measured the very cell, it must have
moved it (`verdict.MOVED`).
"""

import math

import numpy as np
import pandas as pd

from unforget.errors import UnforgetError
from unforget.results import verdict
from unforget.results.measured import COLUMNS as MEASURED
from unforget.results.paper import CELL, UNDEFINED

EVERY = "*"
UNEXPLAINED = "unexplained; tried: "  # how the cause of a deviation begins that has none
SHOWN = ("paper", "lite")  # profiles that a ledger shows, the judged one first
COLUMNS = (
    *CELL, "unit", "printed", "error", "error_kind", "printed_n", "decimals", "place", "status",
    "ours", "our_se", "n", "profile", "run", "delta", "delta_se", "error_ratio", "margin",
    "verdict", "why", "assumed", "cause", "note",
)  # fmt: skip


def ledger(printed: pd.DataFrame, measured: pd.DataFrame, causes: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per printed number, in the papers' order, then one per number that is only ours; columns
    `COLUMNS`.

    `printed` is `paper.load()`, `causes` `paper.load_causes()`; `measured` has the columns `MEASURED` (mean
    and sd, ddof 1, in `unit`). `delta` is ours minus printed; `delta_se` the same in combined standard
    errors; `error_ratio`, for accuracies, our error rate divided by the printed one. All three are missing
    unless the profile is `paper`. Raises `UnforgetError` for a malformed `measured`, a cell measured twice
    in one profile or named almost like a printed one, and for causes that name no cell, no recorded run, or
    one that did not move the number.
    """
    _check_measured(measured, printed)
    ours = _chosen(measured)
    explained = _explanations(causes, printed, measured, ours)
    rows = [_row(cell, ours.get(_key(cell)), explained) for cell in printed.itertuples()]
    known = {_key(cell) for cell in printed.itertuples()}
    rows += [_only_ours(cell) for key, cell in ours.items() if key not in known]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    floats = ("printed", "error", "ours", "our_se", "delta", "delta_se", "error_ratio", "margin")
    return table.astype(
        {"printed_n": "Int64", "n": "Int64", "decimals": "Int64"} | dict.fromkeys(floats, float)
    )


def scorecard(table: pd.DataFrame) -> pd.DataFrame:
    """How many numbers of each artifact have which verdict: rows (paper, artifact), columns
    `verdict.VERDICTS`.
    """
    counts = table.groupby(["paper", "artifact"], sort=False).verdict.value_counts().unstack(fill_value=0)
    return counts.reindex(columns=list(verdict.VERDICTS), fill_value=0)


def margins(printed: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """The declared margins beside the spread they are derived from: columns of `verdict.Margin`,
    `printed_spread` and `spread`.

    A spread is the median standard deviation between seeds, the paper's (where its ± and n are stated) or
    that of our `paper` records, as a share of the same scale as the margin: the error rate for `%`. NaN
    where unknown.
    """
    stated = printed[printed.error_kind.isin(["SEM", "STD"]) & printed.n.notna()]
    root = stated.n.astype(float) ** 0.5
    theirs = stated.assign(sd=stated.error.where(stated.error_kind == "STD", stated.error * root))
    ours = measured[(measured.profile == "paper") & (measured.sd > 0)]
    rows = [
        {**vars(m), "printed_spread": _spread(theirs, m), "spread": _spread(ours, m)} for m in verdict.MARGINS
    ]
    return pd.DataFrame(rows)


def _spread(cells: pd.DataFrame, margin: verdict.Margin) -> float:
    cells = cells[cells.unit == margin.unit]
    uses = [verdict.margin(cell.paper, cell.artifact, cell.unit) is margin for cell in cells.itertuples()]
    cells = cells[np.array(uses, dtype=bool)]
    scale = 100 - cells["mean"] if margin.unit == "%" else cells["mean"].abs()
    return float((cells.sd / scale).median())


def label(row) -> str:
    """The verdict as shown to a reader: a judged number that the paper only copied says so, and so does one that is
    recorded, but with less training (profile lite) or with too few seeds to be judged."""
    if row.profile == "lite":
        return "lite" if row.verdict == "not run" else f"{row.verdict}, lite"
    if row.verdict == "not run" and row.ours == row.ours:
        return "too few seeds"
    return f"{row.verdict} (quoted)" if row.status == "quoted" and row.verdict != "quoted" else row.verdict


def _key(cell) -> tuple[str, ...]:
    return tuple(getattr(cell, name) for name in CELL)


def _check_measured(measured: pd.DataFrame, printed: pd.DataFrame) -> None:
    missing = [name for name in MEASURED if name not in measured.columns]
    if missing:
        raise UnforgetError(
            f"the measured numbers lack the column {missing[0]!r}; they need {', '.join(MEASURED)}"
        )

    def bare(key):
        return tuple("".join(c for c in part.lower() if c.isalnum() or c == "+") for part in key)

    exact = {_key(cell): cell.unit for cell in printed.itertuples()}
    bares = {bare(key): key for key in exact}
    for cell in measured.itertuples():
        key = _key(cell)
        if key not in exact and bare(key) in bares:
            raise UnforgetError(
                f"no printed number {' / '.join(key)}; did you mean {' / '.join(bares[bare(key)])}?"
            )
        if exact.get(key, cell.unit) != cell.unit:
            raise UnforgetError(f"{' / '.join(key)} is measured in {cell.unit}, but printed in {exact[key]}")


def _chosen(measured: pd.DataFrame) -> dict:
    """The measured cell to show for each key: of profile `paper` if there is one, else `lite`."""
    chosen = {}
    for profile in SHOWN:
        seen = {}
        for cell in measured[measured.profile == profile].itertuples():
            key = _key(cell)
            if key in seen:
                both = f"{seen[key]} and {cell.run}"
                raise UnforgetError(
                    f"{' / '.join(key)} is measured twice at profile {profile}, by {both}; keep one"
                )
            seen[key] = cell.run
            chosen.setdefault(key, cell)
    return chosen


def _sem(cell) -> float:
    return cell.sd / math.sqrt(cell.n) if cell.n > 1 else math.nan


def _row(cell, ours, explained) -> dict:
    row = {
        name: getattr(cell, name)
        for name in (*CELL, "unit", "error", "error_kind", "decimals", "place", "status")
    }
    row |= {"printed": cell.mean, "printed_n": cell.n, "note": cell.note, "assumed": "", "cause": ""}
    row |= {
        "verdict": "quoted" if cell.status == "quoted" else "not run",
        "why": "no record",
        "profile": "",
        "run": "",
    }
    incomparable = _incomparable(cell)
    if incomparable:
        row |= {"verdict": "not comparable", "why": incomparable}
    if ours is None:
        return row
    row |= {"ours": ours.mean, "our_se": _sem(ours), "n": ours.n, "profile": ours.profile, "run": ours.run}
    if incomparable:
        return row
    if ours.profile != "paper":
        return row | {"why": f"run at profile {ours.profile} only"}
    seeds = None if pd.isna(cell.n) else int(cell.n)
    paper_se, assumed = verdict.paper_error(cell.error, cell.error_kind, seeds, cell.decimals, ours.sd)
    m = verdict.width(verdict.margin(cell.paper, cell.artifact, cell.unit), cell.mean, cell.decimals)
    delta = ours.mean - cell.mean
    stated = cell.error_kind != "none" or not seeds
    said, why = verdict.judge(delta, paper_se, row["our_se"], ours.n, seeds, m, cell.unit, stated)
    row |= {"delta": delta, "margin": m}
    if cell.unit not in verdict.EXACT:
        row |= {"delta_se": verdict.in_standard_errors(delta, paper_se, row["our_se"]), "assumed": assumed}
    if cell.unit == "%" and cell.mean < 100:
        row["error_ratio"] = (100 - ours.mean) / (100 - cell.mean)
    cause, tried = explained.get(_key(cell), ("", ""))
    if said == "differs":
        cause = cause or f"{UNEXPLAINED}{tried or 'nothing yet'}"
    elif said != "close":
        cause = ""
    return row | {"verdict": said, "why": why, "cause": cause}


def _incomparable(cell) -> str:
    """Why no number of ours is the same quantity as a printed one; empty where one may be."""
    if cell.status == UNDEFINED:
        return "what is printed cannot be what it is called"
    return verdict.INCOMPARABLE.get(cell.unit, "")


def _only_ours(cell) -> dict:
    row = {name: getattr(cell, name) for name in (*CELL, "unit", "n", "profile", "run")}
    return (
        row
        | {"ours": cell.mean, "our_se": _sem(cell), "status": "ours", "verdict": "ours", "decimals": 2}
        | {name: "" for name in ("error_kind", "place", "why", "assumed", "cause", "note")}
    )


def _explanations(causes, printed, measured, ours) -> dict[tuple, tuple[str, str]]:
    """(cause with its run and the value it moved to, what was tried) for each declared cell. A line whose row or
    column is `EVERY` says what was tried for all cells so named that have no line of their own.
    """
    explained, general, known = {}, {}, {_key(cell) for cell in printed.itertuples()}
    incomparable = {_key(cell) for cell in printed.itertuples() if _incomparable(cell)}
    for line in () if causes is None else causes.itertuples():
        key, name = _key(line), " / ".join(_key(line))
        named = [cell for cell in known if all(own in (part, EVERY) for own, part in zip(key, cell, strict=True))]
        if EVERY in key and named and not line.cause:
            general |= {cell: ("", line.tried) for cell in named}
            continue
        if key not in known:
            raise UnforgetError(f"causes.csv explains {name}, which no paper prints; correct the cell's name")
        if key in incomparable:
            raise UnforgetError(f"causes.csv explains {name}, which is not comparable; drop the line")
        if key in explained:
            raise UnforgetError(f"causes.csv explains {name} twice; keep one line")
        cause = line.cause
        if cause:
            runs = measured[measured.run == line.run]
            if runs.empty:
                raise UnforgetError(
                    f"causes.csv: the cause of {name} names the run {line.run!r}, of which there is no "
                    "record; run it, or move the text to the column tried"
                )
            here = [cell for cell in runs[runs.profile == "custom"].itertuples() if _key(cell) == key]
            cause += f" (run {line.run}"
            cause += f": {_shown(here[0])})" if here else ")"
            if here and key in ours and not _moved(here[0], ours[key]):
                raise UnforgetError(
                    f"causes.csv: the run {line.run!r} did not move {name} beyond chance ({verdict.MOVED}); "
                    "move the text to the column tried"
                )
        explained[key] = (cause, line.tried)
    return general | explained


def _shown(cell) -> str:
    """Where a cause moved a number."""
    return f"{cell.mean:,.0f}" if cell.unit in verdict.EXACT else f"{cell.mean:.2f}"


def _moved(variant, base) -> bool:
    """Whether the variant differs from the base: a count at all, anything else beyond chance, seed by seed."""
    if base.unit in verdict.EXACT:
        return variant.mean != base.mean
    _, chance = verdict.paired(by_seed(variant), by_seed(base))
    return chance < verdict.CHANCE


def by_seed(cell) -> dict[int, float]:
    """The values of a measured cell by seed; of a count, which is that of all seeds, none."""
    return dict(zip(cell.seeds, cell.values, strict=bool(cell.seeds)))
