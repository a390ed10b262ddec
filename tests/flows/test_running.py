"""Who changes data or results waits for a running retraining by name; who looks says what runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from thorax import environment
from thorax.locks import hold

REPOSITORY = Path(__file__).parents[2]
COMMANDS = [
    ["data", "push"],
    ["data", "checkout", "HEAD"],
    ["data", "commit", "-m", "more"],
    ["data", "tag", "mine"],
    ["validate"],
    ["noise"],
    ["forget", "7", "--yes"],
    ["pull"],
    ["retrain"],
]


@pytest.fixture(scope="module")
def checkout(empty_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the real settings and stages, and just enough data for a command to begin."""
    root = tmp_path_factory.mktemp("running") / "checkout"
    shutil.copytree(empty_repository, root)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, root / name)
    (root / "data").mkdir()
    (root / "data/source.json").write_text('{"source": "phantom"}\n')
    return root


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: "-".join(arguments[:2]))
def test_a_command_waits_for_the_retraining_and_names_it(
    arguments: list[str], checkout: Path
) -> None:
    before = sorted(path for path in checkout.rglob("*") if ".thorax" not in path.parts)
    with (
        hold(checkout / ".thorax/retraining.lock", "retraining"),
        subprocess.Popen(
            [sys.executable, "-m", "thorax.cli.app", *arguments],
            env=environment.variables(checkout), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=checkout,
        ) as process,
    ):  # fmt: skip
        assert process.stdout
        printed = []
        for line in process.stdout:
            printed.append(line)
            if "waiting" in line:
                break
        alive = process.poll() is None
        process.kill()
    assert alive, "".join(printed)
    assert f"waiting for retraining (process {os.getpid()}, since " in printed[-1]
    after = sorted(path for path in checkout.rglob("*") if ".thorax" not in path.parts)
    assert after == before


def test_status_says_what_runs_and_does_not_wait(checkout: Path) -> None:
    with hold(checkout / ".thorax/retraining.lock", "retraining"):
        answer = subprocess.run(
            [sys.executable, "-m", "thorax.cli.app", "status"],
            env=environment.variables(checkout), cwd=checkout, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert f"retraining (process {os.getpid()}, since" in " ".join(answer.stdout.split())
