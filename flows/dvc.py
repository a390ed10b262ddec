"""DVC as a command: the one helper through which every DVC write of ours goes.

A write holds `.thorax/dvc.lock` for the whole call, because DVC's own lock does not cover a stage
that is running. DVC dies with us, and its stage with it; what that leaves half-written is repaired
before the next call. Whoever only looks waits for nobody.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flows import repair
from thorax import artifacts, disk_space, environment
from thorax.errors import Refused, ThoraxError
from thorax.locks import Locked, die_with_parent, find_holder, hold

_CHATTER = (
    "To track the changes",
    "\tgit add",
    "To enable auto staging",
    "\tdvc config",
    "Use `dvc push`",
    "Updating lock file",
    "Generating lock file",
    "> exec env",
    "Running stage",
)
_WAIT = "--wait-for-lock"
_BUSY = ("Unable to acquire lock", "is busy, it is being blocked by")
_OPTIONAL = "optional/"
_EXITED = re.compile(r"exited with (-?\d+)")


class Killed(RuntimeError):
    """DVC or its stage ended by a signal: worth another try, unlike an error of the user's."""


class Busy(ThoraxError):
    """DVC is at work in another process, so that it cannot say now what is stale."""


def write(
    *arguments: str, root: Path | None = None, show: Callable[[str], None] | None = None
) -> None:
    """Run `dvc ARGUMENTS` under the lock, its output passed on; raise on a failure.

    Args:
        arguments: what follows `dvc`.
        root: the checkout or worktree to work on; None is the one that we stand in.
        show: takes each line that is worth reading; None prints it, indented.

    Raises:
        Refused: the stage exited 2.
        ThoraxError: the stage or DVC failed for a reason it has printed, which is the error's note.
        Killed: a signal ended the stage or DVC.
    """
    root = root or artifacts.root()
    with _writing(root, arguments) as ended:
        with subprocess.Popen(
            _command(*arguments),
            cwd=root,
            env=environment.variables(root),
            preexec_fn=die_with_parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                said = _pass_on(process, show or _print_indented)
            except BaseException:  # we are asked to end, and `with` would wait for the stage's end
                process.kill()
                raise
        status = process.returncode
        ended(status)
    if status != 0:
        _explain(arguments, status, said)


def try_write(*arguments: str, root: Path | None = None) -> bool:
    """Run `dvc ARGUMENTS` under the lock without a word; False when it fails."""
    root = root or artifacts.root()
    with _writing(root, arguments) as ended:
        answer = subprocess.run(
            _command(*arguments),
            cwd=root,
            env=environment.variables(root),
            preexec_fn=die_with_parent,
            capture_output=True,
            check=False,
        )
        ended(answer.returncode)
    return answer.returncode == 0


def repair_records(root: Path | None = None) -> None:
    """Repair DVC's files where nobody is writing them: before something reads them."""
    root = root or artifacts.root()
    lock = root / ".thorax" / "dvc.lock"
    with suppress(Locked), hold(lock, "repair of DVC's records", wait=False):
        _say(repair.repair(root))


def status(*targets: str, wait: bool = False) -> dict[str, list[Any]]:
    """What is stale and why, by stage or .dvc file: `dvc status --json`.

    Optional stages count only when they are named: nobody waits for them.

    Args:
        targets: stages or .dvc files; none is all.
        wait: wait for another DVC command to end instead of raising `Busy`.

    Raises:
        Busy: DVC is at work in another process.
        ThoraxError: DVC failed for another reason.
    """
    root = artifacts.root()
    if not wait and (holder := find_holder(root / ".thorax" / "dvc.lock")):
        raise Busy(f"{holder} is running")
    repair_records(root)
    command = _command("status", "--json", *targets)
    answer = subprocess.run(
        command if wait else [part for part in command if part != _WAIT],
        cwd=root,
        env=environment.variables(root),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        if any(words in answer.stderr for words in _BUSY):
            raise Busy(_find_blocker(answer.stderr))
        raise ThoraxError(f"dvc status failed: {answer.stderr.strip()[-500:]}")
    stale: dict[str, list[Any]] = json.loads(answer.stdout)
    if targets:
        return stale
    return {name: why for name, why in stale.items() if not name.startswith(_OPTIONAL)}


def _find_blocker(said: str) -> str:
    """Who is at work, out of DVC's long advice."""
    found = re.search(r"\(PID (\d+)\): (.*)", said)
    who = f"{found.group(2)} (process {found.group(1)})" if found else "another DVC command"
    return f"{who} is running"


@contextmanager
def _writing(root: Path, arguments: tuple[str, ...]) -> Iterator[Callable[[int], None]]:
    """Hold the lock on whole records; the block calls what it gets with DVC's exit status."""
    with hold(root / ".thorax" / "dvc.lock", f"dvc {' '.join(arguments)}"):
        _say(repair.repair(root))
        repair.begin(root)
        yield lambda status: repair.end(root) if status == 0 else None


def _say(lines: list[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr, flush=True)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dvc", _WAIT, *arguments]


def _print_indented(line: str) -> None:
    print(f"  {line}", end="", flush=True)


def _pass_on(process: "subprocess.Popen[str]", show: Callable[[str], None]) -> str:
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if line.strip() and not _is_chatter(line):
            show(line)
    return "".join(said)


def _is_chatter(line: str) -> bool:
    """DVC's hints about git and its own bookkeeping say nothing to whoever watches a retraining."""
    return line.startswith(_CHATTER)


def _explain(arguments: tuple[str, ...], status: int, said: str) -> None:
    found = _EXITED.search(said)
    stage_status = int(found.group(1)) if found else None
    what = f"dvc {' '.join(arguments)}"
    error: Exception
    if status < 0 or (stage_status is not None and (stage_status < 0 or stage_status > 128)):
        error = Killed(f"{what} was killed (status {stage_status if found else status})")
    elif stage_status == 2:
        error = Refused(f"{arguments[-1]} was refused; its reason is in the lines above")
    elif disk_space.mentions_full_disk(said):
        error = ThoraxError(f"{what} failed: no space left on the disk: {disk_space.ADVICE}")
    else:
        error = ThoraxError(f"{what} failed; the reason is in the lines above")
    error.add_note(_last_words(said))
    raise error


def _last_words(said: str) -> str:
    """The last line before DVC's own account of the failure, or that account's first line."""
    before, _, after = said.partition("ERROR: ")
    own = [line for line in before.splitlines() if line.strip() and not _is_chatter(line)]
    return own[-1].strip() if own else after.partition("\n")[0].strip()
