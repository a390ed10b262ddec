"""What stands on every page and figure of where it comes from."""

import json
from pathlib import Path

import pytest

from thorax import artifacts, origin
from thorax.origin import Origin


@pytest.fixture
def root(tmp_path: Path) -> Path:
    artifacts.write_json(tmp_path / "data/source.json", {"source": "phantom"})
    (tmp_path / "data.dvc").write_text("outs: [{md5: 0123456789abcdef.dir, path: data}]\n")
    artifacts.write_json(tmp_path / "predictor/predictor.json", {"model_sha256": "f" * 64})
    lines = [
        {"time": "2026-11-01T10:00:00+00:00", "source": "phantom", "changed": True},
        {"time": "2026-11-02T10:00:00+00:00", "source": "nih", "changed": True},
        {"time": "2026-11-03T10:00:00+00:00", "source": "phantom", "changed": False},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n{cut"
    artifacts.write_text(tmp_path / ".thorax/pulls.jsonl", text)
    return tmp_path


def test_data_version_day_and_model_are_read_and_phantoms_are_called_so(root: Path) -> None:
    found = origin.read(root, predictor=root / "predictor")
    assert found == Origin("phantom", "0123456789ab", "2026-11-01", "f" * 12)
    assert found.line == (
        "phantom data: drawn by a program, not radiographs · data version 0123456789ab of "
        "2026-11-01 · model ffffffffffff"
    )


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    assert origin.read(tmp_path).line == ""
    assert Origin(source="folder", day="2026-12-01").line == "folder · 2026-12-01"
