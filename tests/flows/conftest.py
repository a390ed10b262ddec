"""A little git and DVC repository of its own, for what is thin over the two."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PYTHON = sys.executable


def work_in(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Let git, DVC and Thorax take `root` for their checkout, and know a committer."""
    patch.setenv("THORAX_ROOT", str(root))
    patch.setenv("DVC_NO_ANALYTICS", "1")
    patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for key in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{key}_NAME", "A Tester")
        patch.setenv(f"GIT_{key}_EMAIL", "tester@example.org")
    patch.chdir(root)


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; `repository` is a copy, since DVC takes seconds to begin one."""
    root = tmp_path_factory.mktemp("repository")
    (root / "params.yaml").write_text("{}\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / ".gitignore").write_text("/data\n/.thorax\n/artifacts\n")
    with pytest.MonkeyPatch.context() as patch:
        work_in(root, patch)
        for command in (["git", "init", "-q"], [PYTHON, "-m", "dvc", "init", "-q"],
                        ["git", "add", "-A"], ["git", "commit", "-qm", "Begin"]):  # fmt: skip
            subprocess.run(command, check=True, capture_output=True)
    return root


@pytest.fixture
def repository(empty_repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(empty_repository, tmp_path, dirs_exist_ok=True)
    work_in(tmp_path, monkeypatch)
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
