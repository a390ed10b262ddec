"""What is kept of a run: `.thorax/experiments/EXPERIMENT/RUN/result/`, apart from its worktree.

`run.json` says how the run stands; a finished one has its params, metrics, model and source beside
it. A finished result that another commit replaces moves to `RUN/earlier/COMMIT/`.
"""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from thorax import artifacts

KEPT = {
    "params.yaml": "params.yaml",
    "evaluation.json": "artifacts/evaluation/metrics.json",
    "localization.json": "artifacts/localization/metrics.json",
    "training.json": "artifacts/training/model.json",
    "source.json": "data/source.json",
}
_COMMIT_LETTERS = 12


@dataclass(frozen=True)
class Record:
    """`run.json`.

    Attributes:
        experiment, run, label: which run, and what a table calls it.
        status: running (or interrupted, when nothing holds the experiment's lock), done, failed.
        reason: why it failed, in the stage's own words; empty otherwise.
        budget: the budget's name.
        commit: what ran; `git show COMMIT` has its code and its params.
        wall_s: seconds that its stages took, work before an interruption left out.
        stages: the same by stage.
    """

    experiment: str
    run: str
    label: str
    status: Literal["running", "done", "failed"]
    reason: str
    budget: str
    commit: str
    wall_s: float
    stages: dict[str, float]


def folder(experiment: str, run: str | None = None) -> Path:
    """The machine's own folder of an experiment, or of one of its runs."""
    whole = artifacts.home() / "experiments" / experiment
    return whole / run if run else whole


def tree(experiment: str, run: str) -> Path:
    """Where a run's worktree lies."""
    return folder(experiment, run) / "tree"


def read(experiment: str, run: str) -> Record | None:
    """How a run stands; None when it was never begun."""
    path = folder(experiment, run) / "result" / "run.json"
    return Record(**artifacts.read_json(path)) if path.exists() else None


def finished(experiment: str, run: str) -> dict[str, Any] | None:
    """The metrics of a finished run; None for any other."""
    record = read(experiment, run)
    if record is None or record.status != "done":
        return None
    metrics: dict[str, Any] = artifacts.read_json(
        folder(experiment, run) / "result/evaluation.json"
    )
    return metrics


def write(record: Record) -> None:
    """Make the result folder anew: what is finished goes in whole, everything else is run.json."""
    _keep_earlier(record)
    place = folder(record.experiment, record.run)
    with artifacts.atomic_folder(place / "result") as temporary:
        if record.status == "done":
            for name, source in KEPT.items():
                shutil.copyfile(place / "tree" / source, temporary / name)
        artifacts.write_json(temporary / "run.json", asdict(record))


def _keep_earlier(record: Record) -> None:
    before = read(record.experiment, record.run)
    if before is None or before.status != "done" or before.commit == record.commit:
        return
    place = folder(record.experiment, record.run)
    earlier = place / "earlier" / before.commit[:_COMMIT_LETTERS]
    if not earlier.exists():
        earlier.parent.mkdir(exist_ok=True)
        shutil.copytree(place / "result", earlier)
