"""What a site must hold beyond a clean build: Jupyter Book renders errors and dead images silently.

Every check takes the folder of the built site and returns its problems, each as one line.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

MIN_ALT_WORDS = 4
_NEEDED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "apple-touch-icon"}
_CSS_ADDRESS = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")
_SCRIPT_ADDRESS = re.compile(
    r"""(?:\bimport\b[^;\n]*?|\.(?:src|href)\s*=\s*|\bfetch\(\s*)["']((?:https?:)?//[^"']+)"""
)
_RAW_MATHS = re.compile(r"\$[^$]*\\[A-Za-z]|\\[A-Za-z]+\{")  # $\beta, and \frac{ where the $ stands elsewhere
_RAW_DIRECTIVE = re.compile(r"(?:```|~~~|:::)\{\w")
_FILE_NAME = re.compile(r"[/\\]|\.(?:png|svg|jpe?g|gif|pdf|webp)$", re.IGNORECASE)


def all_checks(site: Path) -> list[str]:
    """Every check of this module on the site, in one list."""
    return [
        problem
        for check in (error_outputs, raw_maths, raw_directives, poor_alt_texts, dead_links, network_needs)
        for problem in check(site)
    ]


def _pages(site: Path) -> Iterator[tuple[Path, BeautifulSoup]]:
    for path in sorted(site.rglob("*.html")):
        if "_static" not in path.relative_to(site).parts:  # templates of the theme, no pages
            yield path, _parse(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _parse(path: Path, changed: int) -> BeautifulSoup:
    """The page as it was at this time of change: another one is parsed anew."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def error_outputs(site: Path) -> list[str]:
    """Notebook cells that show a traceback."""
    return [
        f"{path.relative_to(site)}: an error output: {_last_line(found)}"
        for path, page in _pages(site)
        for found in page.select("div.output.traceback")
    ]


def _last_line(found: Tag) -> str:
    return (found.get_text().strip().splitlines() or [""])[-1]


def raw_maths(site: Path) -> list[str]:
    """Formulas that stand in the text of a page as they were written: a line of one was read as a list, say."""
    return _as_written(site, _RAW_MATHS, "a formula that is not set")


def raw_directives(site: Path) -> list[str]:
    """Tables, notes and the like that stand in the text of a page as they were written."""
    return _as_written(site, _RAW_DIRECTIVE, "a directive that is not set")


def _as_written(site: Path, pattern: re.Pattern, what: str) -> list[str]:
    return [
        f"{path.relative_to(site)}: {what}: {' '.join(text.split())[:60]}"
        for path, page in _pages(site)
        for text in (page.select_one("main") or page).find_all(string=pattern)
        if not text.find_parent(["pre", "code", "script", "style"]) and not text.find_parent(class_="math")
    ]


def poor_alt_texts(site: Path) -> list[str]:
    """Images in the text of a page whose alt text is missing, a file name, or too short to say much."""
    problems = []
    for path, page in _pages(site):
        for image in page.select("main img, article img"):
            alt = (image.get("alt") or "").strip()
            name = f"{path.relative_to(site)}: image {Path(image.get('src', '')[:200]).name[:60]}"
            if not alt:
                problems.append(f"{name} has no alt text")
            elif _FILE_NAME.search(alt) and " " not in alt:
                problems.append(f"{name} has a file name for an alt text: {alt}")
            elif len(alt.split()) < MIN_ALT_WORDS:
                problems.append(f"{name} has an alt text of fewer than {MIN_ALT_WORDS} words: {alt!r}")
    return list(dict.fromkeys(problems))


def dead_links(site: Path) -> list[str]:
    """Links, downloads, images, scripts and styles within the site that lead nowhere, anchors included."""
    problems = []
    for path, page in _pages(site):
        for tag, attribute in (
            ("a", "href"),
            ("img", "src"),
            ("link", "href"),
            ("script", "src"),
            ("source", "src"),
            ("object", "data"),
            ("iframe", "src"),
        ):
            for found in page.find_all(tag, **{attribute: True}):
                reason = _dead(site, path, found[attribute], anchors=tag == "a")
                if reason:
                    problems.append(f"{path.relative_to(site)}: {tag} {found[attribute]}: {reason}")
    return list(dict.fromkeys(problems))


def _dead(site: Path, page: Path, address: str, anchors: bool) -> str:
    """Why an address within the site is dead; empty if it is not, or if it leads outside."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or address in ("", "#"):
        return ""
    base = site if parts.path.startswith("/") else page.parent
    target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else page
    target = target / "index.html" if target.is_dir() else target
    if not target.exists():
        return "no such file"
    if anchors and parts.fragment and target.suffix == ".html":
        if unquote(parts.fragment) not in _anchors(target, target.stat().st_mtime_ns):
            return "no such place on that page"
    return ""


@lru_cache(maxsize=512)
def _anchors(path: Path, changed: int) -> set[str]:
    return {found[key] for key in ("id", "name") for found in _parse(path, changed).find_all(attrs={key: True})}


def network_needs(site: Path) -> list[str]:
    """Scripts, styles, fonts, images and frames that a page fetches from elsewhere to display.

    Links that a reader follows are fine; so is an address that a script uses only when asked to.
    """
    problems = []
    for path, page in _pages(site):
        needed = [
            found.get("src") or found.get("data") or ""
            for found in page.select(
                "script[src], img[src], source[src], iframe[src], video[src], audio[src], embed[src], "
                "object[data], track[src]"
            )
        ]
        needed += [
            part.split()[0] for found in page.select("[srcset]") for part in found["srcset"].split(",")
        ]
        needed += [
            found["href"]
            for found in page.find_all("link", href=True)
            if _NEEDED_LINKS & set(found.get("rel", []))
        ]
        needed += [found["poster"] for found in page.select("video[poster]")]
        styles = [found.get_text() for found in page.find_all("style")]
        styles += [found["style"] for found in page.select("[style]")]
        needed += [address for style in styles for address in _CSS_ADDRESS.findall(style)]
        needed += [
            address
            for found in page.find_all("script", src=False)
            for address in _SCRIPT_ADDRESS.findall(found.get_text())
        ]
        problems += [f"{path.relative_to(site)}: needs {address}" for address in needed if _outside(address)]
    for path in sorted(site.rglob("*.css")):
        problems += [
            f"{path.relative_to(site)}: needs {address}"
            for address in _CSS_ADDRESS.findall(path.read_text(encoding="utf-8", errors="replace"))
        ]
    return list(dict.fromkeys(problems))


def _outside(address: str) -> bool:
    return bool(urlsplit(address).netloc)
