"""Where a release comes from, as labels: data, code, settings, score, verdict.

Reads `data.dvc` and git; calls no DVC.
"""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from thorax import artifacts, config
from thorax.origin import read_data_version

CODE = (
    "src", "serving", "validation", ":(exclude)validation/history.json", "requirements.lock",
)  # fmt: skip
"""What counts when we ask whether the code was changed since the commit."""

SETTINGS = ("params.yaml", "dvc.yaml", "data.dvc", "corrections.csv")
"""What else decides the figures, and is compared with the commit file by file."""

LOCK = "dvc.lock"


def labels(root: Path, *, decision: dict[str, Any], metrics: dict[str, Any]) -> dict[str, str]:
    """The labels of a bento built from the checkout at `root`.

    Args:
        root: the checkout.
        decision: the gate's decision.
        metrics: `artifacts/evaluation/metrics.json`.
    """
    mean = metrics["mean"]["auc_score"]
    return {
        "data": read_data_version(root / "data.dvc"),
        "revision": _git(root, "rev-parse", "HEAD") or "unknown",
        "code_changed": "yes" if _git(root, "status", "--porcelain", "--", *CODE) else "no",
        "params": artifacts.sha256_json(config.read_params(root / "params.yaml")),
        "lock": lock_digest(root / LOCK),
        "not_committed": ", ".join(not_committed(root)),
        "mean_auc_score": "undefined" if mean is None else f"{mean:.4f}",
        "gate": str(decision["verdict"]),
    }


def lock_digest(path: Path) -> str:
    """The digest of what `dvc.lock` says of the stages before the release; empty without a lock.

    The release stage is left out: DVC writes its entry after it ran. So the digest in a card can be
    computed again from the `dvc.lock` of the commit that the card names.
    """
    return _lock_digest(path.read_text(encoding="utf-8")) if path.is_file() else ""


def not_committed(root: Path) -> list[str]:
    """What decides the figures and is not as HEAD has it: code, settings, `dvc.lock`."""
    if not _git(root, "rev-parse", "HEAD"):
        return ["everything"]
    listed = _git(root, "status", "--porcelain", "--", *CODE)
    names = ["code"] if listed else []
    names += [name for name in SETTINGS if _git(root, "status", "--porcelain", "--", name)]
    if lock_digest(root / LOCK) != _lock_digest(_git(root, "show", f"HEAD:./{LOCK}")):
        names.append(LOCK)
    return names


def _lock_digest(text: str) -> str:
    try:
        stages = dict((yaml.safe_load(text) or {}).get("stages", {}))
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        return ""
    earlier = {name: stages[name] for name in stages if name != "release"}
    return artifacts.sha256_json(earlier) if earlier else ""


def commit_time(root: Path) -> datetime:
    """When the commit was made (UTC): a bento's time of creation. Outside git, the epoch."""
    return datetime.fromtimestamp(int(_git(root, "log", "-1", "--format=%ct") or 0), UTC)


def _git(root: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() if answer.returncode == 0 else ""
