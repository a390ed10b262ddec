"""Where this checkout's signing key lies, and which public key it trusts by default."""

import os
from pathlib import Path

from thorax import artifacts, blessing

PUBLIC_KEY = "THORAX_BLESSING_PUBLIC_KEY"
"""The environment variable that pins the public key, in base64."""


def private_key_path() -> Path:
    """The private key of this machine's gate: `THORAX_BLESSING_KEY`, or `.thorax/keys/`."""
    if named := os.environ.get("THORAX_BLESSING_KEY"):
        return Path(named)
    return artifacts.home() / "keys" / "blessing.pem"


def trusted_public_key() -> str | None:
    """The pinned public key, else that of this checkout's own private key; None without either."""
    if pinned := os.environ.get(PUBLIC_KEY):
        return pinned
    path = private_key_path()
    return blessing.public_half(blessing.load_or_make_key(path)) if path.exists() else None
