"""The command line: `unforget COMMAND`, one file per group of commands.

What a command needs is imported inside it, so that `--help` answers at once, and nothing but `book` and `check` needs
the notebook tools.
"""

import errno
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from unforget.cli import book, checking, compare, ledger, run, show
from unforget.errors import UnforgetError

WRONG_INPUT = 2
_SURROUNDINGS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class OneLineErrors(TyperGroup):
    """Says in one line on stderr what was wrong with the input or the surroundings, and exits with 2.

    Anything else is a mistake of ours and keeps its traceback.
    """

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        try:
            code = super().main(*args, standalone_mode=False, **extra)
        except (UnforgetError, TyperException) as error:
            _fail(f"{error.format_message()}{_example(error)}" if isinstance(error, TyperException) else str(error))
        except OSError as error:
            if error.errno not in _SURROUNDINGS:
                raise
            _fail(f"{error.filename or 'a file'}: {error.strerror}")
        sys.exit(code if isinstance(code, int) else 0)


def _example(error: TyperException) -> str:
    """Where an argument is missing, an example of the command from its help."""
    context = getattr(error, "ctx", None)
    if not context or not str(error).startswith("Missing"):
        return ""
    command = f"unforget {context.info_name} "
    examples = [line.strip() for line in (context.command.help or "").splitlines() if line.strip().startswith(command)]
    return f" As in: {examples[0]}; `unforget list` names what there is." if examples else ""


def _version(asked: bool) -> None:
    if asked:
        from unforget import __version__

        print(f"unforget {__version__}")
        raise typer.Exit


def _fail(text: str) -> None:
    print(f"error: {' '.join(text.split())}", file=sys.stderr)
    sys.exit(WRONG_INPUT)


app = typer.Typer(
    cls=OneLineErrors, rich_markup_mode="rich", add_completion=False, pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


@app.callback(invoke_without_command=True)
def unforget(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Re-run what four continual-learning papers print, and see how it compares.

    [bold]A first look[/bold] (no download, half a minute)

      unforget list                       what there is, and what is recorded
      unforget run hnet/toy-regression    train it on embedded data
      unforget ledger                     the papers' numbers beside ours

    [bold]Towards the papers' numbers[/bold]

      unforget missing                    what is not recorded yet, and its cost
      unforget run hnet/split-mnist/ewc-cl1 --profile paper --budget 8m

    Every command has its own examples: unforget run --help
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


for group in (show, run, ledger, compare, checking, book):
    group.register(app)
