"""Whether what lies in the bento is what the gate blessed.

The decision must be a blessed pass, and every file of the predictor must be one of the files that
the decision was made about, byte for byte. The code beside them is covered by the archive's sha256
in the release manifest, not by this.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from thorax import blessing
from thorax.errors import Refused

PREDICTOR = "artifacts/inference/predictor"
"""Where the gate saw the predictor: the prefix of its files among the decision's inputs."""


def require_blessed(bundle: Path, *, public_key: str | None, now: datetime) -> None:
    """Raise `Refused` unless `bundle` holds a blessed decision and the predictor that it is about.

    Args:
        bundle: the folder with `decision.json` and `predictor/`.
        public_key: the pinned key in base64; None accepts the key that the blessing names.
        now: the present, with its time zone.
    """
    decision = blessing.require_pass(
        _read(bundle / "decision.json"), public_key=public_key, now=now
    )
    require_same_files(decision, bundle / "predictor")


def require_own_code(bundle: Path) -> None:
    """Raise `Refused` unless the `thorax` that was imported is the one in `bundle`.

    Started by its tag where another `thorax` can be imported, BentoML would serve that one's code.
    """
    if not Path(blessing.__file__).is_relative_to(bundle):
        raise Refused(f"{blessing.__file__} was imported, not the bento's: serve it by its folder")


def require_same_files(decision: dict[str, Any], predictor: Path) -> None:
    """Raise `Refused` unless `predictor` holds exactly the files that `decision` is about."""
    inputs: dict[str, str] = decision.get("inputs") or {}
    blessed = {
        path.removeprefix(f"{PREDICTOR}/"): digest
        for path, digest in inputs.items()
        if path.startswith(f"{PREDICTOR}/")
    }
    if not blessed:
        raise Refused(
            f"the decision names no file of {PREDICTOR}: it was made about something else"
        )
    found = {
        str(path.relative_to(predictor)): _sha256(path)
        for path in sorted(predictor.rglob("*"))
        if path.is_file()
    }
    for name in sorted(blessed.keys() | found.keys()):
        if blessed.get(name) != found.get(name):
            raise Refused(f"predictor/{name} is not the file that the gate blessed")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{path.name} cannot be read ({error})") from None
    if not isinstance(document, dict):
        raise Refused(f"{path.name} holds no decision")
    return document
