"""What is worth another try: Prefect asks this before it retries a task."""

from collections.abc import Callable
from typing import Any


def caused_by(*errors: type[BaseException]) -> Callable[[Any, Any, Any], bool]:
    """A retry condition that holds when the task failed with one of `errors`."""

    def condition(_task: Any, _run: Any, state: Any) -> bool:
        failure = state.result(raise_on_failure=False)
        return isinstance(failure, errors)

    return condition
