"""Executing notebooks: parameters refused, failures in one line, results equal between runs."""

import json
import sys

import nbformat
import pytest
import tiny_book
from nbformat.v4 import new_code_cell

from unforget.book.execute import check_parameters, execute, execute_all, parameters_of
from unforget.book.notebook import machine_paths, normalise, source_sha
from unforget.errors import UnforgetError


@pytest.fixture
def plain(tmp_path):
    return tiny_book.save(tiny_book.notebook("print('ok')"), tmp_path / "plain.ipynb")


def test_declared_parameters_come_with_type_default_and_help(plain):
    assert parameters_of(plain)["seeds"] == {
        "type": "list[int]",
        "default": "[0, 1]",
        "help": "one replica each",
    }


def test_only_values_that_differ_from_the_defaults_are_injected(plain):
    assert check_parameters(plain, {"profile": "smoke", "compute": False, "seeds": [0, 1]}) == {}
    assert check_parameters(plain, {"profile": "lite", "compute": False}) == {"profile": "lite"}


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"profle": "smoke"}, "unknown parameter of plain.ipynb 'profle'; did you mean 'profile'?"),
        ({"seeds": 3}, "parameter 'seeds' of plain.ipynb is a list[int]; got 3 (int)"),
        ({"compute": "yes"}, "is a bool; got 'yes' (str)"),
        ({"rate": True}, "is a float; got True (bool)"),
    ],
)
def test_unknown_names_and_wrong_types_are_refused(plain, parameters, told):
    with pytest.raises(UnforgetError) as refusal:
        check_parameters(plain, parameters)
    assert told in str(refusal.value)


def test_a_whole_number_is_a_float_too(plain):
    assert check_parameters(plain, {"rate": 1}) == {"rate": 1}


@pytest.mark.parametrize(
    "text", ["not json", "{}", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}']
)
def test_what_is_no_notebook_is_named(tmp_path, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(UnforgetError, match="broken.ipynb"):
        parameters_of(path)


def test_nothing_is_executed_if_one_notebook_refuses_the_parameters(tmp_path, plain):
    other = tiny_book.save(tiny_book.notebook(parameters="profile: str = 'smoke'"), tmp_path / "other.ipynb")
    jobs = [(path, tmp_path / "out" / path.name, tmp_path / "log.txt") for path in (plain, other)]
    with pytest.raises(UnforgetError, match="other.ipynb"):
        execute_all(jobs, {"profile": "smoke", "compute": False}, say=print)
    assert not (tmp_path / "out").exists()


def test_an_execution_is_normalised_and_a_failing_neighbour_stops_nothing(tmp_path):
    """One run with changed parameters beside one that fails; two executions serve all that follows."""
    good = tiny_book.notebook(
        "import os, sys\nprint(profile, os.environ['OMP_NUM_THREADS'], os.environ['EXTRA'])",
        "from tqdm import tqdm\nfor _ in tqdm(range(3)): pass\nprint('told', file=sys.stderr)",
        "print(os.path.basename(os.getcwd()), sys.executable)",
        "import warnings; warnings.warn('odd')",
    )
    good.metadata.kernelspec.name = "my-laptop-env"
    bad = tiny_book.notebook(
        "print('before')", "def inner():\n    raise ValueError('too small\\nby far')\ninner()"
    )
    paths = [
        tiny_book.save(made, tmp_path / "here" / name)
        for made, name in ((good, "good.ipynb"), (bad, "bad.ipynb"))
    ]
    said = []
    jobs = [(path, tmp_path / "out" / path.name, tmp_path / "logs" / f"{path.stem}.txt") for path in paths]
    done = execute_all(
        jobs, {"profile": "lite", "compute": False}, workers=2, variables={"EXTRA": "seen"}, say=said.append
    )

    assert [result.notebook for result in done] == paths
    assert len(said) == 2
    failed = done[1]
    assert failed.output is None
    assert not (tmp_path / "out" / "bad.ipynb").exists()
    assert failed.error.startswith("bad.ipynb: cell cell-3 failed: ValueError: too small")
    assert "\n" not in failed.error
    log = tmp_path / "logs" / "bad.txt"
    assert str(log) in failed.error
    assert "inner()" in log.read_text() and "\x1b" not in log.read_text()

    made = nbformat.read(done[0].output, as_version=4)
    nbformat.validate(made)
    assert made.metadata.kernelspec.name == "python3"
    assert made.metadata.unforget.parameters == {"profile": "lite"}
    assert "papermill" not in json.dumps(made.metadata)
    assert all(not {"papermill", "execution"} & set(cell.metadata) for cell in made.cells)
    injected = [cell for cell in made.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert [cell.id for cell in injected] == ["injected-parameters"]
    text = [out.text for cell in made.cells if cell.cell_type == "code" for out in cell.outputs]
    assert text[0] == "lite 1 seen\n"
    assert text[1] == "told\n"  # the progress bar is gone
    assert text[2] == f"here {sys.executable}\n"
    assert text[3].startswith("<cell>:1: UserWarning: odd")
    assert len(text) == 4
    assert machine_paths(made, {sys.prefix, "/nowhere"}) == [
        f"cell cell-4 prints a path of this machine: {sys.prefix}"
    ]


def test_two_executions_leave_the_same_bytes(tmp_path, plain):
    first, second = (
        execute(plain, tmp_path / f"{n}.ipynb", {"compute": True}, log=tmp_path / "log") for n in "ab"
    )
    assert first.output.read_bytes() == second.output.read_bytes()


def test_a_tolerated_exception_still_fails(tmp_path):
    cell = new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    path = tiny_book.save(tiny_book.notebook(cell, "print('went on')"), tmp_path / "tolerant.ipynb")
    assert "ZeroDivisionError" in execute(path, tmp_path / "out.ipynb", {}, log=tmp_path / "log").error


def test_a_kernel_that_dies_is_a_failure(tmp_path):
    path = tiny_book.save(tiny_book.notebook("import os\nos._exit(3)"), tmp_path / "dies.ipynb")
    result = execute(path, tmp_path / "out.ipynb", {}, log=tmp_path / "log")
    assert "Kernel died" in result.error or "DeadKernelError" in result.error
    assert not (tmp_path / "out.ipynb").exists()


def test_source_hash_sees_code_and_parameters_but_no_prose():
    base = tiny_book.notebook("a = 1")
    prose = tiny_book.notebook("a = 1")
    prose.cells[0].source = "# Another title"
    assert source_sha(base, {}) == source_sha(prose, {})
    assert source_sha(base, {}) != source_sha(tiny_book.notebook("a = 2"), {})
    assert source_sha(base, {}) != source_sha(base, {"profile": "lite"})
    assert source_sha(normalise(base, {}), {}) == source_sha(base, {})
