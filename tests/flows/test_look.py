import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows import look
from thorax.errors import Refused
from thorax.sources.config import SourcesConfig
from thorax.sources.pull import pull

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def verdicts(root: Path, *, validation: str, gate: str, valid_until: str | None = None) -> None:
    for name, verdict in (("validation/verdict", validation), ("gate/decision", gate)):
        path = root / f"artifacts/{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"verdict": verdict, "valid_until": valid_until}))


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


def test_a_waiver_that_has_ended_withholds_what_a_refusal_does(repository: Path) -> None:
    verdicts(repository, validation="accept", gate="pass", valid_until="2026-03-01")
    assert look.not_run_after_refusal(repository, now=NOON) == set()
    assert look.ended_waiver(repository, now=NOON) == ""
    tomorrow = NOON + timedelta(days=1)
    assert {"training", "gate", "release"} <= look.not_run_after_refusal(repository, now=tomorrow)
    assert "waiver that ended on 2026-03-01" in look.ended_waiver(repository, now=tomorrow)


@pytest.mark.parametrize("content", ["[]", '{"verd', "{}"])
def test_a_verdict_broken_by_hand_is_none_and_left_to_dvc(repository: Path, content: str) -> None:
    verdicts(repository, validation="accept", gate="pass", valid_until="2026-03-01")
    for name in ("validation/verdict", "gate/decision"):
        (repository / f"artifacts/{name}.json").write_text(content)
    tomorrow = NOON + timedelta(days=1)
    assert look.not_run_after_refusal(repository, now=tomorrow) == set()
    assert look.ended_waiver(repository, now=tomorrow) == ""


@pytest.mark.parametrize(
    ("verdict", "valid_until", "expected"),
    [
        ("accept", None, True),
        ("accept", "2026-03-01", True),
        ("accept", "2026-02-28", False),
        ("refuse", None, False),
        ("refuse", "2026-03-01", False),
    ],
)
def test_only_a_yes_that_still_holds_lets_a_training_begin(
    verdict: str, valid_until: str | None, expected: bool
) -> None:
    said = {"verdict": verdict, "valid_until": valid_until}
    assert look.accepts(said, now=NOON) is expected


def test_the_look_that_finds_nothing_to_do_refuses_a_verdict_whose_waiver_has_ended(
    repository: Path,
) -> None:
    settings = {"name": "phantom", "workers": 1, "phantom": {"patients": 2, "size_px": 64}}
    (repository / "params.yaml").write_text(json.dumps({"sources": settings}))
    parsed = SourcesConfig.model_validate(settings)
    pull(parsed, source=None, from_path=None, data=repository / "data", home=repository / ".thorax")
    verdicts(repository, validation="accept", gate="pass", valid_until="2026-03-01")
    assert look.what_is_to_do(None, now=NOON) == ""
    with pytest.raises(Refused, match="renew the waiver") as refused:
        look.what_is_to_do(None, now=NOON + timedelta(days=1))
    assert "\n" not in str(refused.value)
