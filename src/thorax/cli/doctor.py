"""`thorax doctor`: what this machine has and lacks, each with what to do about it."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows import dvc, prefect_server, repair, running
from thorax import artifacts, environment, keys
from thorax.errors import BadInput

_PARTS = ("torch", "torchvision", "prefect", "dvc", "great-expectations", "bentoml", "onnxruntime",
          "scikit-learn", "pandas")  # fmt: skip
_LEAST_MEMORY_BYTES = 4e9
_LEAST_DISK_BYTES = 5e9


@dataclass(frozen=True)
class Sign:
    """One thing looked at: `state` is ok, note or lacking."""

    what: str
    state: str
    seen: str
    to_do: str = ""


def print_doctor() -> None:
    """Print every sign, with DVC's records repaired where nobody is writing them."""
    root = artifacts.root()
    with suppress(OSError):  # on a full disk the folders that it makes cannot be made
        environment.apply(root)
    marks = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "lacking": "[red]lacking[/]"}
    table = Table(box=None, pad_edge=False)
    for name in ("", "what", "seen", "what to do"):
        table.add_column(name, overflow="fold")
    for sign in examine(root):
        table.add_row(marks[sign.state], escape(sign.what), escape(sign.seen), escape(sign.to_do))
    Console().print(table)


def examine(root: Path) -> Iterator[Sign]:
    """Look at processor, memory, disk, GPU, versions, remotes, keys, locks and servers.

    One that fails is a sign too: a doctor is asked when something is broken.
    """
    checks: dict[str, Callable[[], Sign]] = {
        "python": _python,
        "processor": lambda: Sign("processor", "ok", f"{os.cpu_count()} cores"),
        "memory": _memory,
        "disk": partial(_disk, root),
        "GPU": _gpu,
        **{name: partial(_version, name) for name in _PARTS},
        "DVC's records": partial(_records, root),
        "DVC remote": partial(_remote, root),
        "git": partial(_git, root),
        "git's lock": partial(_git_lock, root),
        "blessing key": _key,
        "proxies": _proxies,
        "Prefect server": _prefect_server,
        "running now": partial(_running, root),
    }
    for name, check in checks.items():
        try:
            yield check()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            yield Sign(name, "lacking", f"cannot be looked at: {reason}")


def _python() -> Sign:
    seen = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Sign("python", "ok", seen)


def _memory() -> Sign:
    free = psutil.virtual_memory().available
    seen = f"{free / 1e9:.0f} GB free"
    if free < _LEAST_MEMORY_BYTES:
        return Sign(
            "memory",
            "lacking",
            seen,
            "4 GB are needed; end other programs or lower training.batch_size",
        )
    return Sign("memory", "ok", seen)


def _disk(root: Path) -> Sign:
    free = shutil.disk_usage(root).free
    used = {name: _size(root / name) for name in (".thorax", ".dvc/cache", "data", "artifacts")}
    shares = ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in used.items() if size)
    seen = f"{free / 1e9:.0f} GB free" + (f"; here: {shares}" if shares else "")
    if free < _LEAST_DISK_BYTES:
        return Sign(
            "disk",
            "lacking",
            seen,
            "5 GB are needed (full NIH: 150 GB); `dvc gc -w` removes old versions",
        )
    return Sign("disk", "ok", seen)


def _size(path: Path) -> int:
    """What the files below `path` take; some may go while we look."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                total += Path(folder, name).lstat().st_size
    return total


def _gpu() -> Sign:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return Sign("GPU", "ok", ", ".join(names))
    if shutil.which("nvidia-smi"):
        return Sign(
            "GPU", "lacking", "nvidia-smi is there, torch sees none", "update the NVIDIA driver"
        )
    return Sign(
        "GPU",
        "note",
        "none",
        "presets phantom-small, phantom and nih-subset run on the CPU; nih-full needs one",
    )


def _version(name: str) -> Sign:
    try:
        return Sign(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Sign(name, "lacking", "not installed", "make setup")


def _remote(root: Path) -> Sign:
    answer = subprocess.run(
        [sys.executable, "-m", "dvc", "remote", "list"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode != 0:
        reason = " ".join(answer.stderr.split())[:200]
        return Sign("DVC remote", "lacking", f"DVC fails: {reason}", "correct .dvc/config")
    remotes = ", ".join(" ".join(line.split()) for line in answer.stdout.splitlines())
    if not remotes:
        return Sign(
            "DVC remote",
            "lacking",
            "none",
            "dvc remote add -d NAME URL, so that versions outlive this disk",
        )
    if ".thorax/remote" in remotes:
        return Sign(
            "DVC remote",
            "note",
            remotes,
            "on this same disk; dvc remote add -d NAME URL for a safe copy",
        )
    return Sign("DVC remote", "ok", remotes)


def _git(root: Path) -> Sign:
    answer = subprocess.run(
        ["git", "status", "--short"], cwd=root, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        return Sign(
            "git", "lacking", answer.stderr.strip(), "versions need a git repository: git init"
        )
    changed = len(answer.stdout.splitlines())
    if changed:
        return Sign(
            "git",
            "note",
            f"{changed} uncommitted files",
            "commit, so that a release names its code",
        )
    return Sign("git", "ok", "clean")


def _key() -> Sign:
    path = keys.private_key_path()
    if not path.exists():
        return Sign("blessing key", "note", "none yet", "the first passing gate makes one")
    if path.stat().st_mode & 0o077:
        return Sign("blessing key", "lacking", f"{path} is readable by others", f"chmod 600 {path}")
    return Sign("blessing key", "ok", str(path))


def _proxies() -> Sign:
    names = ", ".join(sorted(environment.set_proxies(os.environ)))
    if not names:
        return Sign("proxies", "ok", "none set")
    if unusable := environment.unusable_proxies(os.environ):
        left_out = f"{', '.join(unusable)} left out: the package socksio is missing"
        return Sign("proxies", "note", names, left_out)
    return Sign("proxies", "ok", f"{names}; loopback goes past them")


def _prefect_server() -> Sign:
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return Sign("Prefect server", "ok", "one of our own while a flow runs")
    if problem := prefect_server.find_problem(url):
        return Sign(
            "Prefect server",
            "lacking",
            f"PREFECT_API_URL={url} {problem}",
            "start that server, or unset PREFECT_API_URL",
        )
    return Sign("Prefect server", "ok", f"PREFECT_API_URL={url} answers")


def _running(root: Path) -> Sign:
    return Sign("running now", "ok", "; ".join(running.describe(root)) or "nothing")


def _records(root: Path) -> Sign:
    """Repair DVC's records unless somebody is writing them, and say what was ever repaired."""
    try:
        dvc.repair_records(root)
    except BadInput as error:
        return Sign("DVC's records", "lacking", str(error))
    found = repair.history(root)
    if not found:
        return Sign("DVC's records", "ok", "whole; never repaired")
    last = found[-1]
    seen = f"whole; {len(found)} repairs, the last {last['time']}: {last['what']}"
    return Sign("DVC's records", "note", seen)


def _git_lock(root: Path) -> Sign:
    """Git's own lock is a file that outlives a killed git, and then nobody can commit."""
    command = ["git", "rev-parse", "--path-format=absolute", "--git-path", "index.lock"]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    path = Path(answer.stdout.strip())
    if answer.returncode != 0 or not path.exists():
        return Sign("git's lock", "ok", "none left over")
    if _git_runs_in(root):
        return Sign("git's lock", "ok", f"{path}, while git runs")
    return Sign("git's lock", "lacking", f"{path} was left by a git that was killed", f"rm {path}")


def _git_runs_in(root: Path) -> bool:
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.Error):
            if process.info["name"] == "git" and Path(process.cwd()).is_relative_to(root):
                return True
    return False
