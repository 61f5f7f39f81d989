"""Words that the command line and the book write alike."""


def count(number: int, thing: str) -> str:
    """A number and a noun, as in "1 run" or "2,000 runs"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
