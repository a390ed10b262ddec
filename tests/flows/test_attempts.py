import pytest
from prefect.client.schemas.objects import State, StateType

from flows import dvc
from flows.attempts import caused_by
from thorax.errors import BadInput, NetworkError


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (NetworkError("the line was cut"), True),
        (dvc.Killed("status -9"), True),
        (BadInput("row 3: no such finding"), False),
    ],
)
def test_only_the_network_and_a_kill_are_worth_another_try(error: Exception, again: bool) -> None:
    state = State(type=StateType.FAILED, data=error)
    assert caused_by(NetworkError, dvc.Killed)(None, None, state) is again
