"""Two small books, built for real: a sound one, and one with every fault that must not pass."""

import re
from pathlib import Path

import nbformat
import pytest
import tiny_book
from bs4 import BeautifulSoup
from nbformat.v4 import new_output

from unforget.book import assemble, build, pages
from unforget.book.execute import Executed
from unforget.book.notebook import normalise, read
from unforget.errors import UnforgetError

ADDRESS = "https://github.com/someone/unforget"
FAULTS = """{doc}`nowhere`

<a href="gone.html">a dead link that Sphinx does not see</a>
<img src="/figures/tiny/line.svg">
<script src="https://cdn.example.org/plot.js"></script>
"""


def page(site: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{name}.html").read_text(), "html.parser")


def links(soup: BeautifulSoup) -> list[str]:
    return [found["href"] for found in soup.find_all("a", href=True)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Repository, report and messages of a book without an address whose golden lacks two outputs."""
    root = tiny_book.book(tmp_path_factory.mktemp("sound"), welcome="```{include} generated/hello.md\n```")
    path = root / "notebooks" / "tiny" / "line.ipynb"
    executed = nbformat.read(path, as_version=4)
    executed.cells[2].outputs = [new_output("stream", text="accuracy 97.35 %\n")]
    executed.cells[2].execution_count = 2
    tiny_book.save(normalise(executed, {}), path)  # half a golden: the figure and the table are missing
    said = []
    pages.page("hello")(lambda: "The number of seeds is 20.\n\n```{tip}\nFrom a function.\n```")
    try:
        report = build.check(root=root, say=said.append)
    finally:
        del pages.PAGES["hello"]
    return root, report, said


def test_a_sound_book_has_a_page_to_open_and_a_time_for_each_notebook(sound):
    root, report, said = sound
    assert report.page == root / "_build" / "smoke" / "html" / "index.html"
    assert report.page.exists()
    assert re.search(r"\d\.\d s  notebooks/tiny/line.ipynb", str(report))
    assert any("line.ipynb" in line for line in said)
    assert str(report.page) in str(report)


def test_its_only_problems_are_the_stale_outputs(sound):
    _, report, _ = sound
    assert len(report.problems) == 2
    assert all(
        problem.startswith("stale: notebooks/tiny/line.ipynb, cell cell-") for problem in report.problems
    )
    assert not report.ok


def test_figure_table_equation_reference_and_fragment_are_on_the_pages(sound):
    root, report, _ = sound
    site = report.page.parent
    notebook, welcome = page(site, "notebooks/tiny/line"), page(site, "book/welcome")
    assert notebook.select_one("figure img")["alt"] == "A straight line that climbs from 3 to 4"
    assert any(link.endswith("line.csv") for link in links(notebook))
    assert any(link.endswith("_sources/notebooks/tiny/line.ipynb") for link in links(notebook))
    assert notebook.select_one("table caption").get_text().startswith("Table")
    assert notebook.select_one(".cell.tag_parameters")
    assert "The number of seeds is 20." in welcome.get_text()
    assert any(link.endswith("line.html#fig-line") for link in links(welcome))
    assert "Line" in page(site, "book/method").get_text()
    assert any("custom.css" in found["href"] for found in welcome.find_all("link", href=True))


def test_without_an_address_there_are_no_launch_and_edit_buttons(sound):
    _, report, _ = sound
    for name in ("book/welcome", "notebooks/tiny/line"):
        assert not [
            link for link in links(page(report.page.parent, name)) if re.search("colab|binder|github", link)
        ]


def test_accept_makes_the_golden_current(sound):
    """`accept` writes what was executed; comparing the two needs no second execution."""
    from unforget.book import golden

    root, report, _ = sound
    executed = read(report.notebooks[0].output)
    assert golden.stale(executed, executed) == []
    assert golden.stale(read(root / "notebooks/tiny/line.ipynb"), executed) != []


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Report of the check of a book with an address, many faults and an error among its outputs.

    The notebook counts as executed as it is committed: a real execution would refuse the error, and no site be built.
    """
    root = tiny_book.book(tmp_path_factory.mktemp("faulty"), FAULTS, ADDRESS)
    made = tiny_book.notebook("1 / 0")
    made.cells[2].outputs = [
        new_output(
            "error",
            ename="ZeroDivisionError",
            evalue="division by zero",
            traceback=["Traceback", "ZeroDivisionError: division by zero"],
        )
    ]
    made.cells[2].execution_count = 2
    tiny_book.save(made, root / "notebooks" / "tiny" / "line.ipynb")

    def execute_all(jobs, parameters, *, variables, **more):
        [(notebook, output, _)] = jobs
        figures = Path(variables["UNFORGET_FIGURES"]) / "tiny"
        figures.mkdir()
        (figures / "line.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"/>')
        return [Executed(notebook, 0.0, tiny_book.save(made, output))]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "execute_all", execute_all)
        return build.check(root=root, say=lambda line: None)


def test_the_check_of_a_faulty_book_fails_and_does_not_hide_the_site(faulty):
    assert not faulty.ok
    assert faulty.page.exists()


@pytest.mark.parametrize(
    "told",
    [
        r"Jupyter Book: book/welcome\.md.*WARNING.*nowhere",
        r"book/welcome\.html: a gone\.html: no such file",
        r"book/welcome\.html: image line\.svg has no alt text",
        r"book/welcome\.html: needs https://cdn\.example\.org/plot\.js",
        r"notebooks/tiny/line\.html: an error output: ZeroDivisionError: division by zero",
    ],
)
def test_every_fault_reaches_the_report_of_the_check(faulty, told):
    assert any(re.match(told, problem) for problem in faulty.problems), faulty.problems


def test_with_an_address_the_buttons_name_files_of_the_repository(faulty):
    site = faulty.page.parent
    found = links(page(site, "notebooks/tiny/line"))
    assert (
        "https://colab.research.google.com/github/someone/unforget/blob/main/notebooks/tiny/line.ipynb"
        in found
    )
    assert f"{ADDRESS}/edit/main/notebooks/tiny/line.ipynb" in found
    assert f"{ADDRESS}/edit/main/book/method.md" in links(page(site, "book/method"))


def test_a_failing_notebook_and_a_stale_golden_fail_the_check_in_one_execution(tmp_path):
    """No site is built here; the sound notebook's result stays although its neighbour fails."""
    root = tiny_book.book(tmp_path / "repository")
    tiny_book.save(
        tiny_book.notebook("raise ValueError('too small')"), root / "notebooks" / "tiny" / "bad.ipynb"
    )
    report = build.check(root=root, say=lambda line: None)
    assert not report.ok and report.page is None
    assert any(
        "bad.ipynb: cell cell-2 failed: ValueError: too small" in problem for problem in report.problems
    )
    assert any(problem.startswith("stale: notebooks/tiny/line.ipynb") for problem in report.problems)
    assert (root / "_build" / "smoke" / "notebooks" / "tiny" / "line.ipynb").exists()
    assert "FAILED" in str(report)


def test_a_notebook_missing_in_the_contents_is_refused(tmp_path):
    root = tiny_book.book(tmp_path / "repository")
    work = root / "_build" / "smoke"
    for name in ("line", "other"):
        tiny_book.save(tiny_book.notebook(), root / "notebooks" / "tiny" / f"{name}.ipynb")
        tiny_book.save(tiny_book.notebook(), work / "notebooks" / "tiny" / f"{name}.ipynb")
    with pytest.raises(UnforgetError, match="notebooks/tiny/other.ipynb is not in book/_toc.yml"):
        assemble.assemble(root, work)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"profile": "smok"}, "unknown profile 'smok'; did you mean 'smoke'?"),
        ({"profile": "paper", "accept": True}, "only outputs of profile smoke are committed"),
        ({"workers": 0}, "workers must be at least 1; got 0"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_executed(given, told):
    with pytest.raises(UnforgetError, match=re.escape(told)):
        build.build(**given)


def test_stale_goldens_come_with_the_way_out():
    assert "make accept" in str(build.Report("smoke", problems=["stale: x"]))
    assert "make accept" not in str(build.Report("smoke", problems=["failed: x"]))


def test_two_makers_of_one_fragment_are_refused(monkeypatch):
    monkeypatch.setattr(pages, "PAGES", {})
    pages.page("one")(lambda: "a")
    with pytest.raises(ValueError, match="'one'"):
        pages.page("one")(lambda: "b")
