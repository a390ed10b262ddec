"""Puts right what a kill or a full disk left half-written in DVC's files.

DVC writes `dvc.lock`, `*.dvc` and its reader-writer file in place, so that ending it at the wrong
moment leaves them empty or cut, and every later command of DVC fails. Before each write of ours a
copy of every whole record lies in `.thorax/repair/`; a broken record is replaced by that copy, or
by the one that git has. A restored record is one write old at most: one stage is then looked at
again, and DVC's run cache usually has its result.
"""

import fcntl
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
import yaml

from thorax import artifacts
from thorax.errors import BadInput

RECORDS: Final = ("dvc.lock", "optional/dvc.lock", "data.dvc")
_FOLDER: Final = ".thorax/repair"
_LOG: Final = "log.jsonl"
_STARTED: Final = "write-started"
_GUARD_WITHIN_S: Final = 10.0
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def repair(root: Path) -> list[str]:
    """Repair what is broken; the caller holds `.thorax/dvc.lock`.

    Returns:
        One line per repair; each is also kept for `thorax doctor`.

    Raises:
        BadInput: a record holds a merge that nobody has finished.
    """
    interrupted = (root / _FOLDER / _STARTED).exists()
    lines = [_repair_record(root, name, interrupted) for name in RECORDS]
    lines.append(_repair_readers_and_writers(root / ".dvc/tmp"))
    found = [line for line in lines if line]
    for line in found:
        _log(root, line)
    if interrupted:
        (root / _FOLDER / _STARTED).unlink(missing_ok=True)
    return found


def history(root: Path) -> list[dict[str, str]]:
    """Every repair so far, oldest first: `time` and `what`."""
    path = root / _FOLDER / _LOG
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def begin(root: Path) -> None:
    """Keep a copy of every whole record, and mark that DVC is about to write."""
    _keep_whole_records(root)
    (root / _FOLDER / _STARTED).touch()


def end(root: Path) -> None:
    """Remove the mark; a writer that failed or died leaves it for the next `repair`."""
    _keep_whole_records(root)
    (root / _FOLDER / _STARTED).unlink(missing_ok=True)


def _keep_whole_records(root: Path) -> None:
    (root / _FOLDER).mkdir(parents=True, exist_ok=True)
    for name in RECORDS:
        path, copy = root / name, _copy(root, name)
        if not path.exists():
            copy.unlink(missing_ok=True)
            continue
        content = path.read_bytes()
        if not (copy.exists() and copy.read_bytes() == content) and _parse(name, content):
            artifacts.write_text(copy, content.decode())


def _repair_record(root: Path, name: str, interrupted: bool) -> str:
    path, copy = root / name, _copy(root, name)
    if not path.exists():
        return ""
    content = path.read_bytes()
    if copy.exists() and copy.read_bytes() == content:
        return ""
    if re.search(rb"^(<{7}|>{7}) ", content, re.MULTILINE):
        raise BadInput(
            f"{name} holds a merge that is not finished: `git checkout --ours {name}` (or "
            "--theirs), then the same again"
        )
    parsed = _parse(name, content)
    if parsed is None:
        return _restore(root, name, content)
    if interrupted and copy.exists():
        return _add_lost_stages(path, parsed, _parse(name, copy.read_bytes()) or {})
    return ""


def _restore(root: Path, name: str, broken: bytes) -> str:
    """Replace a broken record by the newest whole one, or by none; the broken one is kept aside."""
    (root / _FOLDER).mkdir(parents=True, exist_ok=True)
    (root / _FOLDER / f"{Path(name).name}.broken").write_bytes(broken)
    copy = _copy(root, name)
    sources = {"its last whole copy": copy.read_bytes() if copy.exists() else b""}
    sources["git's last commit"] = subprocess.run(
        ["git", "show", f"HEAD:./{name}"], cwd=root, capture_output=True, check=False
    ).stdout
    for where, content in sources.items():
        if _parse(name, content):
            artifacts.write_text(root / name, content.decode())
            return f"{name} was cut short (a kill, or a full disk): restored from {where}"
    (root / name).unlink()
    return f"{name} was cut short (a kill, or a full disk): removed, and DVC writes it again"


def _add_lost_stages(path: Path, now: dict[str, Any], before: dict[str, Any]) -> str:
    """A lock cut between two stages still parses: add the stages that only the copy has."""
    lost = before.get("stages", {}).keys() - now.get("stages", {}).keys()
    if not lost:
        return ""
    stages = {name: before["stages"][name] for name in before["stages"] if name in lost}
    whole = {**now, "stages": {**now["stages"], **stages}}
    artifacts.write_text(path, yaml.safe_dump(whole, sort_keys=False))
    return f"{path.name} was cut short (a kill, or a full disk): {len(lost)} stages put back"


def _parse(name: str, content: bytes) -> dict[str, Any] | None:
    """The content of a record that DVC can read; None for one that it cannot."""
    if not content.endswith(b"\n"):
        return None
    try:
        parsed = yaml.load(content.decode(), _Loader)  # CSafeLoader, or SafeLoader
    except (ValueError, yaml.YAMLError):
        return None
    if not isinstance(parsed, dict):
        return None
    if name.endswith(".dvc"):
        return parsed if parsed.get("outs") and _are_files(parsed["outs"]) else None
    return parsed if "schema" in parsed and _are_stages(parsed.get("stages")) else None


def _are_stages(stages: object) -> bool:
    return isinstance(stages, dict) and all(
        isinstance(stage, dict)
        and isinstance(stage.get("cmd"), str)
        and all(_are_files(stage[key]) for key in ("deps", "outs") if key in stage)
        for stage in stages.values()
    )


def _are_files(files: object) -> bool:
    """Whether every file has its path; without the rest DVC looks at the stage again."""
    return isinstance(files, list) and all(
        isinstance(file, dict) and isinstance(file.get("path"), str) for file in files
    )


def _repair_readers_and_writers(folder: Path) -> str:
    """Clear DVC's list of who reads and writes of whoever is gone; drop one that is broken.

    DVC itself stops at a broken list, and takes another program that has been given the number of
    a dead one for the reader.
    """
    path = folder / "rwlock"
    if not path.exists():
        return ""
    with _guard(folder / "rwlock.lock"):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return ""
        left = _without_the_dead(content)
        if left is not None and left == _nonempty(json.loads(content)):
            return ""
        if left:
            artifacts.write_text(path, json.dumps(left))
        else:
            path.unlink()
    if left is None:
        return ".dvc/tmp/rwlock was broken (a kill, or a full disk): removed"
    return ".dvc/tmp/rwlock named processes that are gone: cleared"


def _without_the_dead(content: bytes) -> dict[str, Any] | None:
    """The list with living DVC processes only; None when DVC could not read it."""
    try:
        listed = json.loads(content)
        kept: dict[str, Any] = {}
        for mode, held in listed.items():
            if mode not in ("read", "write"):
                return None
            for path, holders in held.items():
                many = holders if mode == "read" else [holders]
                alive = [each for each in many if each["cmd"] and _is_dvc(int(each["pid"]))]
                if alive:
                    kept.setdefault(mode, {})[path] = alive if mode == "read" else alive[0]
        return kept
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _nonempty(listed: dict[str, Any]) -> dict[str, Any]:
    return {mode: held for mode, held in listed.items() if held}


def _is_dvc(pid: int) -> bool:
    try:
        return any("dvc" in part for part in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


@contextmanager
def _guard(path: Path) -> Iterator[None]:
    """Hold DVC's lock on the list, as DVC does while it changes it."""
    with path.open("a+b") as file:
        deadline = time.monotonic() + _GUARD_WITHIN_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BadInput(
                        f"{path} is locked by a DVC command that is stuck: end it"
                    ) from None
                time.sleep(0.05)
        yield


def _copy(root: Path, name: str) -> Path:
    return root / _FOLDER / name.replace("/", "-")


def _log(root: Path, line: str) -> None:
    path = root / _FOLDER / _LOG
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "what": line}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
