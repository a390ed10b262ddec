"""The statistics of earlier data versions: `validation/history.json`, committed, newest last.

A pull that replaces data appends what the outgoing version's stage had accepted; a person commits
it. Reads only.
"""

from pathlib import Path
from typing import Any

from thorax import artifacts
from thorax.errors import BadInput

FILE = "validation/history.json"


def read(path: Path) -> list[dict[str, Any]]:
    """Every version, newest last, none without the file; another shape is a `BadInput`."""
    if not path.exists():
        return []
    try:
        content = artifacts.read_json(path)
    except BadInput as error:
        fault = str(error).rpartition(": ")[0]  # no stage writes it: the advice is another
        raise BadInput(f"{fault}: `git checkout {FILE}` brings the committed one back") from error
    versions = content.get("versions") if isinstance(content, dict) else None
    if not isinstance(versions, list) or not all(map(_is_version, versions)):
        raise BadInput(
            f"{path} holds no list of versions with source, digest, findings and pairs: "
            f"`git checkout {FILE}` brings the committed one back"
        )
    return versions


def previous(
    versions: list[dict[str, Any]], *, source: str, digest: str
) -> tuple[dict[str, Any] | None, str]:
    """The newest other version of the same source; or None, and why there is none."""
    same = [item for item in versions if item["source"] == source and item["digest"] != digest]
    if same:
        return same[-1], ""
    others = sorted({str(item["source"]) for item in versions} - {source})
    if others:
        return None, f"no earlier version of {source!r}; {', '.join(others)} is other data"
    return None, f"{FILE} has no earlier version"


def _is_version(item: object) -> bool:
    return isinstance(item, dict) and {"source", "digest", "findings", "pairs"} <= set(item)
