"""The ledger as a terminal table, CSV and LaTeX."""

import pandas as pd
from rich.table import Table
from rich.text import Text

from unforget.results import ledger

_COLOURS = {"reproduced": "green", "close": "yellow", "differs": "red", "ours": "cyan"}


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The ledger with few, formatted columns: paper and ours as `mean ± standard error (seeds)`."""
    rows = [
        {
            "paper": row.paper,
            "artifact": row.artifact,
            "row": row.row,
            "column": row.column,
            "printed": _value(row.printed, row.error, row.printed_n, row.decimals),
            "ours": _value(
                row.ours, row.our_se, row.n, _decimals(row), "" if row.profile == "paper" else row.profile
            ),
            "Δ": _signed(row.delta, _decimals(row)),
            "Δ/SE": _signed(row.delta_se, 1),
            "verdict": ledger.label(row),
            "cause": row.cause,
            "run": row.run,
        }
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows, columns=["paper", "artifact", "row", "column", "printed", "ours", "Δ", "Δ/SE",
                                       "verdict", "cause", "run"])  # fmt: skip


def to_rich(table: pd.DataFrame) -> list[Table]:
    """One terminal table per artifact; cells are plain text, so that a bracket in them is never read as
    markup.
    """
    pages = []
    for (paper, artifact), part in table.groupby(["paper", "artifact"], sort=False):
        page = Table(title=f"{paper} {artifact}", title_justify="left")
        shown = readable(part).drop(columns=["paper", "artifact"])
        shown = shown.drop(columns=[name for name in ("cause", "run") if not shown[name].any()])
        for name in shown.columns:
            page.add_column(name, justify="right" if name in ("printed", "ours", "Δ", "Δ/SE") else "left")
        for verdict, values in zip(part.verdict, shown.to_dict("records"), strict=True):
            colours = {"verdict": _COLOURS.get(verdict, "")}
            page.add_row(*(Text(text, style=colours.get(name, "")) for name, text in values.items()))
        pages.append(page)
    return pages


def to_csv(table: pd.DataFrame) -> str:
    """All columns of the ledger, unformatted."""
    return table.to_csv(index=False, lineterminator="\n")


def to_latex(table: pd.DataFrame) -> str:
    r"""The readable columns as a LaTeX `longtable` (needs `\usepackage{longtable,booktabs}`)."""
    text = readable(table).drop(columns="run").to_latex(index=False, escape=True, longtable=True, column_format="llllrrrrll")
    for sign, command in (("±", r"$\pm$"), ("Δ", r"$\Delta$"), ("×", r"$\times$"), ("–", "--")):
        text = text.replace(sign, command)
    return text


def _decimals(row) -> int:
    return {"parameters": 0, "MSE": 5}.get(row.unit, max(2, int(row.decimals)))


def _value(mean, error, n, decimals, label="") -> str:
    if pd.isna(mean):
        return "–"
    text = f"{mean:,.{int(decimals)}f}"
    if not pd.isna(error):
        text += f" ± {error:.{int(decimals)}f}"
    inside = ", ".join(str(part) for part in (n, label) if not pd.isna(part) and part != "")
    return f"{text} ({inside})" if inside else text


def _signed(value, decimals) -> str:
    return "–" if pd.isna(value) else f"{value:+,.{int(decimals)}f}"
