"""Errors a user can act on: one line that says what was wrong and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches

ALIKE = 0.65  # "light" is like "lite"; "lamda" is not like "gamma"


class UnforgetError(Exception):
    """A mistake in the input or the surroundings. The command line prints it as one line and exits with code 2."""


def choose(what: str, name: str, valid: Iterable[str]) -> str:
    """Return `name` if it is one of `valid`; otherwise raise `UnforgetError` naming the nearest valid one.

    `what` says what kind of thing is chosen, as in "profile" or "experiment".
    """
    valid = sorted(valid)
    if name in valid:
        return name
    near = nearest(name, valid)
    hint = f"did you mean {near!r}?" if near else f"choose one of: {', '.join(valid)}"
    raise UnforgetError(f"unknown {what} {name!r}; {hint}")


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The name most like a misspelt one; None where none is like it, since a wrong guess leads astray."""
    near = get_close_matches(str(name), list(valid), n=1, cutoff=ALIKE)
    return near[0] if near else None
