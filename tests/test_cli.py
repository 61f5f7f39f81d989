"""The command line: what it shows, and that it does without the notebook tools."""

import csv
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from small_project import invoke, project, recorded, shown  # noqa: F401

import unforget
from unforget import records
from unforget.cli import app, words
from unforget.cli.run import seconds
from unforget.data import images, toy
from unforget.errors import UnforgetError
from unforget.experiments import catalogue, changes, executor, status
from unforget.experiments.spec import seed_range, seed_text
from unforget.results.paper import PAPERS

SOURCE = Path(__file__).parents[1] / "src"
SMOKE = ("run", "hnet/toy-regression/hnet", "--set", "iterations=5")


@pytest.fixture(autouse=True)
def one_project(project, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COLUMNS", "200")
    return project


# --- what it shows ----------------------------------------------------------------------------------------------------


def test_list_shows_recorded_of_declared_and_cost_per_profile():
    toy, split = catalogue.experiment("hnet/toy-regression"), catalogue.experiment("hnet/split-mnist")
    recorded("split-mnist/ewc-cl1", seeds=range(3))
    recorded("toy-regression/hnet", "smoke")
    said = shown("list").splitlines()
    lines = {line.split()[0]: line for line in said if line.startswith(tuple(f"{paper}/" for paper in PAPERS))}
    assert set(lines) == set(catalogue.EXPERIMENTS)
    assert f"2/{2 * len(toy.runs)}, " in lines[toy.id] and all(len(line) <= 80 for line in lines.values())
    below = {line.split()[0]: after.strip() for line, after in pairwise(said) if line in lines.values()}
    assert below == {id: experiment.regenerates for id, experiment in catalogue.EXPERIMENTS.items()}
    assert all(len(line) <= 110 for line in said)
    assert f" 0/{2 * len(split.runs)}, seconds " in lines[split.id]  # at smoke, where nobody measured
    # five seeds at lite are the first five of twenty at paper: the same record serves both
    assert f" 3/{5 * len(split.runs)}, " in lines[split.id] and f" 3/{20 * len(split.runs)}, " in lines[split.id]
    runs = shown("list", "hnet/split-mnist")
    assert all(re.search(rf"^{run.name} .*{re.escape(run.title)}", runs, re.MULTILINE) for run in split.runs)
    # recorded: a minute each; at smoke data and network are smaller, and what was measured says nothing about them
    assert re.search(r"^ewc-cl1 +0/2, seconds +3/5, 5 min +3/20, 20 min ", runs, re.MULTILINE)
    assert split.regenerates in runs


def test_a_paper_and_a_name_without_its_paper_are_understood():
    names = [line.split()[0] for line in shown("list", "hrn").splitlines() if line.startswith(("hnet/", "hrn/"))]
    assert names == [id for id in catalogue.EXPERIMENTS if id.startswith("hrn/")]
    assert "hnet/split-mnist " in shown("list", "lstm")  # it has rows of runs that another paper declares
    assert shown("list", "split-mnist") == shown("list", "hnet/split-mnist")
    out = shown("run", "toy-regression/joint", "--set", "iterations=5")
    assert "hnet/toy-regression/joint, profile smoke: 2 replicas in 1 group\n" in out
    assert "\nhnet/toy-regression/joint  regression  " in out
    commands = [line for line in shown("missing", "split-mnist/ewc-cl1").splitlines() if "unforget run" in line]
    assert len(commands) == 1 and commands[0].rstrip().endswith("unforget run hnet/split-mnist/ewc-cl1 --profile paper")


def test_what_is_piped_is_as_wide_as_it_needs(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    recorded("split-mnist/online-ewc-cl1", seeds=range(20))
    assert re.search(r"^ S-CL1 +EWC +99\.\d.* split-mnist/online-ewc-cl1 *$", shown("ledger"), re.MULTILINE)
    assert re.search(r"^hnet +0/2, .* HNET\+ENT, CL1 and CL3 *$", shown("list", "split-mnist"), re.MULTILINE)
    recorded("split-mnist/ewc-cl1", seeds=range(20))
    compared = shown("compare", "split-mnist/ewc-cl1", "split-mnist/online-ewc-cl1")
    assert re.search(r"^ +split-mnist/ewc-cl1/paper +split-mnist/online-ewc-cl1/paper +difference *$", compared, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "profile", "share"),
    [
        ("hnet/toy-regression/hnet", "smoke", 1 / 5),  # a fifth of the iterations
        ("hnet/split-mnist/hnet", "smoke", None),  # other data
        ("hrn/pairwise-mnist/hrn", "lite", 1 / 5),  # one epoch of five: one number for all tasks, or one a task
        ("hrn/cifar100/vc", "lite", 2 / 15),
        ("hrn/cifar100/ell", "lite", None),  # fewer codes
    ],
)
def test_cost_is_in_proportion_only_where_nothing_but_the_length_differs(name, profile, share):
    experiment, (run,) = catalogue.find(name)
    minutes = experiment.minutes_of(run.name)
    found = status.replica_minutes(experiment, run, profile)
    assert found is None if share is None else found == pytest.approx(share * minutes)
    recorded(name.partition("/")[2], seeds=range(3))  # a minute each
    found = status.replica_minutes(experiment, run, profile)
    assert found is None if share is None else found == pytest.approx(share)
    recorded(name.partition("/")[2], profile)
    assert status.replica_minutes(experiment, run, profile) == pytest.approx(1)


def test_missing_is_cheapest_first_and_its_commands_are_right():
    recorded("split-mnist/hnet", seeds=range(20))
    recorded("split-mnist/hnet-cl2", seeds=(0, 1, 7), device="cuda")
    out = shown("missing", "--profile", "paper")
    lines = [line for line in out.splitlines() if "unforget run" in line]
    found = status.missing(catalogue.EXPERIMENTS.values(), "paper")
    assert [line[line.index("unforget") :].strip() for line in lines] == [one.command for one in found]
    costs = [one.missing_minutes for one in found]
    assert costs == sorted(costs) and len(set(costs)) > 2
    assert not any("split-mnist/hnet --" in line for line in lines)
    [half] = [line for line in lines if "split-mnist/hnet-cl2" in line]
    assert "17 of 20" in half and "--seeds 2-6,8-19" in half and re.search(r"^\d+ min +3 min", half)
    assert all("not measured" in line for line in lines if line is not half)
    assert "GPU" in out and "GPU" not in shown("missing", "hrn") and "not measured" not in shown("missing", "hrn")
    assert "replicas of" in out.splitlines()[-1]


def test_missing_says_when_nothing_is():
    for experiment in catalogue.EXPERIMENTS.values():
        for run in experiment.runs:
            recorded(f"{experiment.id.partition('/')[2]}/{run.name}", "smoke")
    assert shown("missing", "--profile", "smoke") == "profile smoke: everything is recorded\n"


def test_run_trains_records_and_says_what_came_out():
    out = shown(*SMOKE, "--seeds", "0-2")
    [path] = records.results_folder().glob("toy-regression/hnet/custom-*.json")
    assert f"recorded {path.relative_to(Path.cwd())}" in out
    final = [replica["scores"]["regression"][-1] for replica in records.load(path)["replicas"]]
    values = torch.tensor(final, dtype=torch.float64).mean(1)
    error = values.std() / 3**0.5
    assert f"regression  {values.mean():#.3g} ± {error:#.3g} MSE  (3 seeds)" in out
    assert out.endswith("± is the standard error over seeds\n")
    again = shown(*SMOKE, "--seeds", "0-2")
    assert "3 of 3 replicas already recorded and skipped" in again and "recorded data" not in again


def test_a_trial_can_go_to_another_folder():
    out = shown(*SMOKE, "--seeds", "0", "--results", "a/trial")
    [path] = Path("a/trial").glob("**/*.json")
    assert f"recorded {path}\n" in out and "1 replica in 1 group\n" in out and not records.results_folder().exists()
    assert "1 of 1 replica already recorded" in shown(*SMOKE, "--seeds", "0", "--results", "a/trial")
    stopped = shown(*SMOKE, "--seeds", "1", "--results", "a/trial", "--budget", "0.0001s")
    assert "0 of 1 replica recorded\n" in stopped and " --results a/trial" in stopped.splitlines()[-1]


def test_a_strength_may_be_zero_and_a_whole_number():
    experiment, run = catalogue.of("toy-regression/hnet")
    assert experiment.resolve(run, "smoke", {"beta": 0})["options"]["beta"] == 0.0
    assert experiment.resolve(run, "smoke", {"beta": 1}) == experiment.resolve(run, "smoke", {"beta": 1.0})


def test_changed_options_make_a_custom_run_unless_they_change_nothing():
    shown("run", "hnet/toy-regression/joint", "--seeds", "0", "--set", "iterations=5", "--set", "hidden=4,3")
    [path] = records.results_folder().glob("**/*.json")
    assert path.name.startswith("custom-")
    options = records.load(path)["config"]["options"]
    assert options["hidden"] == [4, 3] and options["iterations"] == 5
    experiment, run = catalogue.of("toy-regression/hnet")
    [job] = executor.plan(experiment, [run], "paper", (0,), "cpu", {"beta": 0.005})
    assert catalogue.label(job.config) == "paper"


def test_scanned_values_are_counted_costed_and_shown_apart(monkeypatch):
    toy = catalogue.experiment("hnet/toy-regression")
    run = replace(toy.run("joint"), scan={"lr": (0.01, 0.1)})
    monkeypatch.setitem(catalogue.EXPERIMENTS, toy.id, replace(toy, runs=(run,)))
    words = ("run", "hnet/toy-regression/joint", "--seeds", "0-1", "--set", "iterations=5")
    out = shown(*words)
    assert "4 replicas in" in out
    assert re.search(r"regression, lr=0\.01  \S+ ± \S+ MSE  \(2 seeds\)\n.*regression, lr=0\.1  ", out)
    assert "4 of 4 replicas already recorded and skipped" in shown(*words)
    one = status.status(catalogue.experiment(toy.id), run, "smoke")
    assert one.cpu_minutes == pytest.approx(2 * status.replica_minutes(toy, run, "smoke"))
    [path] = records.results_folder().glob("**/*.json")
    same = shown("compare", path, path)
    assert "regression, final, lr=0.01" in same and "regression, 4 common replicas" in same and "equal" in same
    recorded("toy-regression/joint", "smoke", tasks=3, seeds=(0, 0, 1), scan={"lr": (0.01, 0.1, 0.1)})
    assert status.status(catalogue.experiment(toy.id), run, "smoke").recorded == (0,)  # seed 1 lacks one of its values


def test_a_replica_that_diverged_is_named(monkeypatch):
    result = invoke("run", "hnet/toy-regression/joint", "--seeds", "0-1", "--set", "iterations=30", "--set", "lr=1e38")
    assert result.exit_code == 0 and "warning: seed 0 of hnet/toy-regression/joint diverged" in result.stderr
    [path] = records.results_folder().glob("**/*.json")
    assert "NaN" not in path.read_text() and "Infinity" not in path.read_text()


def test_compare_shows_what_differs():
    one = recorded("split-mnist/ewc-cl1", seeds=range(4))
    recorded("split-mnist/ewc-cl1", "smoke", seeds=range(4), value=0.5)
    recorded("split-mnist/ewc-cl1", changes={"strength": 3.0}, seeds=range(2, 6), value=0.8)
    [custom] = one.parent.glob("custom-*.json")
    out = shown("compare", "split-mnist/ewc-cl1", f"split-mnist/ewc-cl1/{custom.stem}")
    # 100 * standard error of four consecutive hundredths, and of the difference 0.90..0.93 against 0.82..0.85 with both errors
    assert re.search(r"options\.strength +1e7 +3 ", out)
    assert re.search(r"CL1, final +91\.50 ± 0\.65 %  \(4 seeds\) +83\.50 ± 0\.65 %  \(4 seeds\) +-8\.00, -8\.8 SE", out)
    assert "± is the standard error over seeds" in out
    assert re.search(r"CL1, 2 common replicas +at most 10\.00 apart", out)
    assert re.search(r"seeds +0-3 +2-5", out) and "source hash" in out and "minutes per replica" in out
    for name in ("split-mnist/ewc-cl1", "hnet/split-mnist/ewc-cl1/paper", "split-mnist/ewc-cl1/lite", str(one)):
        same = shown("compare", "split-mnist/ewc-cl1/paper", name)
        assert "both are one record: profiles lite and paper declare the same run" in same and "CL1, 4 common replicas" in same and "equal" in same
    smoke = shown("compare", "split-mnist/ewc-cl1", "split-mnist/ewc-cl1", "--profile", "smoke")
    assert "51.50" in smoke and "91.50" not in smoke
    other = shown("compare", "split-mnist/ewc-cl1/smoke", "split-mnist/ewc-cl1/paper")
    assert re.search(r"stream\.image_set +digits +mnist", other)


def test_ledger_shows_the_verdicts_and_exports_them():
    recorded("split-mnist/si-cl1", seeds=range(20), value=0.2)
    out = shown("ledger", "--paper", "hnet", "--csv", "out.csv", "--latex", "out.tex")
    assert "hnet table-1" in out and "lstm table-1" not in out
    assert re.search(r"S-CL1 .*SI .* differs", out) and "hnet table-1, S-CL1, SI: unexplained; tried: " in out
    with open("out.csv") as file:
        rows = [row for row in csv.DictReader(file) if (row["row"], row["column"]) == ("S-CL1", "SI")]
    assert [(row["paper"], row["verdict"], row["n"]) for row in rows] == [("hnet", "differs", "20")]
    assert r"\begin{longtable}" in Path("out.tex").read_text()
    assert re.search(r"\d+ not run", out.splitlines()[-4])
    assert re.search(r"HAT .* not built yet", out)  # no run is declared for it
    assert out.splitlines()[-3].startswith("± of ours is the standard error")
    some = shown("ledger", "--artifact", "table-1", "--verdict", "differs", "--paper", "hnet", "--csv", "some.csv")
    assert re.search(r"S-CL1 .*SI .* differs \(quoted\) +split-mnist/si-cl1", some) and "table-2" not in some
    with open("some.csv") as file:
        assert {(row["artifact"], row["verdict"]) for row in csv.DictReader(file)} == {("table-1", "differs")}
    assert shown("ledger", "--paper", "hnet", "--verdict", "ours") == "no printed number of hnet, ours\n"


def test_check_finds_nothing_wrong_with_sound_records():
    recorded("split-mnist/si-cl1", seeds=range(3), checksums=images_of("mnist"))
    recorded("toy-regression/hnet", "smoke", tasks=3, checksums=toy.toy_regression().checksums)
    recorded("toy-regression/hnet", changes={"beta": 1.0}, tasks=3, checksums=toy.toy_regression().checksums)
    assert re.fullmatch(r"3 records, \d+ printed numbers, \d+ causes: all sound\n", shown("check", "--no-book"))


def images_of(name):
    return dict(images.describe(name).source.checksums)


def with_config(path, **options):
    """Rewrite a record as one of another configuration under the same name."""
    record = records.load(path)
    record["config"]["options"] |= options
    path.unlink()
    records.save(path, record)


def misplace(path):
    (path.parents[1] / "si-cl2").mkdir()
    path.rename(path.parents[1] / "si-cl2" / path.name)


def rewrite(change):
    def damage(path):
        record = records.load(path)
        change(record)
        path.write_text(records._layout(record | {"checksum": records._checksum(record)}))

    return damage


def called(name):
    return lambda path: path.rename(path.with_name(name))


FAULTS = {
    "damaged": (lambda path: path.write_text(path.read_text()[:-9]), r"paper\.json is damaged"),
    "renamed": (called("lite.json"), r"lite\.json lies in the wrong place; move it to .*paper\.json"),
    "called smoke": (called("smoke.json"), r"smoke\.json no longer has the configuration declared for smoke"),
    "another configuration": (lambda path: with_config(path, c=3.0), "no longer has the .* declared for paper; .*custom-"),
    "in another run's folder": (misplace, r"lies in the wrong place; move it to split-mnist/si-cl1/paper\.json"),
    "of no run": (rewrite(lambda r: r["config"].update(run="split-mnist/sl-cl1")), "did you mean 'si-cl1'"),
    "a replica twice": (rewrite(lambda r: r["replicas"].append(r["replicas"][-1])), "twice or out of order"),
    "no run block": (rewrite(lambda r: r["run"].clear()), "run blocks do not name"),
    "scores cut short": (rewrite(lambda r: r["replicas"][0]["scores"]["CL1"].pop()), "scores of different shapes"),
    "other data": (rewrite(lambda r: r["checksums"].update(x_train="0")), "other data than x_train"),
    "no replica": (rewrite(lambda r: (r["replicas"].clear(), r["run"].clear())), "no replica"),
    "left over": (lambda path: path.with_suffix(".7.part").touch(), "left over from an interrupted write"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_check_names_what_is_wrong_with_a_record_and_exits_with_1(fault):
    spoil, message = FAULTS[fault]
    spoil(recorded("split-mnist/si-cl1", seeds=range(3), checksums=images_of("mnist")))
    result = invoke("check", "--no-book")
    assert result.exit_code == 1 and re.search(message, result.stdout), result.stdout
    assert re.search(r"^(1 problem|2 problems)$", result.stdout, re.MULTILINE)


def test_check_names_a_bad_row_and_a_cause_without_its_run(one_project, monkeypatch):
    import shutil

    from unforget.results import paper

    shutil.copytree(paper.FOLDER, one_project / "paper")
    monkeypatch.setattr(paper, "FOLDER", one_project / "paper")
    causes = one_project / "data" / "paper" / "causes.csv"
    causes.parent.mkdir(parents=True)
    causes.write_text(",".join(paper.CAUSE_COLUMNS) + "\nhnet,table-1,S-CL1,SI,luck,toy-regression/none,\n")
    result = invoke("check", "--no-book")
    assert result.exit_code == 1 and "names the run 'toy-regression/none', of which there is no record" in result.stdout
    file = one_project / "paper" / "hnet.csv"
    file.write_text(file.read_text().replace("hnet,table-1", "hmet,table-1", 1))
    result = invoke("check", "--no-book")
    assert result.exit_code == 1 and re.search(r"hnet\.csv line \d+: paper is 'hmet'", result.stdout)


def test_check_and_book_hand_the_books_problems_on(monkeypatch):
    build = pytest.importorskip("unforget.book.build", reason="the notebook tools are not installed")
    calls = []

    def fake(*words, **options):
        calls.append((words, options))
        return build.Report("paper", problems=["stale: a cell"], missing=options.get("missing", ()))

    monkeypatch.setattr(build, "build", fake)
    monkeypatch.setattr(build, "check", fake)
    result = invoke("check", "--workers", 1)
    assert result.exit_code == 1 and "stale: a cell" in result.stdout and "\n1 problem\n" in result.stdout
    result = invoke("book", "--profile", "paper", "--workers", 3)
    assert result.exit_code == 1 and "stale: a cell" in result.stdout
    words, options = calls[-1]
    assert words == ("paper", False, 3) and options["accept"] is False
    assert len(options["missing"]) == sum(len(e.runs) for e in catalogue.EXPERIMENTS.values())
    assert "unforget run hnet/toy-regression/joint --profile paper  (" in result.stdout
    invoke("book", "--profile", "paper", "--compute")
    assert calls[-1] == (("paper", True, 2), {"accept": False, "missing": []})


# --- help -------------------------------------------------------------------------------------------------------------

COMMANDS = ("list", "missing", "run", "ledger", "compare", "check", "book")


def test_version():
    assert shown("--version") == f"unforget {unforget.__version__}\n"


def test_help_names_every_command_and_bare_unforget_shows_it():
    out = shown("--help")
    assert all(re.search(rf"│ {command} ", out) for command in COMMANDS)
    assert shown() == out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples_that_the_command_line_understands(command):
    """Every example line is parsed by its command, up to the point where it would do something."""
    import shlex

    from typer.main import get_command

    text = shown(command, "--help")
    assert "[[" not in text  # brackets of an argument that may be left out are added to its name
    examples = re.findall(rf"^ *unforget {command}\b.*", text, re.MULTILINE)
    assert examples and ("Example" in text)
    group = get_command(app)
    for example in examples:
        words = shlex.split(re.split(r"\s{3,}", example.strip())[0])[2:]
        group.commands[command].make_context(command, words)


# --- what is read from text -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90), ("8m", 480), ("1h30m", 5400), ("2h", 7200), ("0.5h", 1800), ("1h1m1s", 3661)],
)
def test_budgets(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "m", "8 m", "8min", "1m1h", "s", "1e3s", "٣m"])
def test_budgets_that_cannot_be_read(text):
    with pytest.raises(UnforgetError, match="cannot read the budget"):
        seconds(text)


@pytest.mark.parametrize("text", ["0", "0-19", "0-4,7", "3,5-6,9"])
def test_seeds_and_back(text):
    assert seed_text(reversed(seed_range(text))) == text


def test_seeds_as_ranges_of_a_page():
    assert [seed_text(s, "–", ", ") for s in ({3}, {0, 1, 2}, {7, 0, 1, 4})] == ["3", "0–2", "0–1, 4, 7"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e7, "1e7"), (3.0, "3"), (0.1, "0.1"), (1e-5, "1e-5"), (0.123456789, "0.123456789"), (12345678.5, "12345678.5"),
     (7, "7"), (None, "None"), ([100, 100], "[100, 100]"), (1e10, "1e10")],
)  # fmt: skip
def test_options_are_printed_as_one_would_write_them(value, text):
    assert words.plain(value) == text


def test_changes_are_read_as_what_they_look_like():
    read = changes.read(["a=1", "b=0.5", "c=1e-3", "d=10,20", "e=[3]", "f=true", "g=None", "h=gram", "i = 2"])
    assert read == {"a": 1, "b": 0.5, "c": 1e-3, "d": [10, 20], "e": [3], "f": True, "g": None, "h": "gram", "i": 2}
    assert changes.read(changes.written(read).split(", ")) == read


# --- without the notebook tools ---------------------------------------------------------------------------------------

WITHOUT = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"papermill", "nbformat", "nbclient", "nbval", "jupyter_book", "sphinx", "IPython",
                                      "ipykernel", "bs4", "yaml"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
from typer.testing import CliRunner
from unforget.cli import app
for words in (["list"], ["run", "hnet/split-mnist/finetune-cl1", "--set", "iterations=2"], ["check", "--no-book"],
              ["ledger"], ["book"], ["check"]):
    result = CliRunner().invoke(app, words)
    print(words[0], result.exit_code, result.stderr.strip().splitlines()[-1:], flush=True)
"""


def test_all_but_the_book_runs_without_the_notebook_tools():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [[n, "0"] for n in ("list", "run", "check", "ledger")], done
    for line in lines[4:]:
        assert re.match(r"(book|check) 2 .*which is not installed: pip install 'unforget\[book\]'", line), done
    assert len(lines) == 6


def test_python_m_unforget_is_the_command_and_answers_help_without_torch():
    """Help must not wait for torch."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "unforget", "--help"], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    assert done.returncode == 0 and "Usage: unforget" in done.stdout
    assert not re.search(r"\| +(torch|pandas|numpy)$", done.stderr, re.MULTILINE)
    wrong = subprocess.run(
        [sys.executable, "-m", "unforget", "lits"], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: ") and wrong.stderr.count("\n") == 1
