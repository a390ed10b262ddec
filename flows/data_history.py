"""What earlier data versions held: kept in `validation/history.json` when a pull replaces one.

The validation stage writes `statistics.json` beside its verdict. Once `data/` holds something else,
the accepted ones are appended here, for the next validation to compare with; a person commits the
file. Imports no Prefect, and does nothing while data and statistics belong together.
"""

from pathlib import Path
from typing import Any

from thorax import artifacts

FILE = "validation/history.json"


def keep(root: Path, *, name: str) -> bool:
    """Append the accepted statistics of a version that `data/` no longer holds.

    Doing it twice changes nothing, and so it may also follow a pull that was killed.

    Args:
        root: the checkout.
        name: what the outgoing version is called, its digest's beginning.

    Returns:
        Whether something was appended.
    """
    folder = root / "artifacts" / "validation"
    source, path = root / "data" / "source.json", root / FILE
    if not source.exists() or not (folder / "statistics.json").exists():
        return False
    statistics: dict[str, Any] = artifacts.read_json(folder / "statistics.json")
    if statistics["digest"] == artifacts.sha256_json(artifacts.read_json(source)):
        return False
    if artifacts.read_json(folder / "verdict.json")["verdict"] != "accept":
        return False
    history: dict[str, Any] = artifacts.read_json(path) if path.exists() else {"versions": []}
    if any(version["digest"] == statistics["digest"] for version in history["versions"]):
        return False
    history["versions"].append({"name": name or statistics["digest"][:12], **statistics})
    artifacts.write_json(path, history)
    return True
