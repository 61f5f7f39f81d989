"""`unforget ledger`: the papers' numbers beside ours."""

import errno
import os
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(ledger)


def ledger(
    paper: Annotated[str, typer.Option(help="Only this paper: hnet, lstm, dynamos or hrn.", show_default="all")] = "",
    artifact: Annotated[
        str, typer.Option(help="Only this table or figure, as table-1.", show_default="all")
    ] = "",
    verdict: Annotated[
        str, typer.Option(help="Only reproduced, close, differs, not comparable, not run, quoted or ours.", show_default="all")
    ] = "",
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all columns to a CSV file.")] = None,
    latex: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a LaTeX longtable.")] = None,
) -> None:
    """Every printed number beside ours: difference, verdict, cause.

    [bold]Examples[/bold]

      unforget ledger --paper hnet
        hnet table-1
        row    column  printed            ours               verdict
        S-CL1  SI      99.09 ± 0.15 (20)  99.11 ± 0.12 (20)  reproduced
      unforget ledger --paper hnet --artifact table-1 --verdict differs
      unforget ledger --csv ledger.csv --latex ledger.tex

    Ours ± is a standard error, the number of seeds is in brackets. The last
    column names the run: unforget run split-mnist/si-cl1 --profile paper. The
    rule behind the verdicts is in the book; only profile paper is judged.
    """
    from rich.box import SIMPLE_HEAD

    from unforget.cli.words import print_whole
    from unforget.errors import choose
    from unforget.results import ledger as ledgers
    from unforget.results import ledger_export
    from unforget.results import paper as papers
    from unforget.results.measured import measured
    from unforget.results.tables import kind, run_of
    from unforget.results.verdict import VERDICTS

    if paper:
        choose("paper", paper, papers.PAPERS)
    if verdict:
        choose("verdict", verdict, VERDICTS)
    for path in (csv, latex):
        if path:
            _write(path)
    table = ledgers.ledger(papers.load(), measured(), papers.load_causes())
    table = table[table.paper == paper] if paper else table
    if artifact and len(table):
        choose(f"artifact of {paper}" if paper else "artifact", artifact, set(table.artifact))
    table = table[table.artifact == artifact] if artifact else table
    table = table[table.verdict == verdict] if verdict else table
    runs, kinds = (list(map(told, table.itertuples())) for told in (run_of, kind))
    shown = table.assign(run=runs, verdict=kinds, cause="")  # causes are sentences: below, not in a column
    for page in ledger_export.to_rich(shown):
        page.box, page.pad_edge = SIMPLE_HEAD, False
        print_whole(page)
    for row in table[table.cause.fillna("") != ""].itertuples():
        print(f"{row.paper} {row.artifact}, {row.row}, {row.column}: {row.cause}")
    counts = shown.apply(ledgers.label, axis=1).value_counts() if len(shown) else {}
    chosen = ", ".join(filter(None, (paper, artifact, verdict)))
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or f"no printed number of {chosen}")
    if table.ours.notna().any():
        print("± of ours is the standard error over seeds, their number is in brackets; the papers' ± is as printed")
    for path, text in ((csv, ledger_export.to_csv), (latex, ledger_export.to_latex)):
        if path:
            _write(path, text(table))
            print(f"written {path}")


def _write(path: Path, text: str | None = None) -> None:
    """Aside first: a full disk leaves the file that was there. Without a text, only try whether it could be written.

    Raises `UnforgetError` where it cannot.
    """
    from unforget.errors import UnforgetError

    try:
        if path.is_dir():  # as the empty name is, which means this folder
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            part.write_text(text or "", encoding="utf-8")
            if text is not None:
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UnforgetError(f"cannot write {path}: {error.strerror}") from None
