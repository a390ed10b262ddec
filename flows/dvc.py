"""DVC as a command: the one helper through which every DVC write of ours goes.

A write holds `.thorax/dvc.lock` for the whole call, because DVC's own lock does not cover a stage
that is running. DVC dies with us, and its stage with it.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from thorax import artifacts, environment
from thorax.errors import Refused, ThoraxError
from thorax.locks import die_with_parent, hold

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
_OPTIONAL = "optional/"
_EXITED = re.compile(r"exited with (-?\d+)")


class Killed(RuntimeError):
    """DVC or its stage ended by a signal: worth another try, unlike an error of the user's."""


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
    with hold(root / ".thorax" / "dvc.lock", f"dvc {' '.join(arguments)}"):
        _mend_broken_locks(root)
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
    if status != 0:
        _explain(arguments, status, said)


def try_write(*arguments: str, root: Path | None = None) -> bool:
    """Run `dvc ARGUMENTS` under the lock without a word; False when it fails."""
    root = root or artifacts.root()
    with hold(root / ".thorax" / "dvc.lock", f"dvc {' '.join(arguments)}"):
        _mend_broken_locks(root)
        answer = subprocess.run(
            _command(*arguments),
            cwd=root,
            env=environment.variables(root),
            preexec_fn=die_with_parent,
            capture_output=True,
            check=False,
        )
    return answer.returncode == 0


def status(*targets: str) -> dict[str, list[Any]]:
    """What is stale and why, by stage or .dvc file: `dvc status --json`, which writes nothing.

    Optional stages count only when they are named: nobody waits for them.
    """
    root = artifacts.root()
    answer = subprocess.run(
        _command("status", "--json", *targets),
        cwd=root,
        env=environment.variables(root),
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise ThoraxError(f"dvc status failed: {answer.stderr.strip()[-500:]}")
    stale: dict[str, list[Any]] = json.loads(answer.stdout)
    if targets:
        return stale
    return {name: why for name, why in stale.items() if not name.startswith(_OPTIONAL)}


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments]


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
        error = Refused(f"{arguments[-1]} was refused; its line stands above")
    else:
        error = ThoraxError(f"{what} failed; the reason stands above")
    error.add_note(_last_words(said))
    raise error


def _last_words(said: str) -> str:
    """The last line before DVC's own account of the failure, or that account's first line."""
    before, _, after = said.partition("ERROR: ")
    own = [line for line in before.splitlines() if line.strip() and not _is_chatter(line)]
    return own[-1].strip() if own else after.partition("\n")[0].strip()


def _mend_broken_locks(root: Path) -> None:
    """Remove DVC's reader-writer file when a kill cut it short; DVC itself would stop at it."""
    path = root / ".dvc" / "tmp" / "rwlock"
    if path.exists():
        try:
            json.loads(path.read_text())
        except ValueError:
            path.unlink()
