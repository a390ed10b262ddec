"""`thorax schedule up`: serve the retraining flow with a cron, and watch that it is really run.

Stays in the foreground until it is stopped. The Prefect server is one of our own, unless
`PREFECT_API_URL` names another; runs are processes of ours, and end with us.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import httpx
import psutil

from flows import pages, prefect_server
from flows.schedule_settings import ScheduleConfig
from thorax import artifacts, config
from thorax.errors import ThoraxError
from thorax.locks import hold

if TYPE_CHECKING:
    from flows.schedule_watch import Watch

NOTE = "schedule.json"
"""In `.thorax/`, while a schedule is up: who serves it, where, and when the next run is."""

_WRITE_EVERY_S = 5.0


def up() -> None:
    """Serve the schedule until Ctrl-C or SIGTERM.

    Raises:
        ThoraxError: it cannot be served, or Prefect does not do what the schedule asks for.
    """
    settings = config.load("schedule", ScheduleConfig)
    with hold(artifacts.home() / "schedule.lock", "thorax schedule up", wait=False):
        signal.signal(signal.SIGTERM, _end)
        prefect_server.require_free(settings.pages_port, "schedule.pages_port")
        is_own = prefect_server.name_url(settings.port)
        if is_own:
            prefect_server.require_free(settings.port, "schedule.port")
        else:
            prefect_server.require_answer()
        schedule = _schedule(settings)
        print("Starting Prefect", flush=True)
        try:
            with pages.served(settings.pages_port), _server(settings, is_own) as server:
                asyncio.run(_serve(settings, schedule, server))
        finally:
            (artifacts.home() / NOTE).unlink(missing_ok=True)


@contextmanager
def _server(settings: ScheduleConfig, is_own: bool) -> Iterator[prefect_server.Process | None]:
    if is_own:
        with prefect_server.running(settings.port) as server:
            yield server
    else:
        yield None


def _end(number: int, _frame: Any) -> None:
    """A SIGTERM before the schedule is served ends as Ctrl-C does."""
    raise KeyboardInterrupt


def _schedule(settings: ScheduleConfig) -> Any:
    from prefect.schedules import Cron

    try:
        return Cron(settings.cron, timezone=settings.timezone)
    except ValueError as error:
        raise ThoraxError(f"params.yaml: schedule: {error}") from None


async def _serve(
    settings: ScheduleConfig, schedule: Any, server: prefect_server.Process | None
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.runner import Runner

    from flows.retraining import SCHEDULER, retraining
    from flows.schedule_watch import Watch, reconcile

    os.environ[SCHEDULER] = str(os.getpid())
    _log_to_file()
    stop = _stop_event()
    runner = Runner(name="thorax", limit=1, pause_on_shutdown=False)
    deployment = await runner.aadd_flow(
        retraining,
        name="scheduled",
        schedule=schedule,
        parameters={"look_first": True, "commit": True},
    )
    async with get_client() as client:
        everything = server is not None and not _is_retraining()
        if dead := await reconcile(client, deployment, everything=everything):
            print(f"{dead} runs of an earlier schedule had ended without a word; they are closed")
        print(_banner(settings), flush=True)
        watch = Watch(client, deployment, settings)
        serving = asyncio.create_task(runner.start())
        await asyncio.sleep(0)  # Prefect takes SIGTERM for itself there, and then we take it back
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        tasks = [
            serving,
            asyncio.create_task(watch.run()),
            asyncio.create_task(_note(watch, settings)),
            asyncio.create_task(_end_with(server)),
            asyncio.create_task(stop.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            _kill_runs(server)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(httpx.HTTPError):  # a server that ended; the next start does it
                await reconcile(client, deployment, everything=False)
    print("The schedule is stopped", flush=True)


def _stop_event() -> asyncio.Event:
    """An event that Ctrl-C sets.

    Ctrl-C reaches every process of the terminal, and a run that just imports would print a
    traceback. So the signal is blocked here, which the runs inherit, and a thread waits for it. A
    thread that is older than the block may get it instead; then the loop's own handler acts.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    def wait() -> None:
        signal.sigwait({signal.SIGINT})
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, name="ctrl-c", daemon=True).start()
    return stop


def _log_to_file() -> None:
    """Prefect's own warnings, which the terminal does not show, go where the server's go."""
    handler = logging.FileHandler(prefect_server.log_path())
    handler.setLevel(logging.WARNING)
    logging.getLogger("prefect").addHandler(handler)


def _is_retraining() -> bool:
    """Whether somebody retrains by hand at this moment."""
    try:
        with hold(artifacts.home() / "retraining.lock", "look", wait=False):
            return False
    except ThoraxError:
        return True


def _banner(settings: ScheduleConfig) -> str:
    url = os.environ["PREFECT_API_URL"]
    prefect = Path(sys.executable).with_name("prefect")
    around = "NO_PROXY=127.0.0.1 " if getproxies() else ""
    return (
        f"Retraining on {settings.cron!r} ({settings.timezone}), until Ctrl-C\n"
        f"  runs     {url.removesuffix('/api')}\n"
        f"  reports  http://127.0.0.1:{settings.pages_port}\n"
        f"  run now  {around}DO_NOT_TRACK=1 PREFECT_API_URL={url} {prefect} deployment run "
        "retraining/scheduled"
    )


async def _note(watch: "Watch", settings: ScheduleConfig) -> None:
    """Write down for `thorax status` when the next run is."""
    while True:
        artifacts.write_json(
            artifacts.home() / NOTE,
            {
                "pid": os.getpid(),
                "runs": os.environ["PREFECT_API_URL"].removesuffix("/api"),
                "next": watch.next.isoformat(timespec="minutes") if watch.next else None,
                "timezone": settings.timezone,
            },
        )
        await asyncio.sleep(_WRITE_EVERY_S)


async def _end_with(server: prefect_server.Process | None) -> None:
    """Raise when our server ends by itself; wait for ever otherwise."""
    while server is None or server.poll() is None:
        await asyncio.sleep(1)
    raise ThoraxError(
        f"the Prefect server ended (status {server.returncode}); {prefect_server.log_path()} holds "
        "its last lines. Start `thorax schedule up` again: it goes on from here"
    )


def _kill_runs(server: prefect_server.Process | None) -> None:
    """End the run that goes on, and all that it started; the next one goes on where it was."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if server is None or child.pid != server.pid:
                child.kill()
