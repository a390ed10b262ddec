"""Builds the bento, offline: a folder that holds what ships and nothing else, then BentoML's build.

The predictor ships as files of the bento, not as a model of BentoML's store: one digest then covers
all that ships, a rollback is one folder, and two bentos never meet over a shared model on import.
The packages are our own lock with hashes; BentoML would add a line without a hash to it.
"""

import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import yaml

from thorax import artifacts, environment, locks
from thorax.errors import ThoraxError
from thorax.release.settings import ReleaseConfig

NAME = "thorax"

MODULES = (
    "__init__.py",
    "appearance.py",
    "blessing.py",
    "chest_reference.npz",
    "errors.py",
    "findings.py",
    "image_checks.py",
    "image_formats/__init__.py",
    "image_formats/exif.py",
    "image_formats/jpeg.py",
    "image_formats/layout.py",
    "image_formats/png.py",
    "image_formats/stderr.py",
    "images.py",
    "inference/__init__.py",
    "inference/boxes.py",
    "inference/colours.py",
    "inference/predictor.py",
    "inference/refinement.py",
    "inference/regression.py",
    "localization/__init__.py",
    "localization/iou.py",
    "seal.py",
    "validity.py",
)
"""The files of `thorax` that the service needs."""


def stage(root: Path, folder: Path, *, card: str) -> None:
    """Copy what ships from the checkout at `root` into `folder`.

    Args:
        root: the checkout, with a predictor and a decision under `artifacts/`.
        folder: an empty folder.
        card: the model card, Markdown.
    """
    for module in MODULES:
        _copy(root / "src/thorax" / module, folder / "thorax" / module)
    for file in sorted((root / "serving").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".lock":
            _copy(file, folder / "serving" / file.relative_to(root / "serving"))
    predictor = root / "artifacts/inference/predictor"
    for file in sorted(predictor.rglob("*")):
        if file.is_file():
            _copy(file, folder / "predictor" / file.relative_to(predictor))
    _copy(root / "artifacts/gate/decision.json", folder / "decision.json")
    _copy(root / "serving/requirements.lock", folder / "requirements.lock")
    (folder / "CARD.md").write_text(card, encoding="utf-8")


def write_bentofile(folder: Path, *, labels: dict[str, str], settings: ReleaseConfig) -> None:
    """Write BentoML's build file into the staged `folder`.

    Args:
        folder: what `stage` filled.
        labels: the bento's labels.
        settings: how it is packed, and how the service runs.
    """
    content = {
        "service": "serving.service:Thorax",
        "name": NAME,
        "description": "file:CARD.md",
        "labels": labels,
        "include": ["*"],
        "exclude": ["bentofile.yaml"],
        "python": {"requirements_txt": "requirements.lock", "lock_packages": False},
        "docker": {"python_version": settings.python_version},
        "envs": [{"name": key, "value": value} for key, value in _quiet().items()],
        "args": settings.serving.model_dump(),
    }
    (folder / "bentofile.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def version(folder: Path) -> str:
    """The first 12 hex digits of a digest over every staged file, labels and settings included."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return artifacts.sha256_json(
        {str(file.relative_to(folder)): artifacts.sha256_file(file) for file in files}
    )[:12]


def build(folder: Path, home: Path, *, version: str, created: datetime) -> Path:
    """Let BentoML build the staged `folder` in its own process; returns the bento's folder.

    Args:
        folder: what `stage` and `write_bentofile` filled.
        home: an empty folder for BentoML's store.
        version: the bento's version.
        created: its time of creation: the clock's would make every build another archive.
    """
    command = [sys.executable, "-m", "bentoml", "build", "--version", version, "--output", "tag"]
    answer = subprocess.run(
        command, cwd=folder, env=_environment(home), capture_output=True, text=True, check=False,
        preexec_fn=locks.die_with_parent,
    )  # fmt: skip
    bento = home / "bentos" / NAME / version
    if answer.returncode != 0 or not bento.is_dir():
        raise ThoraxError(f"BentoML could not build the service: {_last_words(answer)}")
    _settle(bento, lock=(folder / "requirements.lock").read_text(encoding="utf-8"), created=created)
    return bento


def _settle(bento: Path, *, lock: str, created: datetime) -> None:
    """Put a fixed time where BentoML put the clock's, and our lock where it put a changed one."""
    path = bento / "bento.yaml"
    info = yaml.safe_load(path.read_text(encoding="utf-8"))
    info["creation_time"] = created
    info["image"]["python_requirements"] = lock
    path.write_text(yaml.safe_dump(info, sort_keys=False), encoding="utf-8")
    (bento / "env/python/requirements.txt").write_text(lock, encoding="utf-8")
    (bento / "env/python/requirements.in").unlink(missing_ok=True)
    for cache in list(bento.rglob("__pycache__")):
        shutil.rmtree(cache)


def _environment(home: Path) -> dict[str, str]:
    """Ours, but with nothing of the checkout on the path: what is not staged must not be found."""
    inherited = environment.direct_loopback(os.environ)
    inherited.pop("PYTHONPATH", None)
    return {
        **inherited,
        **_quiet(),
        "BENTOML_HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _quiet() -> dict[str, str]:
    names = ("BENTOML_DO_NOT_TRACK", "DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY")
    return {name: environment.NO_TELEMETRY[name] for name in names}


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _last_words(answer: "subprocess.CompletedProcess[str]") -> str:
    lines = (answer.stderr.strip() or answer.stdout.strip()).splitlines()
    return " ".join(lines[-2:]) if lines else f"exit status {answer.returncode}"
