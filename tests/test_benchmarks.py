"""Every benchmark answers at toy sizes; times are not judged here."""

import math
import os
from importlib import import_module

import pytest
import torch
from benchmarks import __main__ as program
from benchmarks import replay, steps
from benchmarks.timing import Setup, fresh, paired

from unforget.errors import UnforgetError
from unforget.experiments import catalogue

TOY = Setup(torch.device("cpu"), repetitions=2, toy=True)
ROWS = {"replicas": 12, "denormals": 1, "regulariser": 2, "fisher": 1, "steps": 14, "replay": 8, "capture": 3, "run": 4, "hrn": 15}


@pytest.mark.parametrize("name", program.NAMES)
def test_a_benchmark_returns_its_rows(name):
    rows = import_module(f"benchmarks.{name}").measure(TOY)
    assert len(rows) == ROWS[name] and all(row.keys() == rows[0].keys() for row in rows)
    ratios = [value for row in rows for key, value in row.items() if " / " in key or key == "gain" if value is not None]
    assert ratios and all(math.isfinite(ratio) and ratio > 0 for ratio in ratios)


@pytest.mark.parametrize(
    ("size", "experiments"),
    [("S", ("split-mnist", "split-mnist-replay")), ("P10", ("permuted-mnist-10", "permuted-mnist-10-replay")), ("S", ("replay-samples",))],
)
def test_the_step_of_every_declared_method_is_measured(size, experiments):
    measured = {method for at, method, *_ in (*steps.CASES, *replay.CASES) if at == size}
    declared = {run.method for name in experiments for run in catalogue.find(name)[1]}
    assert declared <= measured


def test_candidates_take_turns():
    calls = []
    paired({"A": lambda: calls.append("A"), "B": lambda: calls.append("B")}, Setup(repetitions=3, toy=True))
    assert "".join(calls) == "AB" + "ABABAB"


def test_a_fresh_process_is_one():
    assert fresh(os.getpid) != os.getpid()


def test_an_unknown_benchmark_is_refused_with_the_nearest():
    with pytest.raises(UnforgetError, match="did you mean 'fisher'"):
        program.main(["fischer"])


def test_the_help_lists_every_question(capsys):
    with pytest.raises(SystemExit):
        program.main(["--help"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in program.NAMES)


def test_rows_are_chosen_by_words():
    cases = (("S", "hnet", 5), ("S", "hnet, plastic", 5), ("P10", "hnet", 10))
    assert Setup(only=("S", "hnet")).chosen(cases) == [cases[0]]
    assert Setup(only=("plastic",)).chosen(cases) == [cases[1]]
    assert Setup(only=("5",)).chosen(cases) == [*cases[:2]] and Setup().chosen(cases) == [*cases]


def test_only_asks_the_questions_that_have_such_rows(capsys):
    program.main(["--device", "cpu", "--only", "P11"])
    assert capsys.readouterr().out.count("no row with P11") == len(program.MANY)
