"""Notebook files: read and written whole, and freed of everything that differs between two equal runs."""

import copy
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

KERNEL = "python3"
INJECTED = "injected-parameters"
ANSI = re.compile(r"\x1b\[[0-9;]*m")  # colours of a terminal
_KERNEL_FILE = re.compile(r"\S*ipykernel_\d+\S*?\.py")
_PROGRESS = re.compile(r"\d+%\||\d+it \[")  # how tqdm writes a bar with and without a known end


def read(path: Path) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook atomically: a reader sees the old file or the new one."""
    part = path.with_name(path.name + ".part")
    nbformat.write(notebook, part)
    os.replace(part, path)


def tags(cell: NotebookNode) -> list[str]:
    """Tags of a cell."""
    return list(cell.metadata.get("tags", []))


def source_sha(notebook: NotebookNode, parameters: Mapping[str, object]) -> str:
    """sha256 over the code cells, without the injected one, and the parameters that differ from defaults."""
    sources = [
        cell.source for cell in notebook.cells if cell.cell_type == "code" and INJECTED not in tags(cell)
    ]
    return hashlib.sha256(json.dumps([sources, dict(parameters)], sort_keys=True).encode()).hexdigest()


def normalise(executed: NotebookNode, parameters: Mapping[str, object]) -> NotebookNode:
    """Strip what differs between two equal runs: times, paths, progress bars.

    The parameters that differ from the defaults stand in `metadata.unforget.parameters`, the hash of code and
    parameters in `metadata.unforget.source_sha`. Cell ids are kept; the injected cell, new each time, is
    named after its tag.
    """
    notebook = copy.deepcopy(executed)
    notebook.metadata = NotebookNode(
        kernelspec={"name": KERNEL, "display_name": "Python 3", "language": "python"},
        language_info={
            "name": "python",
            "file_extension": ".py",
            "mimetype": "text/x-python",
            "pygments_lexer": "ipython3",
        },
        **{
            key: value
            for key, value in notebook.metadata.items()
            if key not in ("kernelspec", "language_info", "papermill", "unforget", "widgets")
        },
    )
    for cell in notebook.cells:
        for key in ("papermill", "execution", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags", ["kept"]):  # papermill adds an empty list
            cell.metadata.pop("tags")
        if INJECTED in tags(cell):
            cell.id = INJECTED
        if cell.cell_type == "code":
            cell.outputs = [out for out in map(_clean, cell.outputs) if out.get("text", "kept")]
    notebook.metadata["unforget"] = {
        "parameters": dict(parameters),
        "source_sha": source_sha(notebook, parameters),
    }
    return notebook


def _clean(out: NotebookNode) -> NotebookNode:
    """Take progress bars out of stderr, and from warnings the place where this machine keeps their file."""
    if out.output_type == "stream" and out.name == "stderr":
        kept = [
            line for line in re.split(r"[\r\n]+", out.text) if line.strip() and not _PROGRESS.search(line)
        ]
        text = "".join(f"{line}\n" for line in kept)
        out.text = _KERNEL_FILE.sub("<cell>", text).replace(sys.prefix, "<environment>")
    return out


def machine_paths(notebook: NotebookNode, folders: Iterable[str]) -> list[str]:
    """Cells whose outputs hold one of these folders of this machine, which would be committed with them."""
    return [
        f"cell {cell.id} prints a path of this machine: {folder}"
        for cell in notebook.cells
        if cell.cell_type == "code"
        for folder in folders
        if json.dumps(folder)[1:-1] in json.dumps(cell.outputs)
    ]
