"""A book of two pages and one notebook, made afresh for the tests of `unforget.book`."""

import shutil
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]

PARAMETERS = """\
profile: str = "smoke"  # smoke, lite or paper
compute: bool = False  # train what is not recorded
seeds: list[int] = [0, 1]  # one replica each
rate: float = 0.1  # step size"""

FIGURE = """\
import os
from pathlib import Path
from IPython.display import Markdown, display
import matplotlib.pyplot as plt

folder = Path(os.environ["UNFORGET_FIGURES"]) / "tiny"
folder.mkdir(parents=True, exist_ok=True)
figure, axes = plt.subplots(figsize=(4, 3))
axes.plot([1, 2], [3, 4])
figure.savefig(folder / "line.svg")
(folder / "line.csv").write_text("x,y\\n1,3\\n2,4\\n")
plt.close(figure)
display(Markdown('''```{figure} /figures/tiny/line.svg
:name: fig-line
:alt: A straight line that climbs from 3 to 4

A line ({download}`data </figures/tiny/line.csv>`, {download}`vector </figures/tiny/line.svg>`).
```'''))"""

TABLE = """\
Markdown('''```{table} Accuracy in percent
:name: tab-line
| method | paper | this run |
|---|---|---|
| joint | 99.79 | 97.35 |
```''')"""


def notebook(*cells: str | nbformat.NotebookNode, parameters: str = PARAMETERS) -> nbformat.NotebookNode:
    """A notebook with a title, a parameters cell and these cells (text: code)."""
    made = [
        new_markdown_cell("# Tiny section\n\nIt climbs."),
        new_code_cell(parameters, metadata={"tags": ["parameters"]}),
    ]
    made += [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    for number, cell in enumerate(made):
        cell.id = f"cell-{number}"
    return new_notebook(
        cells=made,
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


def save(made: nbformat.NotebookNode, path: Path) -> Path:
    """Write a notebook, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
    return path


def book(root: Path, welcome: str = "", address: str = "") -> Path:
    """Lay out a repository with this project's configuration and style; `welcome` joins its first page."""
    (root / "book").mkdir(parents=True)
    shutil.copytree(ROOT / "book" / "_static", root / "book" / "_static")
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["repository"]["url"] = address
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    (root / "book" / "_toc.yml").write_text(
        "format: jb-book\nroot: book/welcome\n"
        "chapters:\n  - file: book/method\n  - file: notebooks/tiny/line\n"
    )
    (root / "book" / "references.bib").write_text(
        "@article{line1999, author={Ada Line}, title={On lines}, journal={Lines}, year={1999}}\n"
    )
    (root / "book" / "welcome.md").write_text(
        f"# Welcome\n\nSee {{doc}}`method` and {{numref}}`fig-line`.\n\n{welcome}\n"
    )
    (root / "book" / "method.md").write_text(
        "(method)=\n# Method\n\n{cite:t}`line1999` gives $y = x + 2$.\n\n```{bibliography}\n```\n"
    )
    save(notebook("print('accuracy 97.35 %')", FIGURE, TABLE), root / "notebooks" / "tiny" / "line.ipynb")
    return root
