"""An empty project in a temporary folder, records made without training, and the command line in this process."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from unforget import records
from unforget.cli import app
from unforget.experiments import catalogue, executor


def make_project(folder: Path) -> Path:
    """Make a folder look like a clone."""
    (folder / "src" / "unforget").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    return folder


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """The working folder is a project without records; real data sets are not to be had."""
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNFORGET_DATA", raising=False)
    return tmp_path


COUNTS = dict.fromkeys(("target", "trained", "theta", "task embeddings"), 10)


def record(config, seeds=(0, 1), value=0.9, checksums=None, scan=None, device="cpu", tasks=2):
    """A record in which seed s scores `value` + s/100 everywhere."""
    scan = scan or {}

    def scores(seed):
        return [[value + seed / 100 if on <= after else None for on in range(tasks)] for after in range(tasks)]

    return {
        "format": records.FORMAT, "config": config, "tests": [10] * tasks, "checksums": checksums or {"data": "0"},
        "replicas": [
            {"seed": seed, "scan": {name: values[i] for name, values in scan.items()}, "finite": True, "probes": {},
             "counts": COUNTS, "scores": {view: scores(seed) for view in config["views"]}}
            for i, seed in enumerate(seeds)
        ],
        "run": [{
            "replicas": [[seed, *((n, v[i]) for n, v in sorted(scan.items()))] for i, seed in enumerate(seeds)],
            "seconds": {"train": 60.0 * len(seeds), "evaluate": 0.0}, "device": "a processor", "device_type": device,
            "torch": "2", "peak_memory_mib": 1, "source": "abc", "commit": "def", "date": "2026-01-01",
        }],
    }  # fmt: skip


def recorded(run="split-mnist/ewc-cl1", profile="paper", **parts) -> Path:
    """Write such a record where it belongs in the current project, with the data checksums of today."""
    experiment, one = catalogue.of(run)
    config = experiment.resolve(one, profile, parts.pop("changes", None))
    path = executor.record_path(config)
    records.save(path, record(config, **parts))
    return path


def invoke(*words):
    """Run `unforget` with these words."""
    return CliRunner().invoke(app, [str(word) for word in words])


def shown(*words):
    """Standard output of a command that must succeed."""
    result = invoke(*words)
    assert result.exit_code == 0, (result.stderr, result.exception)
    return result.stdout


def refused(*words):
    """The one line on stderr of a command that must exit with 2."""
    result = invoke(*words)
    assert result.exit_code == 2, (result.stdout, result.stderr, result.exception)
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr.strip()
