"""The releases that this machine keeps: `.thorax/releases/VERSION/`, and `last.json` naming one.

DVC removes `artifacts/release/` before a release that the gate then forbids, and again on any
checkout of another version; what was blessed last must be served all the same. A release is copied,
not linked: writing over the one leaves the other whole. Nothing is verified here.
"""

import shutil
from pathlib import Path
from typing import Any

from thorax import artifacts, locks

MANIFEST = "manifest.json"


def keep(release: Path, *, kept: int) -> Path:
    """Copy the folder `release` and make it the last one; returns the copy's manifest.

    Whole or not at all: the pointer moves once the copy is there, and older releases go after that.

    Args:
        release: `artifacts/release/`, with `manifest.json` and the archive that it names.
        kept: how many of the newest releases stay.
    """
    manifest = artifacts.read_json(release / MANIFEST)
    version = str(manifest["version"])
    with locks.hold(artifacts.home() / "releases.lock", "keep a release"):
        with artifacts.atomic_folder(_folder() / version) as copy:
            for name in (MANIFEST, str(manifest["bento"])):
                shutil.copyfile(release / name, copy / name)
        newest = [version, *(older for older in _pointer()["kept"] if older != version)][:kept]
        artifacts.write_json(_folder() / "last.json", {"version": version, "kept": newest})
        for folder in _folder().iterdir():
            if folder.is_dir() and folder.name not in newest:
                shutil.rmtree(folder)
    return _folder() / version / MANIFEST


def last() -> Path | None:
    """The manifest of the last kept release; None when there is none."""
    version = _pointer()["version"]
    path = _folder() / str(version) / MANIFEST
    return path if version and path.is_file() else None


def is_last(release: Path) -> bool:
    """Whether the folder `release` is the last one kept."""
    path = last()
    return path is not None and path.read_bytes() == (release / MANIFEST).read_bytes()


def _folder() -> Path:
    return artifacts.home() / "releases"


def _pointer() -> dict[str, Any]:
    path = _folder() / "last.json"
    empty: dict[str, Any] = {"version": None, "kept": []}
    return {**empty, **artifacts.read_json(path)} if path.exists() else empty
