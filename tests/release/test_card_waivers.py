"""The model card says what people accepted in the data that the model comes from."""

from typing import Any

from thorax.release import card


def written(**decision: Any) -> str:
    text = card.render(
        origin="phantom data",
        source={"source": "phantom", "licence": "none"},
        predictor={"size_px": 64},
        metrics={"split": "test", "images": 1, "patients": 1, "replicates": 100, "findings": {},
                 "mean": {"findings": 0, "auc_score": None, "auc_low": None, "auc_high": None}},
        localization=None,
        decision={"verdict": "pass", "valid_until": None, "rules": [], **decision},
        labels={"data": "a", "revision": "b", "code_changed": "no", "params": "c"},
    )  # fmt: skip
    return " ".join(text.split())


def test_a_waiver_is_printed_with_check_person_end_and_reason() -> None:
    waiver = {"expectation": "entries: the age", "reason": "typos\nof 1990", "person": "A Reader",
              "expires": "2027-01-31"}  # fmt: skip
    text = written(valid_until="2027-01-31", waivers=[waiver])
    assert 'failed the check "entries: the age". A Reader accepts that until 2027-01-31: ' in text
    assert "typos of 1990" in text
    assert "valid until 2027-01-31" in text


def test_without_a_waiver_the_card_speaks_of_none() -> None:
    assert "aiver" not in written(waivers=[])
    assert "aiver" not in written()
