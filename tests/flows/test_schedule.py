"""`thorax schedule up` as a process: it fires, watches, ends without leftovers, and goes on."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.flows.scheduled import Scheduled, environment, wait_for
from thorax.locks import hold

ROOT = Path(__file__).resolve().parents[2]
IN_GIT = {f"GIT_{who}_{what}": "tester@example.org"
          for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}  # fmt: skip


@pytest.fixture
def scheduled(repository: Path) -> Iterator[Scheduled]:
    """A checkout that has a schedule and nothing else: each run ends at once, with a reason."""
    here = Scheduled(
        repository.resolve(), environment(PYTHONPATH=f"{ROOT / 'src'}:{ROOT}", **IN_GIT)
    )
    yield here
    for process in here.processes():
        process.kill()


def set_schedule(root: Path, **values: object) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["schedule"] |= values
    (root / "params.yaml").write_text(yaml.safe_dump(params))


@pytest.mark.slow
def test_it_fires_ends_with_a_kill_and_goes_on(scheduled: Scheduled) -> None:
    with hold(scheduled.root / ".thorax/retraining.lock", "a test"):  # the first run waits for it
        first = scheduled.up()
        stuck = scheduled.wait_for_run("RUNNING")
        second = scheduled.command("schedule", "up")
        assert second.returncode == 1
        assert len(second.stderr.splitlines()) == 1
        assert f"process {first.pid}" in second.stderr
        assert "next run" in scheduled.command("status").stdout
        first.kill()
        first.wait()
        scheduled.assert_nothing_runs()
        assert "not running" in scheduled.command("status").stdout
    again = scheduled.up()
    ended = scheduled.wait_for_run("FAILED", "COMPLETED", but=(stuck["id"],))
    assert "sources" in ended["name"], ended["name"]  # a random name says nothing
    assert [run["id"] for run in scheduled.runs("CRASHED")] == [stuck["id"]]
    done = tuple(run["id"] for run in scheduled.runs("FAILED", "COMPLETED"))
    by_hand = subprocess.run(
        scheduled.printed_command(), shell=True, cwd=scheduled.root, env=os.environ,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert by_hand.returncode == 0, by_hand.stdout + by_hand.stderr
    wait_for(
        lambda: [
            run for run in scheduled.runs("FAILED", "COMPLETED")
            if run["id"] not in done and not run["auto_scheduled"]
        ],
        "the run started by hand",
        scheduled.log,
    )  # fmt: skip
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 0, scheduled.log.read_text()
    scheduled.assert_nothing_runs()
    assert "Traceback" not in scheduled.log.read_text()


@pytest.mark.slow
def test_a_scheduler_that_plans_nothing_ends_it_loudly(scheduled: Scheduled) -> None:
    set_schedule(scheduled.root, planned_within_s=8)
    up = scheduled.up(PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED="false")
    assert up.wait(240) == 1, scheduled.log.read_text()
    lines = scheduled.log.read_text().splitlines()
    assert lines[-1].startswith("thorax: Prefect has planned no run of '* * * * *' for 8 s")
    assert "Traceback" not in scheduled.log.read_text()
    scheduled.assert_nothing_runs()


@pytest.mark.parametrize("setting", ["port", "pages_port"])
def test_a_taken_port_is_one_plain_line(setting: str, scheduled: Scheduled) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        set_schedule(scheduled.root, **{setting: other.getsockname()[1]})
        answer = scheduled.command("schedule", "up")
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 1
    assert f"schedule.{setting}" in answer.stderr


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cron": "every day"}, "cron"),
        ({"cron": "61 * * * *"}, "cron"),
        ({"timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"port": 0}, "port"),
        ({"pages_port": 4200, "port": 4200}, "two different ports"),
    ],
)
def test_a_wrong_setting_is_one_plain_line(
    values: dict[str, object], words: str, scheduled: Scheduled
) -> None:
    set_schedule(scheduled.root, **values)
    answer = scheduled.command("schedule", "up")
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
    assert words in answer.stderr


def test_a_named_server_that_does_not_answer_is_one_plain_line(scheduled: Scheduled) -> None:
    scheduled.environment["PREFECT_API_URL"] = f"http://127.0.0.1:{scheduled.port}/api"
    answer = scheduled.command("schedule", "up")
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
    assert "PREFECT_API_URL" in answer.stderr
