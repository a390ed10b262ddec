"""Look before starting Prefect: is there anything to do? Imports no Prefect, and writes nothing."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows import dvc
from thorax import artifacts, config, validity
from thorax.errors import BadInput, Refused
from thorax.sources.config import SourcesConfig
from thorax.sources.fingerprint import is_current

_VALIDATION = "artifacts/validation/verdict.json"

# What does not run after a refusal, and so stays stale, honestly.
_AFTER_DATA_REFUSAL = {
    "training", "inference", "validation_predictions", "localization", "evaluation", "gate",
    "release",
}  # fmt: skip
_AFTER_GATE_REFUSAL = {"release"}


def what_is_to_do(from_path: Path | None, *, now: datetime | None = None) -> str:
    """The first reason to retrain in plain words, or an empty string when everything is current.

    Args:
        from_path: a folder that already has the source's files.
        now: the present, with its time zone; None asks the clock.

    Raises:
        Refused: all is current, but the verdict on the data rested on a waiver that has ended.
    """
    root = artifacts.root()
    if not (root / "data" / "source.json").exists():
        return "no data has been pulled yet"
    settings = config.load("sources", SourcesConfig)
    if not is_current(settings, from_path=from_path, data=root / "data", home=artifacts.home()):
        return f"the source {settings.name!r} is to be asked (again): it may have other data"
    withheld = not_run_after_refusal(root, now=now)
    stale = [stage for stage in dvc.status(wait=True) if stage not in withheld]
    if stale:
        return f"changed since the last run: {', '.join(stale)}"
    if reason := ended_waiver(root, now=now):
        raise Refused(reason)
    return ""


def not_run_after_refusal(root: Path, *, now: datetime | None = None) -> set[str]:
    """The stages that a standing refusal keeps from running, and that are stale for that reason."""
    if _read(root / _VALIDATION).get("verdict") == "refuse" or ended_waiver(root, now=now):
        return _AFTER_DATA_REFUSAL
    if _read(root / "artifacts/gate/decision.json").get("verdict") not in ("pass", None):
        return _AFTER_GATE_REFUSAL
    return set()


def ended_waiver(root: Path, *, now: datetime | None = None) -> str:
    """Why the verdict on the data no longer counts; empty when it does, or there is none."""
    until = _read(root / _VALIDATION).get("valid_until")
    if not validity.ended(until, now=now or datetime.now(UTC), where=_VALIDATION):
        return ""
    return (
        f"the verdict in {_VALIDATION} rested on a waiver that ended on {until}: mend the data or "
        "renew the waiver in params.yaml"
    )


def accepts(verdict: dict[str, Any], *, now: datetime) -> bool:
    """Whether a verdict on the data lets a training begin at the moment `now`."""
    ended = validity.ended(verdict.get("valid_until"), now=now, where=_VALIDATION)
    return bool(verdict["verdict"] == "accept") and not ended


def _read(path: Path) -> dict[str, Any]:
    """A verdict or decision; empty when there is none or a broken one: DVC writes it anew."""
    with suppress(BadInput):
        content = artifacts.read_json(path)
        return content if isinstance(content, dict) else {}
    return {}
