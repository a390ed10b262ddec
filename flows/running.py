"""One at a time: whatever changes data, settings or results holds `.thorax/retraining.lock`.

A retraining holds it from its first look to its end, so that nothing changes under it between two
of its stages. Whoever only looks reads here what is running and waits for nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows import dvc
from thorax import artifacts
from thorax.locks import find_holder, hold

_LOCK = "retraining.lock"
_held = False


@contextmanager
def exclusively(purpose: str) -> Iterator[None]:
    """Hold the checkout for the `with` block, its DVC records repaired.

    Waits for a running retraining and says so. A process that has it already (a flow that the
    command line started) goes on.
    """
    global _held
    if _held:
        yield
        return
    with hold(artifacts.home() / _LOCK, purpose):
        _held = True
        try:
            dvc.repair_records()
            yield
        finally:
            _held = False


def describe(root: Path) -> list[str]:
    """What is running in the checkout: who, since when, and at which step."""
    home = root / ".thorax"
    locks = [home / _LOCK, home / "pull.lock", home / "dvc.lock"]
    locks += sorted(home.glob("experiments/*/lock"))
    return [holder for lock in locks if (holder := find_holder(lock))]
