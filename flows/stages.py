"""One Prefect task for every stage: `dvc repro --single-item STAGE`, tried again when killed."""

import time

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import dvc
from flows.attempts import caused_by
from flows.record import record
from flows.run_log import say


@task(
    name="stage",
    task_run_name="{name}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=3,
    retry_condition_fn=caused_by(dvc.Killed),
)
def reproduce(name: str) -> None:
    """Bring one stage up to date; DVC decides whether there is anything to do.

    Raises:
        Refused: the stage needs a yes that an earlier verdict withholds.
        ThoraxError: the stage failed for a reason that it has printed.
    """
    say(f"stage {name}")
    started = time.monotonic()
    try:
        dvc.write("repro", "--single-item", name, show=lambda line: say(f"  {line}"))
    except dvc.Killed as error:
        say(f"  {error}; it is tried again, twice at most")
        raise
    seconds = time.monotonic() - started
    record("stages", stage=name, seconds=round(seconds, 1))
    say(f"  {name}: {seconds:.0f} s")
