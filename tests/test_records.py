"""Records: pooled, whole or refused, and never half-written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_project import record

from unforget import records
from unforget.errors import UnforgetError
from unforget.experiments import work

CONFIG = {"run": "stream/run", "stream": {"kind": "x"}, "views": ["CL1"], "options": {"lr": 0.1, "hidden": [3, 4]}}


def seeds(found):
    return [replica["seed"] for replica in found["replicas"]]


def first(found, seed):
    return next(r["scores"]["CL1"][0][0] for r in found["replicas"] if r["seed"] == seed)


def test_disjoint_seeds_pool_in_one_file_in_order(tmp_path):
    path = tmp_path / "run" / "paper.json"
    records.save(path, record(CONFIG, seeds=(3, 1)))
    assert seeds(records.load(path)) == [1, 3]
    records.save(path, record(CONFIG, seeds=(2, 0)))
    found = records.load(path)
    assert seeds(found) == [0, 1, 2, 3]
    assert [block["replicas"] for block in found["run"]] == [[[3], [1]], [[2], [0]]]
    assert [p.name for p in path.parent.iterdir() if p.name != ".lock"] == ["paper.json"]


def test_the_order_of_sittings_leaves_no_trace_outside_run(tmp_path):
    for name, sittings in (("a", [(0, 1), (2,)]), ("b", [(2,), (1,), (0,)]), ("c", [(1, 2, 0)])):
        for part in sittings:
            records.save(tmp_path / f"{name}.json", record(CONFIG, seeds=part))
    a, b, c = (records.without_run(records.load(tmp_path / f"{name}.json")) for name in "abc")
    assert a == b == c and "run" not in a and seeds(a) == [0, 1, 2]


def test_newer_replicas_replace_older_ones_of_the_same_seed(tmp_path):
    path = tmp_path / "paper.json"
    records.save(path, record(CONFIG, seeds=(0, 1, 2), value=0.5))
    records.save(path, record(CONFIG, seeds=(1, 2), value=0.7))
    records.save(path, record(CONFIG, seeds=(2,), value=0.9))
    found = records.load(path)
    assert [first(found, seed) for seed in (0, 1, 2)] == pytest.approx([0.5, 0.71, 0.92])
    assert [block["replicas"] for block in found["run"]] == [[[0]], [[1]], [[2]]]
    records.save(path, record(CONFIG, seeds=(0, 1)))
    assert [block["replicas"] for block in records.load(path)["run"]] == [[[2]], [[0], [1]]]


def test_a_scanned_value_is_part_of_a_replicas_key(tmp_path):
    path = tmp_path / "scan.json"
    records.save(path, record(CONFIG, seeds=(0, 0, 1), scan={"lr": (0.1, 0.2, 0.1)}))
    records.save(path, record(CONFIG, seeds=(0, 1), scan={"lr": (0.2, 0.3)}, value=0.3))
    found = records.load(path)
    keys = [records.key(replica) for replica in found["replicas"]]
    assert keys == [(0, ("lr", 0.1)), (0, ("lr", 0.2)), (1, ("lr", 0.1)), (1, ("lr", 0.3))]
    assert [r["scores"]["CL1"][0][0] for r in found["replicas"]] == pytest.approx([0.9, 0.3, 0.91, 0.31])
    assert [len(block["replicas"]) for block in found["run"]] == [2, 2]


@pytest.mark.parametrize("part", ["config", "tests", "checksums"])
def test_what_differs_in_more_than_seeds_is_refused_and_the_file_left(part, tmp_path):
    path = tmp_path / "paper.json"
    records.save(path, record(CONFIG))
    before = path.read_bytes()
    other = record(CONFIG, seeds=(5,))
    other[part] = [1, 2, 3] if part == "tests" else other[part] | {"views": "other"}
    with pytest.raises(UnforgetError, match=f"differ in {part}"):
        records.save(path, other)
    assert path.read_bytes() == before


def test_tuples_and_whole_numbers_do_not_make_another_configuration(tmp_path):
    path = tmp_path / "paper.json"
    records.save(path, record(CONFIG | {"options": {"lr": 1, "hidden": (3, 4)}}))
    records.save(path, record(CONFIG | {"options": {"lr": 1.0, "hidden": [3, 4]}}, seeds=(2,)))
    assert seeds(records.load(path)) == [0, 1, 2]


def truncated(text):
    return text[: len(text) // 2]


def flipped(text):
    at = text.index("0.91")
    return text[: at + 3] + "2" + text[at + 4 :]


@pytest.mark.parametrize(
    "damage",
    [truncated, flipped, lambda text: "", lambda text: "[]", lambda text: "{}", lambda text: '"x"',
     lambda text: "\0" * 99, lambda text: "[" * 100_000],
    ids=["truncated", "one digit", "empty", "a list", "nothing in it", "a string", "zeros", "deep"],
)  # fmt: skip
def test_a_damaged_file_is_named_refused_and_left(damage, tmp_path):
    path = tmp_path / "paper.json"
    records.save(path, record(CONFIG))
    path.write_text(damage(path.read_text()))
    before = path.read_bytes()
    for attempt in (lambda: records.load(path), lambda: records.save(path, record(CONFIG, seeds=(7,)))):
        with pytest.raises(UnforgetError, match=r"paper\.json is damaged"):
            attempt()
    assert path.read_bytes() == before


def test_binary_rubbish_is_damage_too(tmp_path):
    path = tmp_path / "paper.json"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(UnforgetError, match="damaged"):
        records.load(path)


def test_another_format_is_named(tmp_path, monkeypatch):
    path = tmp_path / "paper.json"
    records.save(path, record(CONFIG))
    monkeypatch.setattr(records, "FORMAT", 2)
    with pytest.raises(UnforgetError, match="has format 1; this version reads format 2"):
        records.load(path)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_record_and_no_litter(call, tmp_path, monkeypatch):
    path = tmp_path / "paper.json"
    records.save(path, record(CONFIG))
    before = path.read_bytes()

    def full(*anything):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, call) if call == "fsync" else (Path, call)), full)
    with pytest.raises(UnforgetError, match=r"cannot write record .*paper\.json: No space left on device"):
        records.save(path, record(CONFIG, seeds=(9,)))
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "paper.json"]


WRITER = """
import sys; sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from small_project import record
from test_records import CONFIG
from unforget import records
print("ready", flush=True); input()
for seed in range(int(sys.argv[4]), 60, 2):
    records.save(Path(sys.argv[3]), record(CONFIG, seeds=(seed,)))
"""


def test_two_writers_at_once_lose_nothing(tmp_path):
    here, path = Path(__file__).parent, tmp_path / "paper.json"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(here), str(here.parent / "src"), str(path), str(start)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for start in (0, 1)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    for writer in writers:
        writer.stdin.close(), writer.stdout.close()
    found = records.load(path)
    assert seeds(found) == list(range(60)) and len(found["run"]) == 60


def test_what_was_not_scored_is_null_in_the_file_and_nan_when_read(tmp_path):
    path = tmp_path / "paper.json"
    records.save(path, record(CONFIG))
    assert "NaN" not in path.read_text() and "null" in path.read_text()
    assert np.isnan(records.scores(records.load(path), "CL1")[:, 0, 1]).all()
    with pytest.raises(UnforgetError, match="has no view 'CL2'"):
        records.scores(records.load(path), "CL2")


def test_numbers_that_json_does_not_know_become_null():
    values = torch.tensor([[0.123456789012345, torch.nan], [torch.inf, -torch.inf]], dtype=torch.float64)
    plain = work._plain(values)
    assert plain == [[0.123456789, None], [None, None]]
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert work._plain(torch.tensor([[1, 2]])) == [[1, 2]]


def test_a_file_shows_one_line_per_replica(tmp_path):
    path = tmp_path / "paper.json"
    records.save(path, record(CONFIG, seeds=range(5)))
    one = path.read_text().splitlines()
    records.save(path, record(CONFIG, seeds=(2,), value=0.1))
    two = path.read_text().splitlines()
    assert len([line for line in one if '"seed"' in line]) == 5
    assert len([line for line in two if '"seed"' in line and line not in one]) == 1
