"""When a committed notebook is stale: nbval's comparison with a tolerance for numbers."""

import base64
import copy
import struct

import pytest
import tiny_book
from nbformat.v4 import new_output

from unforget.book import golden
from unforget.book.notebook import normalise


def made(*texts, mime="text/plain", tags=None, tolerance=None):
    """An executed notebook with one cell whose outputs are these texts."""
    book = tiny_book.notebook("show()")
    cell = book.cells[2]
    cell.outputs = [new_output("display_data", {mime: text}) for text in texts]
    cell.execution_count = 2
    cell.metadata.update(
        {"tags": tags or []}, **({"unforget": {"tolerance": tolerance}} if tolerance else {})
    )
    return normalise(book, {})


def stream(text, name="stdout"):
    book = made()
    book.cells[2].outputs = [new_output("stream", name=name, text=text)]
    return book


def is_stale(old, new):
    return bool(golden.stale(old, new))


def test_an_equal_notebook_is_current():
    assert golden.stale(made("97.35"), made("97.35"), "n") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("accuracy 97.35 %", "accuracy 97.99 %"),  # within 2 %
        ("0.00", "0.01"),
        ("-0.00", "0.00"),
        ("9.99", "10.01"),
        ("| a | 9.99 |\n|---|---|", "| a | 10.00 |\n|---|-----|"),  # padding follows the width of numbers
        ("1.234e-05", "1.235e-05"),
        ("1,234.5", "1,235.5"),
        ("−0.51", "−0.50"),
        ("took 3.2 s, 512 MB", "took 14 s, 1.5 GB"),
        ("trained 2026-11-21T08:45", "trained 2027-01-02T10:00"),
        ("commit 73d2ddf", "commit c5394b9"),
        ("host alpha", "host beta"),
        ("<obj at 0x7f00>", "<obj at 0x7fff>"),
        ("#T_1a2b3 td", "#T_9f8e7 td"),
        ('<img src="data:image/png;base64,AAAA">', '<img src="data:image/png;base64,BB">'),
    ],
)
def test_rounding_and_what_belongs_to_the_run_are_no_difference(old, new):
    assert golden.stale(made(old), made(new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("accuracy 97.35 %", "accuracy 90.35 %"),
        ("accuracy 97.35 %", "precision 97.35 %"),
        ("20 seeds", "21 seeds"),
        ("1,784 weights", "1,785 weights"),
        ("S-CL1 1.0", "S-CL2 1.0"),
        ("1.0 2.0", "1.0"),
        ("1.0", "1.0 2.0"),
        ("nan", "0.5"),
        ("0.5", "-0.5"),
        ("| a | b |", "| a |"),
        ("not run", "reproduced"),
        ("1.0e-05", "1.0e-04"),
    ],
)
def test_other_words_counts_and_numbers_are_stale(old, new):
    assert is_stale(made(old), made(new))
    assert is_stale(stream(old), stream(new))


def test_structure_is_compared():
    assert is_stale(made("a"), made("a", "a"))
    assert is_stale(made("a"), made())
    assert is_stale(made("a"), made("a", mime="text/html"))
    longer = made("a")
    longer.cells.append(copy.deepcopy(longer.cells[2]))
    assert is_stale(made("a"), longer)


def test_stderr_is_left_out_and_split_streams_are_one():
    assert not is_stale(made(), stream("a warning", "stderr"))
    split = made()
    split.cells[2].outputs = [new_output("stream", name="stdout", text=part) for part in ("one ", "two")]
    assert not is_stale(stream("one two"), split)


def test_a_cell_may_declare_its_own_tolerance_or_be_volatile():
    assert is_stale(made("50 90.0"), made("51 95.0"))
    assert not is_stale(made("50 90.0", tolerance=0.1), made("51 95.0", tolerance=0.1))
    assert is_stale(made("50 90.0", tolerance=0.1), made("60 95.0", tolerance=0.1))
    assert not is_stale(made("anything", tags=["volatile"]), made("else", tags=["volatile"]))
    assert is_stale(made("anything", tags=["volatile"]), made(tags=["volatile"]))


def test_changed_code_or_parameters_are_stale():
    edited = made("a")
    edited.cells[2].source = "show() # edited after it ran"
    assert "changed since" in str(golden.stale(edited, made("a"))[0])
    other = normalise(made("a"), {"profile": "lite"})
    assert "profile" in str(golden.stale(made("a"), other, "notebooks/a/b.ipynb")[0])


def test_a_notebook_without_outputs_is_stale():
    assert "without its outputs" in str(golden.stale(tiny_book.notebook(), made("a"))[0])


def test_a_difference_names_notebook_cell_and_change():
    [found] = golden.stale(made("accuracy 97.35 %"), made("accuracy 50.00 %"), "notebooks/hnet/x.ipynb")
    assert (
        str(found) == "notebooks/hnet/x.ipynb, cell cell-2: text/plain: 97.35 became 50.00 (after 'accuracy')"
    )


def png(width, height, seed=b"a"):
    return base64.b64encode(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + seed * 20
    ).decode()


def test_images_are_compared_by_presence_size_and_alt_text():
    def image(data, alt="A rising line", mime="image/png"):
        book = made(data, mime=mime)
        book.cells[2].outputs[0].metadata = {mime: {"alt": alt}}
        return book

    assert not is_stale(image(png(400, 300)), image(png(402, 300, b"b")))
    assert is_stale(image(png(400, 300)), image(png(800, 300)))
    assert is_stale(image(png(400, 300)), image(png(400, 300), alt="A falling line"))
    assert is_stale(image(png(400, 300)), made())
    svg = '<svg viewBox="0 0 {} 200" id="{}"></svg>'
    assert not is_stale(
        image(svg.format(300, "x"), mime="image/svg+xml"), image(svg.format(301, "y"), mime="image/svg+xml")
    )
    assert is_stale(
        image(svg.format(300, "x"), mime="image/svg+xml"), image(svg.format(600, "x"), mime="image/svg+xml")
    )
