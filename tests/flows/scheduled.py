"""A little checkout with a schedule, the command that serves it, and its Prefect server."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

WITHIN_S = 240.0


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def wait_for(condition: Callable[[], Any], what: str, log: Path, within_s: float = WITHIN_S) -> Any:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.3)
    raise AssertionError(f"{what}: not within {within_s:.0f} s\n{log.read_text()[-4000:]}")


@dataclass
class Scheduled:
    """A checkout, and how its schedule is served and asked."""

    root: Path
    environment: dict[str, str]
    port: int = 0
    pages_port: int = 0

    def __post_init__(self) -> None:
        self.port, self.pages_port = free_ports()
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text()) or {}
        params["schedule"] = {
            "cron": "* * * * *",
            "port": self.port,
            "pages_port": self.pages_port,
            **params.get("for_schedule", {}),
        }
        path.write_text(yaml.safe_dump(params))

    @property
    def log(self) -> Path:
        return self.root / ".thorax/up.log"

    def up(self, **environment: str) -> "subprocess.Popen[bytes]":
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "thorax.cli.app", "schedule", "up"],
                cwd=self.root, env={**self.environment, **environment}, stdout=log, stderr=log,
            )  # fmt: skip

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "thorax.cli.app", *arguments],
            cwd=self.root, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def ask(self, path: str, **body: Any) -> Any:
        """Prefect's answer to a POST; empty while the server does not answer."""
        with httpx.Client(trust_env=False, timeout=30) as client:
            try:
                answer = client.post(f"http://127.0.0.1:{self.port}/api/{path}", json=body)
                return answer.json() if answer.status_code == 200 else []
            except httpx.HTTPError:
                return []

    def runs(self, *states: str) -> list[dict[str, Any]]:
        """The retrainings in one of `states`, the oldest first."""
        wanted = {"flow_runs": {"state": {"type": {"any_": list(states)}}},
                  "flows": {"name": {"any_": ["retraining"]}}}  # fmt: skip
        found: list[dict[str, Any]] = self.ask("flow_runs/filter", **wanted)
        return sorted(found, key=lambda run: str(run["start_time"]))

    def wait_for_run(self, *states: str, but: tuple[str, ...] = ()) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [run for run in self.runs(*states) if run["id"] not in but]

        run: dict[str, Any] = wait_for(found, f"a run in {states}", self.log)[0]
        return run

    def printed_command(self) -> str:
        """The line that starts a run at once, as `schedule up` prints it."""

        def found() -> str:
            lines = re.findall(r"run now +(.+)", self.log.read_text())
            return str(lines[-1]) if lines else ""

        return str(wait_for(found, "the command", self.log))

    def processes(self) -> list[psutil.Process]:
        """Everything alive that works in this checkout."""
        found = []
        for process in psutil.process_iter(["status"]):
            try:
                here = Path(process.cwd()) == self.root
                alive = process.info["status"] != psutil.STATUS_ZOMBIE
                if here and alive and process.pid != os.getpid():
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def assert_nothing_runs(self) -> None:
        wait_for(lambda: not self.processes(), "all processes gone", self.log, 60)


def environment(**changes: str) -> dict[str, str]:
    """Ours without what names another checkout or server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    kept.pop("THORAX_ROOT", None)
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", **changes}


def note(root: Path) -> Any:
    return json.loads((root / ".thorax/schedule.json").read_text())
