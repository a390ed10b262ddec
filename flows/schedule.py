"""Serve the retraining flow with a cron, on a Prefect server of our own unless one is named.

Runs in the foreground until it is stopped. With `PREFECT_API_URL` set, that server is used.
"""

import os
import subprocess
import sys
import time

import httpx

from thorax import artifacts, config, environment
from thorax.config import Config
from thorax.errors import ThoraxError
from thorax.locks import die_with_parent

_READY_WITHIN_S = 180.0


class ScheduleConfig(Config):
    """When to retrain."""

    cron: str
    """Five cron fields: minute, hour, day of month, month, day of week."""
    timezone: str = "UTC"
    """IANA name of the time zone in which the cron is read."""
    port: int = 4200
    """Port of the Prefect server on loopback; not used when PREFECT_API_URL is set."""


def up() -> None:
    """Serve the schedule until interrupted."""
    settings = config.load("schedule", ScheduleConfig)
    server = None if "PREFECT_API_URL" in os.environ else _start_server(settings.port)
    try:
        _serve(settings)
    finally:
        if server is not None:
            server.terminate()
            server.wait(30)


def _start_server(port: int) -> "subprocess.Popen[bytes]":
    url = f"http://127.0.0.1:{port}/api"
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "prefect",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ],
        env=environment.variables(artifacts.root()),
        preexec_fn=die_with_parent,
        stdout=subprocess.DEVNULL,
    )
    os.environ["PREFECT_API_URL"] = url
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ThoraxError(
                f"the Prefect server did not start; is port {port} taken? (schedule.port)"
            )
        try:
            if httpx.get(f"{url}/health", timeout=2).status_code == 200:
                return server
        except httpx.HTTPError:
            time.sleep(0.5)
    server.terminate()
    raise ThoraxError(f"the Prefect server was not ready within {_READY_WITHIN_S:.0f} s")


def _serve(settings: ScheduleConfig) -> None:
    from prefect.schedules import Cron

    from flows.retraining import retraining

    try:
        schedule = Cron(settings.cron, timezone=settings.timezone)
    except ValueError as error:
        raise ThoraxError(f"params.yaml: schedule: {error}") from None
    print(
        f"Retraining on {settings.cron!r} ({settings.timezone}); "
        f"{os.environ['PREFECT_API_URL'].removesuffix('/api')} shows the runs; Ctrl-C stops",
        flush=True,
    )
    retraining.serve(name="scheduled", schedule=schedule, limit=1, pause_on_shutdown=False)
