"""`unforget ledger`: the papers' numbers beside ours."""

import os
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(ledger)


def ledger(
    paper: Annotated[str, typer.Option(help="Only this paper: hnet, lstm, dynamos or hrn.", show_default="all")] = "",
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all columns to a CSV file.")] = None,
    latex: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a LaTeX longtable.")] = None,
) -> None:
    """Every printed number beside ours: difference, verdict, cause.

    [bold]Examples[/bold]

      unforget ledger --paper hnet
        hnet table-1
        row    column  printed            ours               Δ/SE  verdict
        S-CL1  SI      99.09 ± 0.15 (20)  99.11 ± 0.12 (20)  +0.1  reproduced
      unforget ledger --csv ledger.csv --latex ledger.tex

    Ours ± is a standard error, the number of seeds is in brackets. The rule
    behind the verdicts is in the book. Only profile paper is judged.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console

    from unforget.errors import choose
    from unforget.records import results_folder
    from unforget.results import ledger as ledgers
    from unforget.results import ledger_export
    from unforget.results import paper as papers
    from unforget.results.measured import measured

    if paper:
        choose("paper", paper, papers.PAPERS)
    table = ledgers.ledger(papers.load(), measured(results_folder()), papers.load_causes())
    if paper:
        table = table[table.paper == paper]
    console = Console(highlight=False)
    for page in ledger_export.to_rich(table.assign(cause="")):  # sentences in a column would squeeze the numbers
        page.box, page.pad_edge = SIMPLE_HEAD, False
        console.print(page)
    for row in table[table.cause.fillna("") != ""].itertuples():
        print(f"{row.paper} {row.artifact}, {row.row}, {row.column}: {row.cause}")
    counts = table.apply(ledgers.label, axis=1).value_counts() if len(table) else {}
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or f"no printed number of {paper} yet")
    for path, text in ((csv, ledger_export.to_csv), (latex, ledger_export.to_latex)):
        if path:
            _write(path, text(table))
            print(f"written {path}")


def _write(path: Path, text: str) -> None:
    """Aside first: a full disk leaves the file that was there."""
    from unforget.errors import UnforgetError

    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UnforgetError(f"cannot write {path}: {error.strerror}") from None
