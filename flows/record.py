"""The machine's own record of runs, `.thorax/*.jsonl`: when, how long, how it ended."""

import json
from datetime import UTC, datetime
from typing import Any

from thorax import artifacts


def record(book: str, **entry: Any) -> None:
    """Append one line to `.thorax/BOOK.jsonl`, stamped with the time (UTC)."""
    path = artifacts.home() / f"{book}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **entry})
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def entries(book: str) -> list[dict[str, Any]]:
    """The lines of `.thorax/BOOK.jsonl`, oldest first; one cut short by a kill is passed over."""
    path = artifacts.home() / f"{book}.jsonl"
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
