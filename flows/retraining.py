"""The parent flow: pull, validate, train, gate, package. Each part is a flow of its own.

Prefect owns when and how often; DVC owns what is stale. A refusal ends the flow early and is not a
failure: the verdict is in its file. The run's name and state say how it ended.
"""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import commit as commits
from flows import dvc, look, run_log, run_page, running
from flows.data_pull import data_pull
from flows.evaluation_gate import evaluation_gate
from flows.label_validation import label_validation
from flows.packaging import packaging
from flows.record import record
from flows.run_log import say
from flows.training import training
from thorax import artifacts, config
from thorax.config import Config
from thorax.errors import Refused
from thorax.locks import die_with_parent

Outcome = Literal["packaged", "data refused", "gate refused", "nothing changed"]
SCHEDULER: str = "THORAX_SCHEDULER_PID"
"""Names the process of `thorax schedule up` to the runs that it starts: they end with it."""


class RetrainingConfig(Config):
    """How a retraining ends."""

    push: bool = True
    """Send data and artifacts to the DVC remote. Turn it off where the remote is the same disk."""


@dataclass(frozen=True)
class Ending:
    """How a run ended: the word for the record, and the sentence that its page shows."""

    outcome: Outcome
    sentence: str


@flow(name="retraining", flow_run_name="retraining")
def retraining(
    from_path: str | None = None, look_first: bool = False, commit: bool = False
) -> State[Any]:
    """Retrain once; the state's message says how it ended.

    Args:
        from_path: a folder that already has the source's files.
        look_first: end at once as "nothing changed" when data, code and settings are those of the
            last run; a caller that looked already leaves it out.
        commit: commit `dvc.lock` and what belongs to it, and tag a release.
    """
    if SCHEDULER in os.environ:
        die_with_parent(int(os.environ[SCHEDULER]))
    started = time.monotonic()
    outcome: str = "failed"
    try:
        with run_log.parts_included(), running.exclusively("retraining"):
            ending = _retrain(from_path, look_first=look_first, commit=commit)
        outcome = ending.outcome
    except Exception as error:
        run_page.rename(f"failed: {str(error).partition(chr(10))[0]}")
        raise
    finally:
        record("runs", outcome=outcome, seconds=round(time.monotonic() - started, 1))
    say(ending.sentence)
    run_page.rename(ending.sentence)
    return Completed(message=ending.sentence, data=ending.outcome)


def _retrain(from_path: str | None, *, look_first: bool, commit: bool) -> Ending:
    if look_first:
        try:
            reason = look.what_is_to_do(None)
        except Refused as refused:  # the verdict rested on a waiver that has ended
            return Ending("data refused", f"data refused: {refused}")
        if not reason:
            return _committed(Ending("nothing changed", "nothing changed"), commit)
        say(f"retraining: {reason}")
    run_page.show_dataset(data_pull(from_path=from_path))
    ending = _after_pull(commit=commit)
    if config.load("retraining", RetrainingConfig).push:
        push_versions()
    return _committed(ending, commit)


def _after_pull(*, commit: bool) -> Ending:
    accepted = label_validation()
    run_page.show_label_quality()
    if not accepted:
        return Ending("data refused", f"data refused: {why_refused()}")
    training()
    passed = evaluation_gate()
    run_page.show_gate()
    if not passed:
        return Ending("gate refused", f"gate refused: {why_not_passed()}")
    if commit:
        # The release is built from a commit that holds its figures: its card names that commit.
        say(str(commits.commit("the gate passes the candidate")))
    tag = packaging()
    run_page.show_release(tag)
    return Ending("packaged", f"released {tag}")


def _committed(ending: Ending, commit: bool) -> Ending:
    if not commit:
        return ending
    made = commits.commit(ending.sentence)
    if made != commits.Committed():
        say(str(made))
    if made.problem:
        return Ending(ending.outcome, f"{ending.sentence}; {made}")
    return ending


def why_refused() -> str:
    """The first critical check that failed, or the waiver that ended; and how many more failed."""
    root = artifacts.root()
    if reason := look.ended_waiver(root, now=datetime.now(UTC)):
        return reason
    verdict = artifacts.read_json(root / "artifacts/validation/verdict.json")
    failed = [
        f"{check['table']}: {check['name']}"
        for check in verdict["checks"]
        if not check["success"] and check["severity"] == "critical" and not check["waiver"]
    ]
    return _first(failed, "the checks refuse it")


def why_not_passed() -> str:
    """The first rule of the gate that failed, else one that lacks evidence; and how many more."""
    decision = artifacts.read_json(artifacts.root() / "artifacts/gate/decision.json")
    reasons = [
        rule["reason"]
        for verdict in ("fail", "insufficient evidence")
        for rule in decision["rules"]
        if rule["verdict"] == verdict and (verdict == "fail" or rule["on_insufficient"] == "hold")
    ]
    return _first(reasons, str(decision["verdict"]))


def _first(reasons: list[str], otherwise: str) -> str:
    if not reasons:
        return otherwise
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{reasons[0].rstrip('.')}{more}"


@task(name="push", task_run_name="push", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=10)
def push_versions() -> None:
    """Send data and artifacts to the DVC remote."""
    say("push to the DVC remote")
    dvc.write("push", "--quiet", show=lambda line: say(f"  {line}"))
