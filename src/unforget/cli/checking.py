"""`unforget check`: is everything that is committed whole and consistent?"""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    book: Annotated[bool, typer.Option("--book/--no-book", help="Also execute and check the book.")] = True,
    workers: Annotated[int, typer.Option(help="Notebooks that run side by side.")] = 2,
) -> None:
    """Verify records, transcribed numbers, causes and the book.

    [bold]Examples[/bold]

      unforget check --no-book      a few seconds
        24 records, 277 printed numbers, 3 causes: all sound
      unforget check                also executes every notebook

    Lists what is wrong and exits with 1: a record that is damaged, misplaced, or
    no longer has the configuration its name claims; a row of a table that cannot
    be; a cause without its run; a stale notebook, a dead link, and so on.
    """
    from unforget import records
    from unforget.cli.book import tools
    from unforget.errors import UnforgetError
    from unforget.results import paper, sound
    from unforget.words import count

    if workers < 1:
        raise UnforgetError(f"--workers must be at least 1; got {workers}")
    build = tools() if book else None
    found = sound.problems()
    for line in found:
        print(line)
    if not found:
        counts = (
            (len(list(records.results_folder().glob("**/*.json"))), "records"), (len(paper.load()), "printed numbers"),
            (len(paper.load_causes()), "causes"),
        )  # fmt: skip
        print(f"{', '.join(f'{count} {what}' for count, what in counts)}: all sound", flush=True)
    report = build.check(workers=workers) if build else None
    if report is not None:
        print(report)
    if found or (report is not None and not report.ok):
        print(count(len(found) + (len(report.problems) if report else 0), "problem"))
        raise typer.Exit(1)
