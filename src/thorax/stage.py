"""What every stage does around its work: one at a time, dying with its parent, plain errors.

A stage is `python -m thorax.ROOM`. It exits 0 when its outputs are written (a verdict of no is an
output), 1 on an error that a user can fix, 2 when an earlier verdict forbids it.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from thorax import artifacts, disk_space
from thorax.errors import ThoraxError
from thorax.files import printable
from thorax.locks import die_with_parent, hold


def run(name: str, work: Callable[[], None]) -> None:
    """Run a stage's `work` under the stage's lock and exit with the status described above."""
    die_with_parent()
    try:
        with hold(artifacts.home() / "state" / name / "lock", f"stage {name}"):
            _clear_leftovers(name)
            work()
    except ThoraxError as error:
        print(f"{name}: {printable(str(error))}", file=sys.stderr, flush=True)
        sys.exit(error.exit_code)
    except Exception as error:
        full = disk_space.describe_full_disk(error, artifacts.root())
        if not full:
            raise
        print(f"{name}: {printable(full)}", file=sys.stderr, flush=True)
        sys.exit(1)


def _clear_leftovers(name: str) -> None:
    """Remove what a killed run of this stage left beside its output folder."""
    for left in output_folder(name).parent.glob(f".{name}.*"):
        shutil.rmtree(left, ignore_errors=True)


def output_folder(name: str) -> Path:
    """The stage's output folder, `artifacts/NAME/`."""
    return artifacts.root() / "artifacts" / name


def state_folder(name: str) -> Path:
    """Where a stage keeps what it can resume from: one folder per digest of its deps and params.

    Work that was begun with other code, data or settings lies under another digest and is never
    read.
    """
    return artifacts.home() / "state" / name / digest(name)[:16]


def digest(name: str) -> str:
    """The sha256 over a stage's declared dependencies (contents) and its params (values)."""
    root = artifacts.root()
    stage = _declared(name, root)
    params = yaml.safe_load((root / "params.yaml").read_text())
    parts: dict[str, object] = {key: params.get(key) for key in stage.get("params", [])}
    for dependency in stage.get("deps", []):
        parts[dependency] = _content(root / dependency)
    return artifacts.sha256_json(parts)


def _declared(name: str, root: Path) -> dict[str, list[str]]:
    """What `dvc.yaml`, or `optional/dvc.yaml` for stages that nobody waits for, says of a stage."""
    for file in (root / "dvc.yaml", root / "optional" / "dvc.yaml"):
        stages = yaml.safe_load(file.read_text())["stages"] if file.is_file() else {}
        if name in stages:
            declared: dict[str, list[str]] = stages[name]
            return declared
    raise KeyError(name)


def _content(path: Path) -> object:
    if path.is_dir():
        files = sorted(
            file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts
        )
        return {os.fspath(file.relative_to(path)): artifacts.sha256_file(file) for file in files}
    return artifacts.sha256_file(path)
