"""Flow: pull the source's data into `data/` and make it a dataset version (`data.dvc`)."""

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import dvc, versions
from flows.attempts import caused_by
from flows.run_log import log, say
from thorax import progress
from thorax.errors import NetworkError
from thorax.sources.pull import PullResult


@flow(name="data-pull", flow_run_name="data-pull")
def data_pull(from_path: str | None = None) -> str:
    """Pull, and track what came as a dataset version; returns the version's digest."""
    pull_source(from_path)
    return versions.current()


@task(
    name="pull",
    task_run_name="pull",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[5, 60],
    retry_condition_fn=caused_by(NetworkError, dvc.Killed),
)
def pull_source(from_path: str | None) -> PullResult:
    """Pull and track; a failing network is tried again, a wrong file is not."""
    say("pull")
    with progress.copied_to(log):
        return versions.pull_version(Path(from_path) if from_path else None)
