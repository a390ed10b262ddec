"""The one place for the environment of every process that we start.

All telemetry is off, and every library keeps its files inside the checkout's `.thorax/`. What the
user has set already stays as it is, except for telemetry.
"""

import os
import sys
from pathlib import Path

NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "BENTOML_DO_NOT_TRACK": "True",
}


def variables(root: Path) -> dict[str, str]:
    """The environment for processes that work on the checkout at `root`."""
    home = root / ".thorax"
    defaults = {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        # What a run says goes to the log on Prefect's page. On the terminal the flows say it
        # themselves, in plain lines: Prefect's own would repeat them, with tracebacks.
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "BENTOML_HOME": str(home / "bentoml"),
        "DVC_SITE_CACHE_DIR": str(home / "dvc"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
        # OpenMP's threads sleep while they wait: spinning made training 2 to 10 times slower on a
        # machine whose processors were busy with something else.
        "OMP_WAIT_POLICY": "passive",
    }
    environment = {**defaults, **os.environ, **NO_TELEMETRY, "THORAX_ROOT": str(root)}
    environment["PATH"] = _first(str(Path(sys.executable).parent), os.environ.get("PATH", ""))
    environment["PYTHONPATH"] = _first(
        str(root / "src"), _first(str(root), os.environ.get("PYTHONPATH", ""))
    )
    return environment


def apply(root: Path) -> None:
    """Give this process that environment; call it before the libraries are imported.

    Makes the folders that it names: Prefect makes the last part of its own only.
    """
    os.environ.update(variables(root))
    for name in ("PREFECT_HOME", "BENTOML_HOME", "DVC_SITE_CACHE_DIR"):
        Path(os.environ[name]).mkdir(parents=True, exist_ok=True)


def _first(entry: str, path: str) -> str:
    rest = [part for part in path.split(os.pathsep) if part and part != entry]
    return os.pathsep.join([entry, *rest])
