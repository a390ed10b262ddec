"""A little git and DVC repository of its own, for what is thin over the two."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PYTHON = sys.executable


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "tester@example.org")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("{}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / ".gitignore").write_text("/data\n/.thorax\n/artifacts\n")
    for command in (["git", "init", "-q"], [PYTHON, "-m", "dvc", "init", "-q"],
                    ["git", "add", "-A"], ["git", "commit", "-qm", "Begin"]):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def stage(repository: Path) -> Callable[[str], None]:
    """Write a one-stage pipeline `work` that runs the given Python."""

    def write(code: str) -> None:
        (repository / "work.py").write_text(code)
        (repository / "dvc.yaml").write_text(
            f"stages:\n  work:\n    cmd: exec {PYTHON} work.py\n    deps: [work.py]\n"
        )

    return write
