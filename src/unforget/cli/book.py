"""`unforget book`: the website."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(book)


def book(
    profile: Annotated[str, typer.Option(help="smoke trains; lite and paper show recorded runs.")] = "smoke",
    compute: Annotated[bool, typer.Option("--compute", help="Train what is not recorded.")] = False,
    workers: Annotated[int, typer.Option(help="Notebooks that run side by side.")] = 2,
    accept: Annotated[bool, typer.Option("--accept", help="Make the executed notebooks the committed ones.")] = False,
) -> None:
    """Execute every notebook and build the website.

    [bold]Examples[/bold]

      unforget book
           14.2 s  notebooks/hnet/split-mnist.ipynb
           61.0 s  in all, profile smoke
        open _build/smoke/html/index.html
      unforget book --profile paper             from recorded runs; names what
                                                is missing, with its cost
      unforget book --profile paper --compute   trains that, too

    Needs the notebook tools: pip install 'unforget\\[book]'. Exits with 1 if a
    notebook fails or Jupyter Book warns.
    """
    from unforget.errors import choose
    from unforget.experiments import catalogue, status
    from unforget.experiments.spec import PROFILES

    choose("profile", profile, PROFILES)
    build = tools()
    lines = []
    if profile != "smoke" and not compute:
        found = status.missing(catalogue.EXPERIMENTS.values(), profile)
        lines = [f"{one.command}  ({status.cost_text(one.missing_minutes)})" for one in found]
    report = build.build(profile, compute, workers, accept=accept, missing=lines)
    print(report)
    if not report.ok:
        raise typer.Exit(1)


def tools():
    """The book's modules `build`, or one line that says how to install what they need."""
    from unforget.errors import UnforgetError

    try:
        from unforget.book import build
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("unforget"):
            raise
        raise UnforgetError(
            f"the book needs {error.name}, which is not installed: pip install 'unforget[book]'"
        ) from None
    return build
