"""Serves the last blessed bento in the foreground, with the BentoML of the current environment.

It is served from `.thorax/releases/`, so that a later no of the gate takes nothing out of service;
a blessed one in `artifacts/release/` that is not there yet (DVC restored it) is taken over first.
The archive is checked against its manifest and unpacked under `.thorax/bentoml/bentos/`; every file
there must be signed with the trusted key, which is passed on to the service, whose own code checks
the same once more. It is started by the bento's folder, not by
its tag: given `thorax:VERSION`, BentoML imports a module of that name first and would serve the
checkout's code. Each port has a BentoML home of its own: a starting server empties its home's
metrics.
"""

import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from thorax import artifacts, config, environment, keys, seal
from thorax.errors import BadInput, Refused, ThoraxError
from thorax.release import archive, releases
from thorax.release.settings import ReleaseConfig

MANIFEST = "artifacts/release/manifest.json"


@dataclass(frozen=True)
class Launch:
    """A server that can be started: what to run, where, with which environment, and its tag."""

    tag: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


def serve(port: int = 3000, *, host: str = "127.0.0.1") -> NoReturn:
    """Become the server of the last blessed bento; ends with Ctrl-C.

    Raises:
        BadInput: there is no bento yet, it is not the one that the manifest names, or the port is
            taken.
        Refused: its decision is not a blessed pass.
    """
    launch = prepare(choose(), port=port, host=host)
    _require_free(host, port)
    print(f"{launch.tag} on http://{host}:{port} (Ctrl-C ends it)", file=sys.stderr, flush=True)
    os.chdir(launch.folder)
    os.execve(launch.command[0], launch.command, launch.environment)


def choose() -> Path:
    """The manifest of the last blessed release; one that lies in `artifacts/` alone is kept first.

    Raises:
        BadInput: there is none, or the one to be kept is not what its manifest names.
        Refused: the one to be kept is not a blessed pass.
    """
    made = artifacts.root() / MANIFEST
    if made.exists() and not releases.is_last(made.parent):
        install(made)  # checks it
        kept = config.load("release", ReleaseConfig).kept
        return releases.keep(made.parent, kept=kept)
    return releases.last() or made


def prepare(manifest: Path, *, port: int, host: str = "127.0.0.1") -> Launch:
    """Check and unpack the bento that `manifest` names; start nothing."""
    bento = install(manifest)
    home = artifacts.home() / "bentoml" / "ports" / str(port)
    home.mkdir(parents=True, exist_ok=True)
    return Launch(
        tag=f"{bento.parent.name}:{bento.name}",
        command=(
            sys.executable, "-m", "bentoml", "serve", str(bento),
            "--host", host, "--port", str(port), "--timeout-graceful-shutdown", "10",
        ),
        folder=home,
        environment=_environment(home),
    )  # fmt: skip


def install(manifest: Path) -> Path:
    """Unpack the bento that `manifest` names, unless it is there already; returns its folder.

    It is checked with this checkout's code and the trusted public key before anything of it runs,
    each time: what was unpacked earlier may have been changed since.
    """
    if not manifest.exists():
        raise BadInput("there is no blessed bento yet: `make retrain` makes one")
    named = releases.read_manifest(manifest)
    path = manifest.parent / named.bento
    if not path.exists() or artifacts.sha256_file(path) != named.sha256:
        raise BadInput(f"{path} is not the archive that {manifest.name} names: run release again")
    folder = artifacts.home() / "bentoml/bentos" / named.tag.replace(":", "/")
    if not folder.exists():
        archive.unpack(path, folder)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    try:
        seal.require_sealed(folder, public_key=_trusted_key(named), now=datetime.now(UTC))
    except ThoraxError as error:
        raise Refused(f"{named.tag}: {error} (to unpack it again, remove {folder})") from None
    if artifacts.read_json(folder / seal.DECISION)["blessing"] != named.blessing:
        raise Refused(f"{manifest} carries another blessing than its bento")
    return folder


def _trusted_key(named: releases.Manifest) -> str:
    key = keys.trusted_public_key()
    if key is None:
        raise Refused(
            f"{named.tag} was released elsewhere and this checkout has no key of its own: if you "
            f"trust its key, pin it: export {keys.PUBLIC_KEY}={named.blessing.get('public_key')}"
        )
    return key


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadInput(
                f"{host}:{port} cannot be served on ({error.strerror}): choose another port"
            ) from None


def _environment(home: Path) -> dict[str, str]:
    inherited = environment.direct_loopback(os.environ)
    inherited.pop("PYTHONPATH", None)
    return {
        **inherited,
        **environment.NO_TELEMETRY,
        "BENTOML_HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        keys.PUBLIC_KEY: keys.trusted_public_key() or "",
    }
