"""The one place for the environment of every process that we start.

All telemetry is off, every library keeps its files inside the checkout's `.thorax/`, and loopback
is never reached through a proxy. What the user has set already stays as it is, except for
telemetry, and except for a SOCKS proxy that no library here can speak to.
"""

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path

NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "ORT_DISABLE_TELEMETRY": "1",  # counts only when it is set before onnxruntime is imported
}

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


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
        # `git status` would lock the index to refresh it; a kill then leaves the lock for ever.
        "GIT_OPTIONAL_LOCKS": "0",
    }
    environment = {**defaults, **direct_loopback(os.environ), **NO_TELEMETRY}
    environment["THORAX_ROOT"] = str(root)
    environment["PATH"] = _first(str(Path(sys.executable).parent), os.environ.get("PATH", ""))
    environment["PYTHONPATH"] = _first(
        str(root / "src"), _first(str(root), os.environ.get("PYTHONPATH", ""))
    )
    return environment


def apply(root: Path) -> None:
    """Give this process that environment; call it before the libraries are imported.

    Makes the folders that it names: Prefect makes the last part of its own only.
    """
    if os.environ.get("PREFECT_API_URL") == "":  # as good as not set, but not to Prefect
        del os.environ["PREFECT_API_URL"]
    ours = variables(root)
    for name in unusable_proxies(os.environ):
        del os.environ[name]
    os.environ.update(ours)
    for name in ("PREFECT_HOME", "BENTOML_HOME", "DVC_SITE_CACHE_DIR"):
        Path(os.environ[name]).mkdir(parents=True, exist_ok=True)


def direct_loopback(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with this machine itself added to what no proxy is asked for.

    Libraries read one of the two spellings, so both get all that stands in either.
    """
    listed = [environment.get(name, "") for name in ("NO_PROXY", "no_proxy")]
    hosts = [host.strip() for text in listed for host in text.split(",")]
    text = ",".join(dict.fromkeys([*filter(None, hosts), *LOOPBACK]))
    unusable = unusable_proxies(environment)
    kept = {name: value for name, value in environment.items() if name not in unusable}
    return {**kept, "NO_PROXY": text, "no_proxy": text}


def set_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables that are set, in either spelling."""
    names = [spelling for name in PROXIES for spelling in (name, name.lower())]
    return {name: environment[name] for name in names if environment.get(name)}


def unusable_proxies(environment: Mapping[str, str]) -> list[str]:
    """The variables that name a SOCKS proxy, where the package that speaks SOCKS is missing.

    The HTTP client would stop at one of these with an ImportError even on its way to loopback.
    """
    if importlib.util.find_spec("socksio") is not None:
        return []
    found = set_proxies(environment)
    return [name for name, url in found.items() if url.lower().startswith("socks")]


def _first(entry: str, path: str) -> str:
    rest = [part for part in path.split(os.pathsep) if part and part != entry]
    return os.pathsep.join([entry, *rest])
