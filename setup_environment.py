"""Bring `.venv` to exactly what `requirements.lock` names; do nothing when it is there already.

Runs on a bare machine with Python 3.11 or 3.12 and its standard library. Proxies and private
package indexes come from the usual environment variables (HTTPS_PROXY, and pip's or uv's own).
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".thorax-lock"


def main() -> None:
    """Create the environment, install the locked uv, then let uv install the rest."""
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        stop(
            f"Python 3.11 or 3.12 is needed, this is {sys.version.split()[0]}; "
            "name one: make PYTHON=python3.11 ..."
        )
    digest = hashlib.sha256(
        LOCK.read_bytes() + str(ROOT).encode() + sys.version.encode()
    ).hexdigest()
    if STAMP.exists() and STAMP.read_text() == digest:
        return
    with (ROOT / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (STAMP.exists() and STAMP.read_text() == digest):
            install(digest)


def install(digest: str) -> None:
    """Install everything and stamp the environment with the lock's digest."""
    started = time.monotonic()
    print("Setting up .venv from requirements.lock: about three minutes the first time", flush=True)
    STAMP.unlink(missing_ok=True)
    make_environment()
    install_uv()
    # A proxy may sign with a certificate that the system knows and uv alone does not.
    environment = {"UV_SYSTEM_CERTS": "true", **os.environ, "VIRTUAL_ENV": str(VENV)}
    for ours, pips in (("UV_DEFAULT_INDEX", "PIP_INDEX_URL"), ("UV_INDEX", "PIP_EXTRA_INDEX_URL")):
        if pips in os.environ:
            environment.setdefault(ours, os.environ[pips])
    uv = str(VENV / "bin" / "uv")
    # Compiled once here, by all cores: where Python may not write bytecode beside its packages
    # (PYTHONDONTWRITEBYTECODE), every process of every stage would compile them again.
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", str(LOCK)]
    run(sync, environment)
    run(
        [uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)],
        environment,
    )
    STAMP.write_text(digest)
    print(f"Set up in {time.monotonic() - started:.0f} s", flush=True)


def make_environment() -> None:
    """Make `.venv` with pip in it, or say what the system lacks."""
    if (VENV / "bin" / "python").exists():
        answer = subprocess.run(
            [VENV / "bin" / "python", "-m", "pip", "--version"], capture_output=True
        )
        if answer.returncode == 0:
            return
    answer = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True
    )
    if answer.returncode != 0:
        stop(
            "python3 cannot make a virtual environment; install its venv package "
            "(Debian and Ubuntu: apt-get install python3-venv) and run the same command again"
        )


def install_uv() -> None:
    """Install the locked version of uv with pip, its hashes checked."""
    block = re.search(r"^uv==.*?(?=^\S)", LOCK.read_text() + "\nend", re.MULTILINE | re.DOTALL)
    if block is None:
        stop("requirements.lock names no uv; run `git checkout requirements.lock`")
    wanted = VENV / "uv.lock.txt"
    wanted.write_text(block.group(0))
    run(
        [
            str(VENV / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            str(wanted),
        ],
        None,
    )


def run(command: list[str], environment: "dict[str, str] | None") -> None:
    """Run an installer; on failure show its last words and what they usually mean."""
    answer = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if answer.returncode == 0:
        return
    print(answer.stderr[-3000:], file=sys.stderr)
    if re.search(r"gcc|cc1|compiler|Python\.h", answer.stderr):
        stop(
            "a package had to be compiled: install a C compiler "
            "(Debian and Ubuntu: apt-get install build-essential python3-dev)"
        )
    stop(
        "the packages could not be installed (above: why); behind a proxy set HTTPS_PROXY, "
        "with a private package index set PIP_INDEX_URL, then run the same command again"
    )


def stop(message: str) -> None:
    """End with one plain line."""
    print(f"setup: {message}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
