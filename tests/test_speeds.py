"""Recorded speeds: what a benchmark keeps comes back whole, and a damaged file is named."""

import json

import pytest
from benchmarks import __main__ as program
from benchmarks import hrn

from unforget.errors import UnforgetError
from unforget.results import sound, speeds

ROWS = [{"scenario": "pairwise-mnist", "naive / batched": 3.0, "goal": None}]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(speeds, "folder", lambda: tmp_path / "speeds")
    return tmp_path / "speeds"


def test_a_recorded_benchmark_comes_back_with_its_machine(monkeypatch, capsys, folder):
    monkeypatch.setattr(hrn, "measure", lambda setup: ROWS)
    program.main(["hrn", "--device", "cpu", "--repetitions", "3", "--record"])
    (record,) = speeds.load("hrn").values()
    assert record["rows"] == ROWS and record["repetitions"] == 3 and record["machine"]["device_type"] == "cpu"
    assert str(folder / "hrn-cpu.json") in capsys.readouterr().out
    words = speeds.machine(record)
    assert record["machine"]["device"] in words and record["date"] in words and "at most 3 turns" in words


def test_nothing_is_kept_unless_asked(monkeypatch, folder):
    monkeypatch.setattr(hrn, "measure", lambda setup: ROWS)
    program.main(["hrn", "--device", "cpu"])
    assert speeds.load("hrn") == {} and not folder.exists()


def test_a_new_measurement_replaces_that_of_the_same_kind_of_device_only():
    for kind, gain in (("cpu", 2.0), ("cuda", 5.0), ("cpu", 3.0)):
        speeds.save("hrn", [ROWS[0] | {"naive / batched": gain}], {"device_type": kind}, 5)
    assert {kind: record["rows"][0]["naive / batched"] for kind, record in speeds.load("hrn").items()} == {
        "cpu": 3.0, "cuda": 5.0,
    }  # fmt: skip


def test_a_damaged_file_is_named_and_never_read(tmp_path):
    path = speeds.save("hrn", ROWS, {"device_type": "cpu"}, 5)
    assert sound.problems(tmp_path / "results") == []
    path.write_text(path.read_text().replace("3.0", "30.0"))
    assert json.loads(path.read_text())["rows"][0]["naive / batched"] == 30.0
    with pytest.raises(UnforgetError, match=f"{path.name} is damaged"):
        speeds.load("hrn")
    (said,) = sound.problems(tmp_path / "results")
    assert str(path) in said
