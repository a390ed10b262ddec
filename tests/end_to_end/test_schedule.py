"""A cron fires: the run releases, commits, tags and shows itself in Prefect; the next has nothing
to do. Through `thorax schedule up` alone."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.end_to_end.conftest import Finished
from tests.flows.scheduled import Scheduled, environment, wait_for
from thorax.release import provenance

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


def git(root: Path, *arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.fixture
def scheduled(finished: Finished, tmp_path: Path) -> Iterator[Scheduled]:
    """A copy of the finished loop, all committed, whose release has another setting."""
    assert finished.run.returncode == 0, finished.run.stderr
    root = tmp_path.resolve() / "thorax"
    shutil.copytree(finished.checkout.path, root, symlinks=True)
    git(root, "config", "user.name", "A Tester")
    git(root, "config", "user.email", "tester@example.org")
    here = Scheduled(root, environment(PYTHONPATH=f"{root / 'src'}:{root}"))
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["release"]["serving"] = {**params["release"].get("serving", {}), "timeout_s": 61}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    git(root, "add", "-A", ".", ":!dvc.lock", ":!data.dvc")
    git(root, "commit", "-qm", "Settings")
    yield here
    for process in here.processes():
        process.kill()


def test_a_cron_fires_and_releases(scheduled: Scheduled) -> None:
    root = scheduled.root
    up = scheduled.up()
    released = wait_for(
        lambda: [
            run for run in scheduled.runs("COMPLETED")
            if "released" in run["name"] and run["auto_scheduled"]  # the loop's own is there too
        ],
        "a run that releases", scheduled.log, 600,
    )[0]  # fmt: skip
    tag = scheduled_tag(root)
    assert released["name"] == released["state"]["message"] == f"released {tag}"
    assert_committed(root, tag)
    assert_shown(scheduled, released["id"])
    assert_logged_once(scheduled, released["id"])
    wait_for(
        lambda: [run for run in scheduled.runs("COMPLETED") if run["name"] == "nothing changed"],
        "a run without work", scheduled.log,
    )  # fmt: skip
    assert git(root, "log", "-1", "--format=%s") == f"Retrain: released {tag}"
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0, scheduled.log.read_text()
    scheduled.assert_nothing_runs()


def scheduled_tag(root: Path) -> str:
    manifest = yaml.safe_load((root / "artifacts/release/manifest.json").read_text())
    return str(manifest["tag"])


def assert_committed(root: Path, tag: str) -> None:
    """The tag's commit has this lock, and the commit that the card names has the figures."""
    name = f"release/{tag.replace(':', '-')}"
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "rev-parse", f"{name}^{{commit}}") == git(root, "rev-parse", "HEAD")
    card = (root / "artifacts/release/card.md").read_text()
    assert "not committed" not in card
    revision, lock = (str(re.search(f"{word}.*`(.+)`", card)[1]) for word in ("commit", "dvc.lock"))  # type: ignore[index]
    assert git(root, "rev-parse", f"{name}~1") == revision
    for commit in (revision, name):
        (root / ".thorax/lock.yaml").write_text(git(root, "show", f"{commit}:dvc.lock"))
        assert provenance.lock_digest(root / ".thorax/lock.yaml") == lock


def assert_shown(scheduled: Scheduled, run: str) -> None:
    """The artifacts hang on the run itself, and their links answer."""
    found = scheduled.ask("artifacts/filter", artifacts={"flow_run_id": {"any_": [run]}})
    keys = {artifact["key"] for artifact in found}
    assert {"dataset", "label-quality", "scores", "gate", "model-card", "figures"} <= keys
    text = "".join(str(artifact["data"]) for artifact in found)
    assert "file://" not in text
    assert not re.search(
        r"0\.\d{6}", "".join(str(a["data"]) for a in found if a["type"] == "table")
    )
    links = set(re.findall(rf"http://127\.0\.0\.1:{scheduled.pages_port}/[^\s)\]]+", text))
    assert len(links) >= 3
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        for link in links:
            assert client.get(link).status_code == 200, link


def assert_logged_once(scheduled: Scheduled, run: str) -> None:
    """A stage's lines are in the logs of the run and on the terminal, once each."""
    own = {"flow_run_id": {"any_": [run]}}
    lines = [entry["message"] for entry in scheduled.ask("logs/filter", logs=own, limit=200)]
    assert lines.count("stage release") == 1
    assert any("release: " in line and line.endswith(" s") for line in lines)
    terminal = scheduled.log.read_text()
    assert len(re.findall("^stage release$", terminal, re.M)) == 1
    assert " | INFO" not in terminal
