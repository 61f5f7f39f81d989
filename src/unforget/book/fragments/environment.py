"""Environment: the versions of this build, the size of the lock file, and the devices behind the records."""

import platform
import re
from importlib.metadata import PackageNotFoundError, version

from unforget import __version__
from unforget.book import pages
from unforget.book.fragments.common import Results, escape, gather, table
from unforget.book.fragments.costs import device
from unforget.data.files import project_root
from unforget.words import count

_PACKAGES = ("torch", "torchvision", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "seaborn",
             "papermill", "nbval", "jupyter-book", "Sphinx", "sphinx-book-theme")  # fmt: skip


@pages.page("environment")
def page() -> str:
    lock = project_root() / "requirements.lock"
    return text(gather(), lock.read_text(encoding="utf-8") if lock.exists() else "")


def text(results: Results, lock: str) -> str:
    """The fragment; `lock` is the text of the lock file, empty if there is none."""
    rows = [
        ("unforget", __version__),
        ("Python", platform.python_version()),
        *((p, _version(p)) for p in _PACKAGES),
    ]
    names = {name.lower() for name in re.findall(r"^([A-Za-z0-9][\w.-]*)==", lock, flags=re.MULTILINE)}
    locked = (
        f"The lock file holds {count(len(names), 'package')}." if names else "There is no lock file here."
    )
    devices = sorted({device(block) for record in results.records for block in record["run"]})
    trained = "Nothing is recorded yet."
    if devices:
        trained = f"Recorded runs were trained on: {'; '.join(map(escape, devices))}."
    return "\n\n".join(
        [
            "This build of the book was made with:",
            table(
                ("package", "version"),
                [(escape(name), escape(value)) for name, value in rows],
                "ll",
                "numbers",
            ),
            f"{locked} {trained}",
        ]
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
