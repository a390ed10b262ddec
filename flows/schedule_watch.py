"""Watches what Prefect does with the schedule: are runs planned, do they start, which are dead.

Prefect itself would say "Ready" for ever beside a scheduler that plans nothing, and "Running" of a
run whose machine was switched off. Here the truth is our own lock: whoever holds
`.thorax/schedule.lock` is the only one that runs this deployment.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Crashed

from flows.schedule_settings import ScheduleConfig
from thorax.errors import ThoraxError

_STARTED_WITHIN: Final = timedelta(minutes=5)
_ASK_EVERY_S: Final = 5.0
_FAILURES: Final = 6
_OPEN: Final = (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)


class Watch:
    """Asks Prefect again and again, and raises when the schedule does not do its work."""

    def __init__(self, client: PrefectClient, deployment: UUID, settings: ScheduleConfig) -> None:
        self._client = client
        self._deployment = deployment
        self._settings = settings
        self._seen = datetime.now(UTC)
        self._paused = False
        self.next: datetime | None = None

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            ThoraxError: no run was planned for a while, a planned one does not start, or Prefect
                does not answer.
        """
        failures = 0
        while True:
            try:
                await self._look()
                failures = 0
            except httpx.HTTPError as error:
                failures += 1
                if failures >= _FAILURES:
                    raise ThoraxError(f"the Prefect server does not answer: {error}") from None
            await asyncio.sleep(_ASK_EVERY_S)

    async def _look(self) -> None:
        now = datetime.now(UTC)
        if await self._is_paused():
            self._seen = now
            return
        planned = await self._runs((StateType.SCHEDULED,))
        starts = [_start(run) for run in planned if run.auto_scheduled]
        self.next = min((start for start in starts if start > now), default=None)
        if self.next is not None:
            self._seen = now
        within = self._settings.planned_within_s
        if (now - self._seen).total_seconds() > within:
            raise ThoraxError(
                f"Prefect has planned no run of {self._settings.cron!r} for {within:.0f} s: does "
                "the cron name a day that comes, and is the server's scheduler on? "
                ".thorax/schedule.log holds its errors"
            )
        overdue = [start for start in starts if start < now - _STARTED_WITHIN]
        if overdue and not await self._runs(_OPEN):
            raise ThoraxError(
                f"the run planned for {min(overdue):%Y-%m-%d %H:%M} UTC does not start; "
                ".thorax/schedule.log holds Prefect's errors. Start `thorax schedule up` again"
            )

    async def _is_paused(self) -> bool:
        deployment = await self._client.read_deployment(self._deployment)
        paused = deployment.paused or not any(item.active for item in deployment.schedules)
        if paused and not self._paused:
            print(
                "The schedule is paused on Prefect's page: no run starts until it is resumed there"
            )
        self._paused = paused
        return paused

    async def _runs(self, states: Sequence[StateType]) -> list[FlowRun]:
        return await open_runs(self._client, self._deployment, states)


async def open_runs(
    client: PrefectClient, deployment: UUID | None, states: Sequence[StateType] = _OPEN
) -> list[FlowRun]:
    """The runs of the deployment (None: of everything on the server) in one of `states`."""
    where = DeploymentFilter(id=DeploymentFilterId(any_=[deployment])) if deployment else None
    return await client.read_flow_runs(
        deployment_filter=where,
        flow_run_filter=_in(states),
        sort=FlowRunSort.EXPECTED_START_TIME_ASC,
    )


async def reconcile(client: PrefectClient, deployment: UUID, *, everything: bool) -> int:
    """End in Prefect's books what no process runs any more; returns how many runs that were.

    Call it while nothing runs. Of runs that were missed the newest stays, and starts soon.

    Args:
        client: of the Prefect server.
        deployment: ours; only the holder of our lock runs it.
        everything: the server is ours, and nobody retrains by hand: every open run is dead.
    """
    dead = await open_runs(client, deployment)
    parents = [run.id for run in dead]
    if everything:
        dead = await open_runs(client, None)
    elif parents:
        below = _in(_OPEN)
        below.parent_flow_run_id = FlowRunFilterParentFlowRunId(any_=parents)
        dead += await client.read_flow_runs(flow_run_filter=below)
    for run in dead:
        state: State[Any] = Crashed(
            message="its process ended before it did; the next run goes on from there"
        )
        await client.set_flow_run_state(run.id, state, force=True)
    await _drop_missed(client, deployment)
    return len(dead)


async def _drop_missed(client: PrefectClient, deployment: UUID) -> None:
    now = datetime.now(UTC)
    planned = await open_runs(client, deployment, (StateType.SCHEDULED,))
    missed = [run for run in planned if run.auto_scheduled and _start(run) < now]
    for run in missed[:-1]:
        state: State[Any] = Cancelled(message="missed: `thorax schedule up` did not run then")
        await client.set_flow_run_state(run.id, state, force=True)


def _in(states: Sequence[StateType]) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))))


def _start(run: FlowRun) -> datetime:
    start = run.expected_start_time
    return start if start is not None else datetime.max.replace(tzinfo=UTC)
