import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import look


def verdicts(root: Path, *, validation: str, gate: str) -> None:
    for name, verdict in (("validation/verdict", validation), ("gate/decision", gate)):
        path = root / f"artifacts/{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"verdict": verdict}))


@pytest.mark.parametrize(
    ("validation", "gate", "withheld"),
    [
        ("accept", "pass", set()),
        ("accept", "fail", {"release"}),
        ("accept", "insufficient evidence", {"release"}),
    ],
)
def test_a_gates_no_withholds_the_release_and_nothing_else(
    repository: Path, validation: str, gate: str, withheld: set[str]
) -> None:
    verdicts(repository, validation=validation, gate=gate)
    assert look.not_run_after_refusal(repository) == withheld


def test_a_refusal_of_the_data_withholds_everything_after_it(repository: Path) -> None:
    verdicts(repository, validation="refuse", gate="pass")
    assert {"training", "gate", "release"} <= look.not_run_after_refusal(repository)


def test_without_data_there_is_something_to_do(
    repository: Path, stage: Callable[[str], None]
) -> None:
    assert "no data" in look.what_is_to_do(None)
