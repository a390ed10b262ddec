"""The releases that this machine keeps: `.thorax/releases/VERSION/`, and `last.json` naming one.

DVC removes `artifacts/release/` before a release that the gate then forbids, and again on any
checkout of another version; what was blessed last must be served all the same. A release is copied,
not linked: writing over the one leaves the other whole. Nothing is verified here.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from thorax import artifacts, locks
from thorax.errors import BadInput

MANIFEST = "manifest.json"
_VERSION = r"[0-9a-z]{1,40}"  # a plain name: it becomes a folder's


class Manifest(BaseModel):
    """What `manifest.json` says of a release."""

    model_config = ConfigDict(frozen=True)

    tag: str = Field(pattern=rf"^thorax:{_VERSION}$")
    version: str = Field(pattern=rf"^{_VERSION}$")
    bento: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The archive's name, in the manifest's folder."""
    sha256: str
    blessing: dict[str, str]


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`; one that was not written by the release stage is a `BadInput`."""
    try:
        return Manifest.model_validate(artifacts.read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "content"
        raise BadInput(f"{path}: {place}: {first['msg']}: run release again") from None


def keep(release: Path, *, kept: int) -> Path:
    """Copy the folder `release` and make it the last one; returns the copy's manifest.

    Whole or not at all: the pointer moves once the copy is there, and older releases go after that.

    Args:
        release: `artifacts/release/`, with `manifest.json` and the archive that it names.
        kept: how many of the newest releases stay.
    """
    manifest = read_manifest(release / MANIFEST)
    version = manifest.version
    with locks.hold(artifacts.home() / "releases.lock", "keep a release"):
        with artifacts.atomic_folder(_folder() / version) as copy:
            for name in (MANIFEST, manifest.bento):
                shutil.copyfile(release / name, copy / name)
        newest = [version, *(older for older in _pointer()["kept"] if older != version)][:kept]
        artifacts.write_json(_folder() / "last.json", {"version": version, "kept": newest})
        for folder in _folder().iterdir():
            if folder.is_dir() and folder.name not in newest:
                shutil.rmtree(folder)
    return _folder() / version / MANIFEST


def last() -> Path | None:
    """The manifest of the last kept release; None when there is none."""
    version = str(_pointer()["version"])
    path = _folder() / version / MANIFEST
    return path if re.fullmatch(_VERSION, version) and path.is_file() else None


def is_last(release: Path) -> bool:
    """Whether the folder `release` is the last one kept."""
    path = last()
    return path is not None and path.read_bytes() == (release / MANIFEST).read_bytes()


def _folder() -> Path:
    return artifacts.home() / "releases"


def _pointer() -> dict[str, Any]:
    path = _folder() / "last.json"
    empty: dict[str, Any] = {"version": None, "kept": []}
    found = artifacts.read_json(path) if path.exists() else empty
    if not isinstance(found, dict) or not isinstance(found.get("kept", []), list):
        raise BadInput(f"{path} names no release: remove it and run release again")
    return {**empty, **found}
