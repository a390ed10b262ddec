"""Flow: the runs of an experiment, one after the other, each in a worktree of its own.

A run is brought up to date stage by stage by DVC, as a retraining is, in that worktree and by that
worktree's code. What DVC finds current is not run again, a killed training goes on from its state,
and a run that fails is recorded with its reason and does not keep the others from running.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import yaml
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import dvc, experiment_result, experiment_tree
from flows.attempts import caused_by
from flows.experiment_plan import STAGES, Plan, plan
from flows.experiment_result import Record
from thorax import artifacts
from thorax.errors import ThoraxError

_SHOWN = "training: epoch"


@flow(name="experiment", validate_parameters=False)
def experiment(name: str, runs: list[str], budget: str) -> None:
    """Run what is not finished; how each run ended is in its record."""
    for each in plan(name, runs, budget):
        if each.is_finished():
            print(f"{each.name}: finished before", flush=True)
        else:
            carry_out(each)


def carry_out(each: Plan) -> Record:
    """Run the stages of one run, and record how it ended."""
    record = _begin(each)
    tree, stage = experiment_result.tree(each.experiment, each.run), "worktree"
    try:
        experiment_tree.place(artifacts.root(), tree, each.commit)
        for stage in STAGES:
            record = _with(record, _timed(each, stage, tree, record.stages))
            experiment_result.write(record)  # what a stage took stands, whatever happens later
        record = replace(record, status="done")
    except (ThoraxError, dvc.Killed) as error:
        record = replace(record, status="failed", reason=_reason(error, stage))
        print(f"{each.name}: failed: {record.reason}", flush=True)
    experiment_result.write(record)
    return record


def _reason(error: Exception, stage: str) -> str:
    """Why a stage failed in its own words, where it said any."""
    words = str(getattr(error, "__notes__", [error])[-1])
    return words if words.startswith(f"{stage}: ") else f"{stage}: {words}"


def _begin(each: Plan) -> Record:
    """Record that the run is under way; what its stages took before stands until they run again."""
    before = experiment_result.read(each.experiment, each.run)
    stages = before.stages if before else {}
    record = Record(
        each.experiment, each.run, each.label, "running", "", each.budget, each.commit, 0.0, {}
    )
    record = _with(record, stages)
    experiment_result.write(record)
    return record


def _with(record: Record, stages: dict[str, float]) -> Record:
    return replace(record, stages=stages, wall_s=round(sum(stages.values()), 1))


def _timed(each: Plan, stage: str, tree: Path, stages: dict[str, float]) -> dict[str, float]:
    """Bring one stage up to date; the seconds by stage, as before where DVC had nothing to run."""
    dvc.repair_records(tree)
    before = _lock_entry(tree, stage)
    started = time.monotonic()
    run_stage(each.name, stage, tree)
    seconds = round(time.monotonic() - started, 1)
    if stage in stages and _lock_entry(tree, stage) == before:
        print(f"{each.name}: {stage}: as it was", flush=True)
        return stages
    print(f"{each.name}: {stage}: {seconds:.0f} s", flush=True)
    return {**stages, stage: seconds}


@task(
    name="experiment-stage",
    task_run_name="{name}-{stage}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=3,
    retry_condition_fn=caused_by(dvc.Killed),
)
def run_stage(name: str, stage: str, tree: Path) -> None:
    """Bring one stage of a worktree up to date; all it says goes to `log.txt` beside the tree.

    Raises:
        ThoraxError, Killed: as `flows.dvc.write` does.
    """
    with (tree.parent / "log.txt").open("a", encoding="utf-8", buffering=1) as log:
        dvc.write("repro", "--single-item", stage, root=tree, show=_to(log.write, name))


def _to(write: Callable[[str], object], name: str) -> Callable[[str], None]:
    def show(line: str) -> None:
        write(line)
        if line.startswith(_SHOWN):
            print(f"{name}: {line}", end="", flush=True)

    return show


def _lock_entry(tree: Path, stage: str) -> object:
    """What DVC has on record of a stage: digests of what it read and wrote."""
    path = tree / "dvc.lock"
    lock = yaml.safe_load(path.read_text()) if path.exists() else None
    return (lock or {}).get("stages", {}).get(stage)
