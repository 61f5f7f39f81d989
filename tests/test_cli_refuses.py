"""What the command line refuses: one line that names the mistake, exit code 2, nothing damaged."""

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_project import invoke, project, recorded, refused, shown  # noqa: F401

from unforget import records
from unforget.data import images
from unforget.experiments import catalogue, executor, work

SMOKE = ("run", "hnet/toy-regression/hnet", "--set", "iterations=5")


@pytest.fixture(autouse=True)
def one_project(project):  # noqa: F811
    return project


WRONG = {
    "command": (("lst",), "did you mean 'list'"),
    "option": (("missing", "--profil", "paper"), "--profile"),
    "no experiment": (("run",), "missing argument 'id'. as in: unforget run hnet/toy-regression; `unforget list` names"),
    "one run": (("compare", "x"), "missing argument 'run'. as in: unforget compare split-mnist/ewc-cl1 split-mnist/onl"),
    "a paper": (("run", "hrn"), "hrn is a paper; choose one of its experiments: hrn/pairwise-mnist, hrn/fashion-mnist,"),
    "a paper without its own": (("run", "lstm"), "lstm is a paper; choose one of its experiments: hnet/split-mnist,"),
    "a paper to list": (("list", "hrm"), "unknown experiment 'hrm'; did you mean 'hrn'"),
    "experiment": (("run", "hnet/split-mnits"), "experiment 'hnet/split-mnits'; did you mean 'hnet/split-mnist'"),
    "experiment, nothing like it": (("run", "xyz"), "unknown experiment 'xyz'; choose one of: hnet/toy-regression, "),
    "experiment, short": (("run", "split-mnits"), "unknown experiment 'split-mnits'; did you mean 'split-mnist'"),
    "experiment, of a run": (("run", "split-mnits/hnet"), "'split-mnits/hnet'; did you mean 'split-mnist/hnet'"),
    "experiment to list": (("list", "split-mnits"), "did you mean 'split-mnist'"),
    "experiment, missing": (("missing", "split-mnits"), "did you mean 'split-mnist'"),
    "too long a name": (("run", "hnet/split-mnist/hnet/paper"), "unknown experiment 'hnet/split-mnist/hnet/paper'; did"),
    "run, short": (("run", "split-mnist/ewc-cl4"), "unknown run 'ewc-cl4'; did you mean 'ewc-cl"),
    "run": (("run", "hnet/split-mnist/ewc-cl4"), "unknown run 'ewc-cl4'; did you mean 'ewc-cl"),
    "profile": (("run", "hnet/split-mnist", "--profile", "papper"), "did you mean 'paper'"),
    "profile, missing": (("missing", "--profile", "light"), "did you mean 'lite'"),
    "profile, book": (("book", "--profile", "smok"), "did you mean 'smoke'"),
    "device": ((*SMOKE, "--device", "gpu"), "unknown device 'gpu'; choose auto, cpu, cuda"),
    "device of torch's": ((*SMOKE, "--device", "meta"), "unknown device 'meta'; choose auto, cpu, cuda"),
    "number of a CPU": ((*SMOKE, "--device", "cpu:3"), "unknown device 'cpu:3'; did you mean 'cpu'"),
    "no such CUDA device": ((*SMOKE, "--device", "cuda:99"), "cuda:99"),
    "seeds": ((*SMOKE, "--seeds", "a-b"), "cannot read seeds 'a-b'; write them as 0-4"),
    "seeds, open": ((*SMOKE, "--seeds", "3-"), "cannot read seeds '3-'"),
    "seeds, negative": ((*SMOKE, "--seeds", "-3"), "seeds '-3'"),
    "seeds, backwards": ((*SMOKE, "--seeds", "5-3"), "seeds '5-3' are empty"),
    "seeds, twice": ((*SMOKE, "--seeds", "0,0"), "repeat"),
    "seeds, overlapping": ((*SMOKE, "--seeds", "0-4,3"), "repeat"),
    "seeds, too many": ((*SMOKE, "--seeds", "0-999999999999"), "more than"),
    "budget": ((*SMOKE, "--budget", "8"), "cannot read the budget '8'; write it as 90s, 8m or 1h30m"),
    "budget, none": ((*SMOKE, "--budget", "0m"), "budget '0m'"),
    "budget, negative": ((*SMOKE, "--budget", "-8m"), "budget '-8m'"),
    "workers": ((*SMOKE, "--workers", "0"), "--workers must be at least 1"),
    "workers, no number": ((*SMOKE, "--workers", "two"), "invalid value for '--workers'"),
    "workers, book": (("book", "--workers", "0"), "workers must be at least 1"),
    "workers, check": (("check", "--workers", "0"), "--workers must be at least 1"),
    "group": ((*SMOKE, "--group", "-1"), "--group must be at least 1"),
    "accept at paper": (("book", "--profile", "paper", "--accept"), "only outputs of profile smoke"),
    "changed option": ((*SMOKE, "--set", "bta=1"), "unknown option of hnet 'bta'; did you mean 'beta'"),
    "change without value": ((*SMOKE, "--set", "beta"), "cannot read the change 'beta'; write option=value"),
    "change twice": ((*SMOKE, "--set", "iterations=6"), "option iterations is set twice"),
    "changed option like no other": (
        ("run", "split-mnist/ewc-cl1", "--set", "lamda=3"), "'lamda'; choose one of: activation, batch, gamma, "),
    "change of another type": (
        (*SMOKE, "--set", "beta=much"), "option beta of hnet cannot be 'much'; give a number, as in beta=0.1"),
    "change to half an iteration": (
        (*SMOKE[:2], "--set", "iterations=1.5"), "cannot be 1.5; give a whole number, as in iterations=100"),
    "change to maybe": ((*SMOKE, "--set", "look_ahead=maybe"), "look_ahead of hnet cannot be 'maybe'; give true or false"),
    "change to one of many": ((*SMOKE, "--set", "hidden=ten"), "cannot be 'ten'; give numbers, as in hidden=100,100"),
    "change to no number": ((*SMOKE, "--set", "beta=NaN"), "beta of hnet must be a finite number"),
    "negative": ((*SMOKE, "--set", "beta=-1"), "beta of hnet"),
    "nothing to train": ((*SMOKE[:2], "--set", "iterations=0"), "iterations of hnet must be at least 1"),
    "no batch": ((*SMOKE, "--set", "batch=0"), "batch of hnet must be at least 1"),
    "no neurons": ((*SMOKE, "--set", "hidden=10,0"), "hidden of hnet must be at least 1"),
    "half a neuron": ((*SMOKE, "--set", "hidden=10,1.5"), "hidden of hnet takes whole numbers"),
    "activation": ((*SMOKE, "--set", "activation=sigmoyd"), "did you mean 'sigmoid'"),
    "form": ((*SMOKE, "--set", "form=grm"), "did you mean 'gram'"),
    "initial": (("run", "hnet/toy-regression/joint", "--set", "initial=xaver"), "did you mean 'xavier'"),
    "batch larger than the data": (
        ("run", "hnet/split-mnist/ewc-cl1", "--set", "batch=100000"), "a batch of 100000 does not fit"),
    "change that cannot train": (
        ("run", "hnet/split-mnist/hnet", "--set", "smoothing=2"),
        "split-mnist/hnet does not train with smoothing=2: RuntimeError: label_smoothing must be between 0.0 and 1.0"),
    "changes that cannot train": (
        (*SMOKE, "--set", "smoothing=0.1"),
        "toy-regression/hnet does not train with iterations=5, smoothing=0.1: ZeroDivisionError: "),
    "change that no memory holds": (
        (*SMOKE, "--set", "hidden=9000000,9000000", "--seeds", "0"),
        "toy-regression/hnet: a replica does not fit into the memory of cpu"),
    "scheduler": ((*SMOKE, "--scheduler", "nonsense"), "no Dask scheduler answers at 'nonsense'"),
    "scheduler, scheme": ((*SMOKE, "--scheduler", "foo://bar:1"), "no Dask scheduler answers at 'foo://bar:1'"),
    "scheduler and workers": ((*SMOKE, "--scheduler", "tcp://a:1", "--workers", "2"), "leave --workers out"),
    "paper": (("ledger", "--paper", "hnt"), "unknown paper 'hnt'; did you mean 'hnet'"),
    "artifact": (("ledger", "--artifact", "table1"), "unknown artifact 'table1'; did you mean 'table-1'"),
    "artifact of another paper": (
        ("ledger", "--paper", "hrn", "--artifact", "figure-a7a"), "unknown artifact of hrn 'figure-a7a'; "),
    "verdict": (("ledger", "--verdict", "differ"), "unknown verdict 'differ'; did you mean 'differs'"),
    "export to nothing": (("ledger", "--csv", ""), "cannot write .: is a directory"),
    "export to a folder": (("ledger", "--csv", "src"), "cannot write src: is a directory"),
    "results in a file": ((*SMOKE, "--results", "pyproject.toml"), "cannot write to --results pyproject.toml: file exists"),
    "no folder": (("ledger", "--csv", "no/such/folder.csv"), "cannot write no/such/folder.csv: No such file"),
    "compare, run": (("compare", "split-mnist/ewc-cl9", "x"), "did you mean 'ewc-cl"),
    "compare, neither": (("compare", "ewc", "x"), "cannot read the run 'ewc'; write split-mnist/ewc-cl1"),
    "compare, unrecorded": (("compare", "split-mnist/ewc-cl1", "x"), "split-mnist/ewc-cl1 has no record yet"),
    "compare, file": (("compare", "none.json", "x/y.json"), "no record none.json"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_input_gives_one_line_that_names_it_and_exit_code_2(mistake, one_project):
    if mistake.startswith("scheduler") and "and" not in mistake:
        pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    words, message = WRONG[mistake]
    before = sorted(one_project.rglob("*"))
    assert message.lower() in refused(*words).lower()
    assert [path for path in sorted(one_project.rglob("*")) if path.suffix in (".json", ".checkpoint", ".part")] == []
    assert set(before) <= set(one_project.rglob("*"))


def test_no_cuda_names_the_device_to_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "this machine has no CUDA device; use --device cpu" in refused(*SMOKE, "--device", "cuda")


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "--scheduler needs Dask: pip install 'unforget[cluster]'" in refused(*SMOKE, "--scheduler", "tcp://a:1")


def test_a_label_that_is_not_recorded_names_the_nearest():
    recorded("split-mnist/ewc-cl1")
    assert "did you mean 'paper'" in refused("compare", "split-mnist/ewc-cl1/papers", "split-mnist/ewc-cl1")


def test_a_damaged_record_is_named_and_left_by_every_command_that_reads_it():
    path = recorded("split-mnist/ewc-cl1")
    path.write_text(path.read_text().replace("0.91", "0.99", 1))
    before = path.read_bytes()
    for words in (
        ("list",), ("missing",), ("ledger",), ("compare", "split-mnist/ewc-cl1", "split-mnist/ewc-cl1"),
        ("run", "hnet/split-mnist/ewc-cl1", "--profile", "paper"),
    ):  # fmt: skip
        assert re.search(r"ewc-cl1/paper\.json is damaged; restore it", refused(*words)), words
    assert path.read_bytes() == before


def test_a_record_of_another_configuration_counts_for_nothing_and_cannot_be_added_to():
    path = recorded("split-mnist/ewc-cl1", changes={"strength": 3.0}, seeds=range(20))
    path = path.rename(path.with_name("paper.json"))
    assert re.search(r"ewc-cl1 .* 0/20, ", shown("list", "hnet/split-mnist"))
    assert "ewc-cl1 --profile paper\n" in re.sub(" +\n", "\n", shown("missing"))
    line = refused("run", "hnet/split-mnist/ewc-cl1", "--profile", "paper")
    assert re.search(r"ewc-cl1/paper\.json was made with another configuration .*; rename it to custom-\w+\.json", line)


def test_a_damaged_checkpoint_is_named_and_left():
    experiment, run = catalogue.of("toy-regression/hnet")
    [job] = executor.plan(experiment, [run], "smoke", (0,), "cpu", {"iterations": 5})
    job.checkpoints.mkdir(parents=True)
    path = job.checkpoints / f"{job.name}.checkpoint"
    path.write_bytes(b"rubbish")
    assert re.search(r"checkpoint .* is damaged; delete it", refused(*SMOKE, "--seeds", "0"))
    assert path.read_bytes() == b"rubbish"


def test_damaged_data_are_named_and_left(one_project, monkeypatch):
    images.load.cache_clear()
    folder = one_project / "elsewhere" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte.gz").write_bytes(b"rubbish")
    monkeypatch.setenv("UNFORGET_DATA", str(one_project / "elsewhere"))
    words = ("run", "hnet/split-mnist/ewc-cl1", "--profile", "paper", "--seeds", "0")
    assert re.search(r"train-images-idx3-ubyte\.gz is not the published file.*md5", refused(*words))
    assert (folder / "train-images-idx3-ubyte.gz").read_bytes() == b"rubbish"
    monkeypatch.setenv("UNFORGET_DATA", str(one_project / "nowhere"))
    assert "UNFORGET_DATA is" in refused(*words)


def test_a_full_disk_is_named_and_the_record_left(monkeypatch):
    shown(*SMOKE, "--seeds", "0")
    [path] = records.results_folder().glob("**/*.json")
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = invoke(*SMOKE, "--seeds", "0-1")
    last = result.stderr.strip().splitlines()[-1]
    assert result.exit_code == 2 and last.startswith("error: cannot write") and "No space left on device" in last
    assert path.read_bytes() == before and not list(Path.cwd().rglob("*.part"))
    assert "1 of 2 replicas already recorded" in shown(*SMOKE, "--seeds", "0-1")


def test_a_full_disk_leaves_an_exported_file_as_it_was(monkeypatch):
    Path("out.csv").write_text("old")

    def full(self, *anything, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert "cannot write out.csv: No space left on device" in refused("ledger", "--csv", "out.csv")
    assert Path("out.csv").read_text() == "old" and not list(Path.cwd().glob("*.part"))


def test_files_to_export_to_are_tried_before_anything_is_printed():
    result = invoke("ledger", "--csv", "out.csv", "--latex", "no/out.tex")
    assert result.exit_code == 2 and not result.stdout and not Path("out.csv").exists()


def test_a_short_name_of_two_papers_is_ambiguous(monkeypatch):
    split = catalogue.experiment("hnet/split-mnist")
    monkeypatch.setitem(catalogue.EXPERIMENTS, "lstm/split-mnist", replace(split, id="lstm/split-mnist"))
    assert "choose one of: hnet/split-mnist, lstm/split-mnist" in refused("run", "split-mnist/hnet")
    assert catalogue.find("hnet/split-mnist")[0] is split


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    def broken(*anything, **more):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(executor, "plan", broken)
    result = invoke(*SMOKE)
    assert isinstance(result.exception, ZeroDivisionError) and result.exit_code == 1


def test_a_change_that_fails_in_a_worker_or_after_a_while_is_named(one_project):
    """It trains a task before it fails, so that progress has been shown."""
    result = invoke(*SMOKE, "--set", "importance=fisher", "--seeds", "0-1", "--group", 1, "--workers", 2)
    told = "error: toy-regression/hnet does not train with iterations=5, importance=fisher: RuntimeError: "
    assert result.exit_code == 2 and result.stderr.splitlines()[-1].startswith(told), result.stderr
    assert not [path for path in one_project.rglob("*") if path.suffix in (".json", ".checkpoint", ".part")]


def test_without_a_change_an_error_in_training_keeps_its_traceback(monkeypatch):
    def broken(*anything, **more):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(work, "train", broken)
    result = invoke(*SMOKE[:2])
    assert isinstance(result.exception, ZeroDivisionError) and result.exit_code == 1


def test_a_group_that_does_not_fit_is_told_to_be_smaller(monkeypatch):
    def full(*anything, **more):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(work, "train", full)
    line = "4 replicas do not fit into the memory of cpu; train fewer together, as in --group 2"
    assert line in refused(*SMOKE[:2], "--seeds", "0-3", "--group", 4)
