"""One set of versions: pyproject.toml, requirements.lock and environment.yml agree."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()


def direct():
    """Name -> version of every direct dependency, extras included."""
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return dict(requirement.lower().split("==") for group in lists for requirement in group)


def locked():
    """Name -> version and markers of every line of the lock."""
    return {
        name: version for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", LOCK, flags=re.MULTILINE)
    }


def test_the_lock_holds_every_direct_dependency_at_its_version():
    assert {name: locked().get(name) for name in direct()} == direct()


def test_the_lock_names_no_address_and_hashes_everything():
    assert not re.search(r"https?:|file:|git\+|--(extra-)?index-url|--find-links|\.whl", LOCK)
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) == len(re.findall(r"^[a-z0-9._-]+==", LOCK, flags=re.MULTILINE))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_lock_holds_what_the_editable_installation_builds_with():
    """`make` installs the package without build isolation, so that nothing outside the lock is fetched."""
    minimum = int(re.search(r"setuptools>=(\d+)", (ROOT / "pyproject.toml").read_text())[1])
    assert int(locked()["setuptools"].split(".")[0]) >= minimum


def test_conda_users_get_the_same_versions():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    [pip] = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    assert dict(requirement.lower().split("==") for requirement in pip) == direct()
    [python] = [entry for entry in dependencies if isinstance(entry, str) and entry.startswith("python")]
    assert python == f"python{PROJECT['requires-python']}"


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize(("tests", "book"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_make_test_runs_both_halves_and_fails_if_either_does(tmp_path, tests, book):
    """The recipe itself, with an interpreter that only notes what it was asked to run."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "complete").touch()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> asked\n[ "$2" = pytest ] && exit {tests}\nexit {book}\n')
    python.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "-C", tmp_path, "test", f"RUN={python}", "STAMP=complete"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode != 0) == bool(tests or book), done.stderr
    assert (tmp_path / "asked").read_text().splitlines() == [
        "-m pytest",
        "-m unforget check --workers 2",
    ]
