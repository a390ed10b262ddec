"""Look before starting Prefect: is there anything to do? Imports no Prefect, and writes nothing."""

from pathlib import Path

from flows import dvc
from thorax import artifacts, config
from thorax.sources.config import SourcesConfig
from thorax.sources.fingerprint import is_current

# What does not run after a refusal, and so stays stale, honestly.
_AFTER_DATA_REFUSAL = {"training", "inference", "localization", "evaluation", "gate", "release"}
_AFTER_GATE_REFUSAL = {"release"}


def what_is_to_do(from_path: Path | None) -> str:
    """The first reason to retrain in plain words, or an empty string when everything is current."""
    root = artifacts.root()
    if not (root / "data" / "source.json").exists():
        return "no data has been pulled yet"
    settings = config.load("sources", SourcesConfig)
    if not is_current(settings, from_path=from_path, data=root / "data", home=artifacts.home()):
        return f"the source {settings.name!r} is to be asked (again): it may have other data"
    stale = [stage for stage in dvc.status() if stage not in not_run_after_refusal(root)]
    return f"changed since the last run: {', '.join(stale)}" if stale else ""


def not_run_after_refusal(root: Path) -> set[str]:
    """The stages that a standing refusal keeps from running, and that are stale for that reason."""
    if _verdict(root / "artifacts/validation/verdict.json") == "refuse":
        return _AFTER_DATA_REFUSAL
    if _verdict(root / "artifacts/gate/decision.json") not in ("pass", None):
        return _AFTER_GATE_REFUSAL
    return set()


def _verdict(path: Path) -> str | None:
    return str(artifacts.read_json(path)["verdict"]) if path.exists() else None
