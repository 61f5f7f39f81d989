"""The prose chapters: what they show in code is true, what they draw is current, and they hold no typed results."""

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from unforget import methods, records
from unforget.results import drawings, paper

BOOK = Path(__file__).parents[1] / "book"
PAGES = sorted(p for p in BOOK.rglob("*.md") if p.parent.name not in ("drawings", "generated"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def test_the_worked_example_computes_what_its_comments_say():
    page = (BOOK / "how-to-read.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    scope: dict = {}
    exec(code, scope)
    np.testing.assert_array_equal(scope["acc"][0], drawings.EXAMPLE)
    stated = re.findall(r"^(\w+) = .*# (-?\d+\.\d)$", code, re.M)
    assert [name for name, _ in stated] == ["during", "after", "backward_transfer", "forgetting"]
    for name, value in stated:
        assert scope[name].tolist() == pytest.approx([float(value)])


def test_the_examples_from_python_do_what_they_say(capsys):
    page = (BOOK / "how-to-rerun.md").read_text(encoding="utf-8")
    training, loading = re.findall(r"```python\n(.*?)```", page, re.S)
    scope: dict = {}
    exec(training, scope)
    (acc,) = records.scores(scope["record"], "CL3")
    assert np.array_equal(np.isfinite(acc), np.tri(scope["stream"].tasks, dtype=bool)) and len(acc) > 1
    assert capsys.readouterr().out == f"{acc}\n"
    (changed,) = re.findall(r"`(experiment\.resolve\(.*?\))`", page)
    assert eval(changed, scope)["options"]["beta"] != scope["record"]["config"]["options"]["beta"]
    for table in re.findall(r"`unforget\.([\w.]+\.[A-Z]+)`", page):
        module, _, name = table.rpartition(".")
        assert getattr(import_module(f"unforget.{module}"), name)
    exec(loading, scope)
    assert capsys.readouterr().out == f"{scope['digits'].title} {scope['digits'].x_train.shape}\n"
    assert scope["digits"].x_train.ndim == 4


def test_committed_drawings_are_current(tmp_path):
    for fresh in drawings.write(tmp_path / "drawings"):
        old, new = (path.read_text(encoding="utf-8") for path in (BOOK / "drawings" / fresh.name, fresh))
        hint = f"{fresh.name} is stale: python -m unforget.results.drawings book/drawings"
        assert NUMBER.sub("#", old) == NUMBER.sub("#", new), hint
        numbers = ([float(n) for n in NUMBER.findall(text)] for text in (old, new))
        np.testing.assert_allclose(*numbers, atol=0.01, err_msg=hint)  # fonts may be laid out a hair differently


@pytest.mark.parametrize("name", drawings.DRAWINGS)
def test_a_drawing_says_in_words_what_it_shows(name):
    drawing = drawings.DRAWINGS[name]()
    assert len(drawing.alt) > 100
    assert f":alt: {drawing.alt}\n" in (BOOK / "drawings" / f"{name}.md").read_text(encoding="utf-8")
    assert any(f"{{include}} drawings/{name}.md" in page.read_text(encoding="utf-8") for page in PAGES)


def test_options_named_among_the_deviations_exist():
    named = re.findall(r"`([\w-]+)\.(\w+)(?:=([^`]+))?`", (BOOK / "deviations.md").read_text(encoding="utf-8"))
    assert named
    for method, option, _ in named:
        assert option in {f.name for f in fields(methods.find(method).Options)}, f"{method}.{option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(BOOK).as_posix())
def test_no_result_is_typed_into_prose(page):
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"\d[\d.]*\s*(?:±|%|\\%|\\pm)|(?:±|\\pm)\s*[\d.]", text)


def test_every_reference_is_cited():
    entries = set(re.findall(r"^@\w+\{(\w+),", (BOOK / "references.bib").read_text(encoding="utf-8"), re.M))
    cited = {
        key for page in PAGES for keys in re.findall(r"\{cite:[pt]\}`([^`]+)`", page.read_text(encoding="utf-8"))
        for key in keys.split(",")
    }  # fmt: skip
    assert cited == entries


def test_the_front_pages_name_the_papers_that_have_chapters():
    there = {name for name in paper.PAPERS if (BOOK / name / "index.md").exists()}
    assert set(re.findall(r"\]\((\w+)/index\.md\)", (BOOK / "index.md").read_text(encoding="utf-8"))) == there
    (said,) = re.findall(r"((?:`\w+`[, and]*)+) (?:is|are) in the book", (BOOK.parent / "README.md").read_text(encoding="utf-8"))
    assert set(re.findall(r"`(\w+)`", said)) == there
