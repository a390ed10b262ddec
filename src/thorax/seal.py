"""Whether what lies in a bento is what was released: code, predictor, settings and decision.

The gate signs the decision before there is a bento. When the release stage has built one, it signs
a second statement with the same key: the bento's tag and the sha256 of each of its files. A bento
is served only when both statements carry the pinned key and every file fits.

A bento cannot vouch for itself to the end: whoever can change its code can change this check too.
`thorax serve` therefore runs the check with the checkout's code before it starts the bento's.
"""

import hashlib
import json
import marshal
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from thorax import blessing
from thorax.errors import Refused

SEAL = "src/seal.json"
DECISION = "src/decision.json"
PREDICTOR = "artifacts/inference/predictor"
"""Where the gate saw the predictor: the prefix of its files among the decision's inputs."""

_PYC_HEADER_BYTES = 16


def write(bento: Path, key: Ed25519PrivateKey, *, tag: str) -> None:
    """Sign the built folder `bento`: its tag, and the sha256 of every file in it."""
    files = {name: _sha256(path) for name, path in _files(bento) if name != SEAL}
    statement = {"tag": tag, "files": files}
    document = {**statement, "blessing": blessing.sign(statement, key)}
    text = json.dumps(document, indent=1, sort_keys=True)
    (bento / SEAL).write_text(text + "\n", encoding="utf-8")


def require_sealed(bento: Path, *, public_key: str | None, now: datetime) -> None:
    """Raise `Refused` unless `bento` holds what was released, signed with the pinned key.

    Args:
        bento: a built or unpacked bento: `bento.yaml`, `src/`, and more.
        public_key: the pinned key in base64; without one every bento is refused, for anybody can
            sign with a key of their own.
        now: the present, with its time zone.
    """
    if not public_key:
        raise Refused(
            "no public key is pinned: set THORAX_BLESSING_PUBLIC_KEY to the key of the checkout "
            "that released this (manifest.json there, blessing.public_key)"
        )
    require_whole(bento, public_key=public_key)
    decision = blessing.require_pass(_read(bento / DECISION), public_key=public_key, now=now)
    require_same_files(decision, bento / "src/predictor")


def require_whole(bento: Path, *, public_key: str) -> None:
    """Raise `Refused` unless every file of `bento` is the one in its signed statement."""
    statement = blessing.require_signed(_read(bento / SEAL), public_key=public_key, what="seal")
    signed = blessing.checksums(statement, "files")
    found = dict(_files(bento))
    for name, digest in sorted(signed.items()):
        if name not in found or _sha256(found[name]) != digest:
            raise Refused(f"{name} is not the file that was released and signed")
    for name in sorted(found.keys() - signed.keys() - {SEAL}):
        if name.startswith("src/") and not _is_compiled(found[name], found):
            raise Refused(f"{name} is not among the files that were released and signed")


def require_own_code(bundle: Path) -> None:
    """Raise `Refused` unless the `thorax` that was imported is the one in `bundle`.

    Started by its tag where another `thorax` can be imported, BentoML would serve that one's code.
    """
    if not Path(blessing.__file__).is_relative_to(bundle):
        raise Refused(f"{blessing.__file__} was imported, not the bento's: serve it by its folder")


def require_same_files(decision: dict[str, Any], predictor: Path) -> None:
    """Raise `Refused` unless `predictor` holds exactly the files that `decision` is about."""
    blessed = {
        path.removeprefix(f"{PREDICTOR}/"): digest
        for path, digest in blessing.checksums(decision, "inputs").items()
        if path.startswith(f"{PREDICTOR}/")
    }
    if not blessed:
        raise Refused(
            f"the decision names no file of {PREDICTOR}: it was made about something else"
        )
    found = {name: _sha256(path) for name, path in _files(predictor)}
    for name in sorted(blessed.keys() | found.keys()):
        if blessed.get(name) != found.get(name):
            raise Refused(f"predictor/{name} is not the file that the gate blessed")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below `folder` by its path in it; a link is refused, for it can lead anywhere."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise Refused(f"{name} is a link: a bento holds files only")
        if path.is_file():
            yield name, path


def _is_compiled(path: Path, found: dict[str, Path]) -> bool:
    """Whether `path` is what Python itself makes of a file beside it, or a name it never loads.

    Python runs the compiled file where there is one, so a planted one would be run unseen.
    """
    if path.parent.name != "__pycache__" or path.suffix != ".pyc":
        return False
    module, _, version = path.stem.partition(".")
    if version != sys.implementation.cache_tag:
        return True
    source = path.parent.parent / f"{module}.py"
    if source not in found.values():
        return False
    try:
        code = marshal.loads(path.read_bytes()[_PYC_HEADER_BYTES:])
        return bool(code == compile(source.read_bytes(), str(source), "exec", dont_inherit=True))
    except (EOFError, TypeError, ValueError, SyntaxError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Refused(f"{path.name} cannot be read ({reason})") from None
