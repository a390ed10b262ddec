"""`thorax doctor` says what is wrong with a checkout, and never fails itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proxies import refusing_proxy
from thorax import keys
from thorax.locks import hold

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/config").write_text("")
    for name in ("params.yaml", "dvc.yaml"):
        (root / name).write_bytes((REPOSITORY / name).read_bytes())
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def doctor(root: Path, **variables: str) -> str:
    ours = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    ours |= {"THORAX_ROOT": str(root), "PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}"}
    answer = subprocess.run(
        [sys.executable, "-m", "thorax.cli.app", "doctor"],
        env={**ours, "COLUMNS": "400", **variables},
        cwd=root, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr
    return answer.stdout


def row(screen: str, what: str) -> str:
    lines = [" ".join(line.split()) for line in screen.splitlines()]
    (line,) = [line for line in lines if re.match(f"(ok|note|lacking) {what} ", line)]
    return line


def test_it_shows_proxies_servers_runs_repairs_and_locks(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "dvc.lock").write_text("schema: '2.0'\nstages:\n  cut")
    (checkout / ".git/index.lock").touch()
    monkeypatch.setenv("THORAX_ROOT", str(checkout))
    key = keys.private_key_path()
    key.parent.mkdir(parents=True)
    key.touch(0o644)
    with refusing_proxy() as proxy, hold(checkout / ".thorax/retraining.lock", "retraining"):
        screen = doctor(checkout, **proxy.variables(), PREFECT_API_URL=f"{proxy.url}/api")
        assert proxy.requests == ["GET /api/health HTTP/1.1"]  # as a server, not as a proxy
    assert "note DVC's records whole; 1 repairs, the last" in row(screen, "DVC's records")
    assert "dvc.lock was cut short" in row(screen, "DVC's records")
    assert f"rm {checkout}/.git/index.lock" in row(screen, "git's lock")
    assert f"chmod 600 {key}" in row(screen, "blessing key")
    assert "ALL_PROXY, HTTPS_PROXY, HTTP_PROXY" in row(screen, "proxies")
    assert f"lacking Prefect server PREFECT_API_URL={proxy.url}/api" in row(
        screen, "Prefect server"
    )
    assert f"running now retraining (process {os.getpid()}, since" in row(screen, "running now")
    assert "GB free" in row(screen, "disk")


def test_it_says_that_all_is_well(checkout: Path) -> None:
    screen = doctor(checkout)
    assert row(screen, "DVC's records") == "ok DVC's records whole; never repaired"
    assert row(screen, "proxies") == "ok proxies none set"
    assert row(screen, "running now") == "ok running now nothing"
    assert row(screen, "git's lock") == "ok git's lock none left over"


def test_it_ends_where_everything_is_broken(checkout: Path) -> None:
    merge = "<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n"
    (checkout / "dvc.lock").write_text(merge)
    (checkout / ".dvc/config").write_text("[nonsense\n")
    (checkout / ".thorax").write_text("a file where a folder should be")
    screen = doctor(checkout, PATH="/nowhere", PREFECT_API_URL="::", HTTPS_PROXY="\udcff[/]")
    assert "cannot be looked at: FileNotFoundError" in row(screen, "git")
    assert "lacking DVC remote DVC fails" in row(screen, "DVC remote")
    assert "PREFECT_API_URL=::" in row(screen, "Prefect server")
    assert (checkout / "dvc.lock").read_text() == merge
