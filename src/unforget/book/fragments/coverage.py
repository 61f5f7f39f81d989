"""A paper's opening page: which of its artefacts are regenerated where, and how much of each is recorded."""

import re

from unforget.book import pages
from unforget.book.fragments.common import Results, escape, gather, has_run, notebook, table
from unforget.experiments import catalogue
from unforget.results.tables import NOT_BUILT, title

# What the paper shows, in its order. Schematic figures have nothing to regenerate. Parts of a figure (2a, 2b)
# go together.
CONTENTS = {
    "hnet": {
        "figure-2": "toy regression on three curves",
        "table-1": "Permuted and Split MNIST, all methods, three scenarios",
        "figure-3": "a hundred permutations; accuracy against compression",
        "figure-4": "accuracy over the space of task embeddings",
        "figure-5": "CIFAR-10/100 with ResNet-32",
        "table-2": "replay and its upper bound",
        "table-3": "during and after, Split and Permuted MNIST",
        "table-4": "during and after, a hundred permutations",
        "table-5": "during and after, CIFAR-10/100",
        "table-6": "comparison with HAT",
        "figure-a2": "a hundred permutations: regularisation strengths and sizes",
        "figure-a3": "CIFAR-10/100 with ZenkeNet",
        "figure-a4": "a hundred permutations without task identity",
        "figure-a5": "a hundred permutations: online EWC and fine-tuning",
        "figure-a6": "a hundred permutations: strengths of SI and online EWC",
        "figure-a7": "random hypernetworks against compression",
        "figure-a8": "replayed images",
        "text": "single numbers and parameter counts",
    },
    "hrn": {
        "table-1a": "arXiv: SVHN, then CIFAR-100, right after each task and at the end",
        "table-1b": "arXiv: Pairwise MNIST",
        "table-1c": "arXiv: Fashion-MNIST, then MNIST",
        "table-2": "arXiv: marks of the ablations",
        "figure-2": "first task and all images, after each task",
        "figure-3": "drop and first accuracy of each task",
        "figure-4": "use of units (arXiv: Figure 3)",
        "table-b1": "ICLR appendix B, Table 1: ablations",
        "table-c2": "ICLR Tables 2 to 13: networks and settings",
        "table-d14": "ICLR Table 14: run times",
    },
}
# Artefacts that notebooks draw or make from runs without filling a printed number: a run of each of these notebooks.
DRAWN = {
    "hrn": {
        "table-2": ("ablations/baseline",),
        "figure-2": ("svhn-cifar100/hrn", "pairwise-mnist/hrn", "fashion-mnist/hrn", "cifar100/hrn"),
        "figure-3": ("svhn-cifar100/hrn", "pairwise-mnist/hrn", "fashion-mnist/hrn", "cifar100/hrn"),
        "figure-4": ("svhn-cifar100/hrn", "pairwise-mnist/hrn", "fashion-mnist/hrn", "cifar100/hrn"),
        "table-c2": ("pairwise-mnist/hrn", "fashion-mnist/hrn", "svhn-cifar100/hrn"),
    }
}
# Artefacts on a page that belongs to no experiment: its notebook and what it is called.
APART = {"hrn": {"table-d14": ("hrn/runtime", "What routing costs")}}


@pages.page("coverage-hnet")
def hnet() -> str:
    return text(gather(), "hnet")


@pages.page("coverage-hrn")
def hrn() -> str:
    return text(gather(), "hrn")


def text(results: Results, paper: str) -> str:
    """The fragment for one paper. Artefacts that only the transcription knows come last."""
    own = results.ledger[results.ledger.paper == paper]
    groups = own.artifact.map(_group)
    cells = [cell for cell in catalogue.CELLS if cell.paper == paper]
    shown = CONTENTS[paper]
    rows = []
    for group in dict.fromkeys((*shown, *groups)):
        printed = own[(groups == group) & (own.status != "ours")]
        extra = own[(groups == group) & (own.status == "ours")]
        runs = {catalogue.of(cell.run)[0].title: cell.run for cell in cells if _group(cell.artifact) == group}
        runs |= {catalogue.of(run)[0].title: run for run in DRAWN.get(paper, {}).get(group, ())}
        links = [notebook(run, name) for name, run in runs.items()]
        if group in APART.get(paper, {}):
            page, called = APART[paper][group]
            links.append(f"{{doc}}`{called} </notebooks/{page}>`")
        name = "Text" if group == "text" else title(group)
        rows.append(
            (
                f"**{escape(name)}**" + (f" {escape(shown[group])}" if group in shown else ""),
                _share(int(has_run(printed).sum()), len(printed), int(has_run(extra).sum())),
                ", ".join(links) or NOT_BUILT,
            )
        )
    return table(("Artefact", "Numbers recorded", "Notebook"), rows, "lll", "prose")


def _share(recorded: int, printed: int, extra: int) -> str:
    if printed:
        return f"{recorded} of {printed}"
    return "none printed" + (f"; {extra} of ours" if extra else "")


def _group(artifact: str) -> str:
    """Figures without the letter of their part; all numbers of the text together."""
    return "text" if artifact.startswith("text-") else re.sub(r"^(figure-a?\d+)[a-z]$", r"\1", artifact)
