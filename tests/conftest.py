"""What holds for every test."""

from pathlib import Path

import pytest

from unforget.data.files import project_root
from unforget.results import paper

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def no_committed_causes(monkeypatch, tmp_path_factory):
    """Tests invent records, which the committed causes know nothing of. `unforget check` holds causes against real ones."""
    load, nowhere = paper.load_causes, tmp_path_factory.mktemp("no-causes")

    def load_uncommitted(folder=None):
        return load(nowhere if folder is None and project_root() == ROOT else folder)

    monkeypatch.setattr(paper, "load_causes", load_uncommitted)
