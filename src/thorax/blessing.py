"""Sign a decision and verify it: the blessing without which nothing is packaged or deployed.

Ed25519 over the canonical JSON of the decision. The private key stays on the machine that runs the
gate (`.thorax/keys/`, or the file that `THORAX_BLESSING_KEY` names); whoever deploys pins the
public half. Says nothing about whether a decision was wise.
"""

import base64
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from thorax.errors import Refused
from thorax.validity import ended


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """The private key in `path` (PEM); made there, readable by its owner only, when missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(
                Ed25519PrivateKey.generate().private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"{path} holds no Ed25519 key")
    return key


def public_half(key: Ed25519PrivateKey) -> str:
    """The public key as base64 of its 32 raw bytes."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def sign(decision: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, str]:
    """The blessing of `decision`: algorithm, public key and signature, all text."""
    signature = base64.b64encode(key.sign(_canonical(decision))).decode()
    return {"algorithm": "ed25519", "public_key": public_half(key), "signature": signature}


def verify(decision: dict[str, Any], blessing: Any, public_key: str | None = None) -> None:
    """Raise `Refused` unless `blessing` signs exactly this `decision`.

    Args:
        decision: what was signed, without the blessing itself.
        blessing: what `sign` returned.
        public_key: the pinned key; None trusts the key that the blessing names, which proves only
            that nothing changed since it was signed.
    """
    if not blessing:
        raise Refused("the decision carries no blessing: the gate did not pass")
    if not isinstance(blessing, dict) or not all(
        isinstance(blessing.get(name), str) for name in ("algorithm", "public_key", "signature")
    ):
        raise Refused(
            "the blessing is not as the gate writes it (algorithm, public_key and signature, each "
            "a text)"
        )
    if public_key is not None and blessing["public_key"] != public_key:
        raise Refused("the blessing was signed with another key than the one trusted here")
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(blessing["public_key"]))
        key.verify(base64.b64decode(blessing["signature"]), _canonical(decision))
    except (InvalidSignature, ValueError, RecursionError):
        raise Refused(
            "the blessing does not fit the decision: one of the two was changed"
        ) from None


def require_signed(document: Any, *, public_key: str | None, what: str) -> dict[str, Any]:
    """The content of a signed document without its blessing.

    Args:
        document: what was read, with the blessing in it.
        public_key: as in `verify`.
        what: what to call it in the message.

    Raises:
        Refused: it is no document, or its blessing does not fit.
    """
    if not isinstance(document, dict):
        raise Refused(f"the {what} is no document of names and values")
    content = {key: value for key, value in document.items() if key != "blessing"}
    verify(content, document.get("blessing"), public_key)
    return content


def require_pass(document: Any, *, public_key: str | None, now: datetime) -> dict[str, Any]:
    """The decision without its blessing, when it is a blessed pass that still holds at `now`.

    Args:
        document: `decision.json` as the gate wrote it.
        public_key: as in `verify`.
        now: the present, with its time zone.

    Raises:
        Refused: no pass, no blessing that fits, or a waiver behind it that has ended.
    """
    if not isinstance(document, dict):
        raise Refused("the decision is no document of names and values")
    verdict = document.get("verdict")
    if verdict != "pass":
        shown = repr(verdict[:80]) if isinstance(verdict, str) else "missing"
        raise Refused(f"the gate's verdict is {shown}, not 'pass'")
    decision = require_signed(document, public_key=public_key, what="decision")
    until = decision.get("valid_until")
    if ended(until, now=now, where="decision"):
        raise Refused(f"the gate's pass rested on a waiver that ended on {until}")
    return decision


def checksums(document: dict[str, Any], name: str) -> dict[str, str]:
    """The table `name` of a document: the sha256 of each file by its path; else `Refused`."""
    table = document.get(name)
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise Refused(f"{name!r} is no table of files and their sha256")
    return table


def _canonical(decision: dict[str, Any]) -> bytes:
    return json.dumps(decision, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
