"""Page fragments made by code: each registered function returns Markdown (MyST) for `book/generated/NAME.md`.

Chapters take them in with ```` ```{include} generated/NAME.md ````.
"""

from collections.abc import Callable
from pathlib import Path

PAGES: dict[str, Callable[[], str]] = {}


def page(name: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Register a function without arguments as the maker of the fragment `name` (used as a decorator)."""

    def register(make: Callable[[], str]) -> Callable[[], str]:
        if name in PAGES:
            raise ValueError(f"two functions make the page fragment {name!r}")
        PAGES[name] = make
        return make

    return register


def write(folder: Path) -> list[Path]:
    """Write every registered fragment into `folder` as NAME.md; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, make in sorted(PAGES.items()):
        path = folder / f"{name}.md"
        path.write_text(make().rstrip() + "\n", encoding="utf-8")
        written.append(path)
    return written
