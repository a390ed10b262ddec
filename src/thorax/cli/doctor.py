"""`thorax doctor`: what this machine has and lacks, each with what to do about it."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from flows import dvc, prefect_server, repair, running
from thorax import artifacts, environment, keys

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
    environment.apply(root)
    dvc.repair_records(root)
    marks = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "lacking": "[red]lacking[/]"}
    table = Table(box=None, pad_edge=False)
    for name in ("", "what", "seen", "what to do"):
        table.add_column(name, overflow="fold")
    for sign in examine(root):
        table.add_row(marks[sign.state], sign.what, sign.seen, sign.to_do)
    Console().print(table)


def examine(root: Path) -> Iterator[Sign]:
    """Look at processor, memory, disk, GPU, versions, remotes and keys."""
    yield Sign(
        "python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    )
    yield Sign("processor", "ok", f"{os.cpu_count()} cores")
    yield _memory()
    yield _disk(root)
    yield _gpu()
    yield from (_version(name) for name in _PARTS)
    yield _remote(root)
    yield _git(root)
    yield _key()
    yield _proxies()
    yield _prefect_server()
    yield _running(root)
    yield _repairs(root)


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
    return sum(
        file.lstat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink()
    )


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
        ["dvc", "remote", "list"], cwd=root, capture_output=True, text=True, check=False
    )
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


def _repairs(root: Path) -> Sign:
    """Repairs of DVC's records so far; what is broken now is repaired by the next command."""
    found = repair.history(root)
    if not found:
        return Sign("repairs", "ok", "none needed so far")
    last = found[-1]
    return Sign("repairs", "note", f"{len(found)}, the last {last['time']}: {last['what']}")
