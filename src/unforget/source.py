"""Which code made a result: a hash over all that its training runs through, comments, docstrings and type hints left out.

Readers of data files are not part of it: what they read is covered by the data checksums of a record. Nor are the tables
that say under which name code is found: a new method, stream or probe leaves old results current.
"""

import ast
import hashlib
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unforget.data import KINDS
from unforget.methods import METHODS
from unforget.probes import PROBES

PACKAGE = Path(__file__).resolve().parent
_TABLES = ("METHODS", "KINDS", "PROBES")
_OUTSIDE = ("unforget.data.images", "unforget.errors", "unforget.runtime", "unforget.checkpoint")


def source_hash(config: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits for the code that trains and measures a configuration, in the package as it stands."""
    places = [METHODS[config["method"]], KINDS[config["stream"]["kind"]], *(PROBES[name] for name in config["probes"])]
    return _hash(tuple(sorted({place.partition(":")[0] for place in places})))


@cache
def _hash(modules: tuple[str, ...]) -> str:
    trees: dict[str, str] = {}
    for module in (*modules, "unforget.loop"):
        _collect(module, trees)
    text = "\n".join(f"{name}:\n{trees[name]}" for name in sorted(trees))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def outdated(record: Mapping[str, Any]) -> int:
    """How many replicas of a record were trained by other code than the package holds now."""
    try:
        now = source_hash(record["config"])
    except KeyError:  # a method, stream or probe that is no longer there
        now = ""
    return sum(len(block["replicas"]) for block in record["run"] if block["source"] != now)


@cache
def commit() -> str:
    """The commit of the checkout the package runs from, with "+" where files differ from it; "" outside of one."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--", str(PACKAGE)) else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(PACKAGE), *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def _collect(name: str, trees: dict[str, str]) -> None:
    """Add a module and, following its imports, all modules of the package below it."""
    if name in trees or name.startswith(_OUTSIDE):
        return
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # a name imported from a module, not a module
        spec = None
    if spec is None or spec.origin is None:
        return
    tree = ast.parse(Path(spec.origin).read_text())
    # Package fronts (the list of methods, say) say where code lies, not what it does.
    trees[name] = "" if spec.origin.endswith("__init__.py") else ast.unparse(_essence(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for other in found:
            if other.startswith("unforget."):
                _collect(other, trees)


def _essence(tree: ast.Module) -> ast.Module:
    """The tree without docstrings, annotations of functions and tables of names: what computes, not what explains."""
    tree.body = [node for node in tree.body if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in _TABLES)]
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
