"""From chapters, executed notebooks and figures to a site, by way of one tree that mirrors the repository.

The tree mirrors the repository so that launch, edit and download links name files that exist there. It is
made afresh each time, as is the site: a build takes seconds, a page left over from an earlier one misleads
for longer.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from unforget.book import pages
from unforget.book.notebook import ANSI
from unforget.errors import UnforgetError

_WARNING = re.compile(r"\b(?:WARNING|ERROR|CRITICAL)\b: ?")


def notebooks(root: Path) -> list[Path]:
    """The repository's notebooks, `notebooks/<paper>/<section>.ipynb`, in order."""
    return sorted((root / "notebooks").glob("*/*.ipynb"))


def configuration(root: Path) -> dict:
    """`_config.yml` for Jupyter Book: without launch and edit buttons while `repository.url` is unset."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    if not (config.get("repository") or {}).get("url"):
        config.pop("repository", None)
        config.pop("launch_buttons", None)
        for button in ("use_repository_button", "use_edit_page_button", "use_issues_button"):
            config.setdefault("html", {})[button] = False
    return config


def contents(root: Path) -> list[str]:
    """Every file that the table of contents names, without suffix, such as `book/welcome`."""

    def walk(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node[key] for key in ("root", "file") if key in node]
            return own + [name for value in node.values() for name in walk(value)]
        return [name for item in node for name in walk(item)] if isinstance(node, list) else []

    return walk(yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8")))


def assemble(root: Path, work: Path) -> Path:
    """Lay out `work/tree` from the repository and from what execution left in `work`; return it.

    `work` holds `notebooks/<paper>/<section>.ipynb` as executed and `figures/`, the files that notebooks
    wrote, which pages reach as `/figures/...`. Generated fragments go to `book/generated`. Raises
    `UnforgetError` where a notebook was not executed or is missing in the table of contents: Jupyter Book
    would leave it out in silence.
    """
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(root / "book", tree / "book")
    for base, folder in ((root, "data/paper"), (work, "figures")):
        if (base / folder).exists():
            shutil.copytree(base / folder, tree / folder)
    listed = set(contents(root))
    for notebook in notebooks(root):
        place = notebook.relative_to(root)
        if not (work / place).exists():
            raise UnforgetError(f"{place} has not been executed; nothing at {work / place}")
        if place.with_suffix("").as_posix() not in listed:
            raise UnforgetError(f"{place} is not in book/_toc.yml; add {place.with_suffix('').as_posix()!r}")
        (tree / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(work / place, tree / place)
    pages.write(tree / "book")
    (tree / "_config.yml").write_text(yaml.safe_dump(configuration(root), sort_keys=False), encoding="utf-8")
    return tree


def build_site(tree: Path, work: Path) -> tuple[Path, list[str]]:
    """Build the tree into `work/html`; return that folder and the warnings.

    The full log is `work/jupyter-book.log`. Raises `UnforgetError` where no site came out at all.
    """
    output = work / "jupyter-book"
    shutil.rmtree(output, ignore_errors=True)
    command = [
        sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(tree),
        "--toc", str(tree / "book" / "_toc.yml"), "--config", str(tree / "_config.yml"),
        "--path-output", str(output), "-n", "--keep-going", "-W",
    ]  # fmt: skip
    finished = subprocess.run(command, capture_output=True, text=True)
    log = work / "jupyter-book.log"
    text = ANSI.sub("", finished.stdout + finished.stderr)
    log.write_text(text, encoding="utf-8")
    made = output / "_build" / "html"
    warnings = list(
        dict.fromkeys(line.replace(f"{tree}/", "") for line in text.splitlines() if _WARNING.search(line))
    )
    if not (made / "index.html").exists():
        raise UnforgetError(f"Jupyter Book made no site: {(warnings or ['no message'])[-1]} (log: {log})")
    if finished.returncode and not warnings:
        warnings.append(f"Jupyter Book ended with code {finished.returncode} (log: {log})")
    html = work / "html"
    shutil.rmtree(html, ignore_errors=True)
    shutil.move(made, html)
    shutil.rmtree(output)
    return html, warnings
