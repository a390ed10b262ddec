import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from flows import dvc
from thorax.errors import Refused, ThoraxError

Stage = Callable[[str], None]

SLEEPER = (
    "import ctypes, pathlib, os, signal, time\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
    "pathlib.Path('pid').write_text(str(os.getpid()))\n"
    "time.sleep(60)\n"
    "pathlib.Path('slept').touch()\n"
)


def wait_for(path: Path) -> int:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)
    return int(path.read_text())


def helper(*arguments: str) -> "subprocess.Popen[str]":
    """The helper in a process of its own, as a flow has it."""
    code = f"from flows import dvc; dvc.write(*{arguments!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise SystemExit(1)", ThoraxError),
        ("raise SystemExit(2)", Refused),
        ("import os; os.kill(os.getpid(), 9)", dvc.Killed),
    ],
)
def test_how_a_stage_ended_is_told_apart(stage: Stage, code: str, error: type[Exception]) -> None:
    stage(code)
    with pytest.raises(error):
        dvc.write("repro", "--single-item", "work")


def test_killing_the_caller_ends_dvc_and_its_stage(stage: Stage, repository: Path) -> None:
    stage(SLEEPER)
    caller = helper("repro", "--single-item", "work")
    pid = wait_for(repository / "pid")
    parent = psutil.Process(pid).ppid()
    os.kill(caller.pid, signal.SIGKILL)
    caller.communicate()
    assert gone(parent)
    assert gone(pid)


def test_a_caller_that_is_asked_to_end_does_not_wait_for_the_stage(
    stage: Stage, repository: Path
) -> None:
    class Asked(BaseException):
        pass

    def ask(number: int, frame: object) -> None:  # as Prefect takes SIGTERM
        raise Asked

    stage(SLEEPER)
    before = signal.signal(signal.SIGALRM, ask)
    main = threading.main_thread().ident
    assert main is not None
    watcher = threading.Thread(
        target=lambda: (wait_for(repository / "pid"), signal.pthread_kill(main, signal.SIGALRM))
    )
    watcher.start()
    try:
        with pytest.raises(Asked):
            dvc.write("repro", "--single-item", "work")
        assert not (repository / "slept").exists()
    finally:
        watcher.join()
        signal.signal(signal.SIGALRM, before)
    assert gone(int((repository / "pid").read_text()))


def test_a_second_write_says_whom_it_waits_for_and_then_runs(
    stage: Stage, repository: Path
) -> None:
    stage("import pathlib, time\npathlib.Path('pid').write_text('1')\ntime.sleep(3)\n")
    first = helper("repro", "--single-item", "work")
    wait_for(repository / "pid")
    second = helper("repro", "--single-item", "work")
    _, said = second.communicate(timeout=60)
    first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)
    assert f"waiting for dvc repro --single-item work (process {first.pid}, since " in said


def test_a_lock_file_cut_short_by_a_kill_is_mended(stage: Stage, repository: Path) -> None:
    stage("pass")
    (repository / ".dvc/tmp").mkdir(exist_ok=True)
    (repository / ".dvc/tmp/rwlock").write_text('{"write": {"x"')
    dvc.write("repro", "--single-item", "work")
    assert dvc.status() == {}


def test_status_names_what_is_stale(stage: Stage) -> None:
    stage("pass")
    assert "work" in dvc.status()
    dvc.write("repro", "--single-item", "work")
    assert dvc.status() == {}
