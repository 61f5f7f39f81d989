"""One set of versions: pyproject.toml, requirements.lock and environment.yml agree."""

import re
import tomllib
from pathlib import Path

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
    return {name: version for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", LOCK, flags=re.MULTILINE)}


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
