"""Page fragments made by code: each registered function returns the text of `book/generated/NAME.md`.

Chapters take them in with ```` ```{include} generated/NAME.md ````, or link to `generated/NAME.csv`. The
project's own are in `unforget.book.fragments`.
"""

import re
from collections.abc import Callable
from pathlib import Path

from unforget.errors import choose

PAGES: dict[str, Callable[[], str]] = {}
_MENTION = re.compile(r"\bgenerated/([\w-]+(?:\.\w+)?)")


def page(name: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Register a function without arguments as the maker of the fragment `name` (used as a decorator).

    A name without a suffix is Markdown (MyST); one with a suffix, such as `ledger.csv`, a file to download.
    """

    def register(make: Callable[[], str]) -> Callable[[], str]:
        if name in PAGES:
            raise ValueError(f"two functions make the page fragment {name!r}")
        PAGES[name] = make
        return make

    return register


def wanted(chapters: Path) -> set[str]:
    """Names of the fragments that the chapters below a folder take in or link to."""
    texts = (path.read_text(encoding="utf-8") for path in chapters.rglob("*.md"))
    return {name.removesuffix(".md") for text in texts for name in _MENTION.findall(text)}


def write(chapters: Path) -> list[Path]:
    """Write the fragments that the chapters want into their folder `generated`; return the files.

    Raises `UnforgetError` for a fragment that no function makes.
    """
    folder = chapters / "generated"
    written = []
    for name in sorted(wanted(chapters)):
        make = PAGES[choose("page fragment", name, PAGES)]
        path = folder / (name if "." in name else f"{name}.md")
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(make().rstrip() + "\n", encoding="utf-8")
        written.append(path)
    return written
