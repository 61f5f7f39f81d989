"""An empty project in a temporary folder, and records made without training."""

from pathlib import Path

import pytest

from unforget.experiments import catalogue, executor
from unforget.results import records


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


def record(config, seeds=(0, 1), value=0.9, checksums=None, scan=None, device="cpu"):
    """A record of two tasks; seed s scores `value` + s/100 everywhere."""
    scan = scan or {}
    return {
        "format": records.FORMAT, "config": config, "tests": [10, 10], "checksums": checksums or {"data": "0"},
        "replicas": [
            {"seed": seed, "scan": {name: values[i] for name, values in scan.items()}, "finite": True, "probes": {},
             "counts": {"target": 10, "trained": 10},
             "scores": {view: [[value + seed / 100, None], [value + seed / 100] * 2] for view in config["views"]}}
            for i, seed in enumerate(seeds)
        ],
        "run": [{
            "replicas": [[seed, *((n, v[i]) for n, v in sorted(scan.items()))] for i, seed in enumerate(seeds)],
            "seconds": {"train": 60.0 * len(seeds), "evaluate": 0.0}, "device": "a processor", "device_type": device,
            "torch": "2", "source": "abc", "commit": "def", "date": "2026-01-01",
        }],
    }  # fmt: skip


def recorded(run="split-mnist/ewc-cl1", profile="paper", **parts) -> Path:
    """Write such a record where it belongs in the current project, with the data checksums of today."""
    experiment, (one,) = catalogue.of(run)
    config = experiment.resolve(one, profile, parts.pop("changes", None))
    path = executor.record_path(config)
    records.save(path, record(config, **parts))
    return path
