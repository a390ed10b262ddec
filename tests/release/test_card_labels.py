"""The model card says how many of the labels behind it are right."""

from typing import Any

import pytest

from thorax.release import card

ENTRY = {
    "positives": 40, "precision": 0.9, "precision_low": 0.8, "precision_high": 0.95,
    "recall": 0.7, "recall_low": 0.6, "recall_high": 0.8,
}  # fmt: skip
UNDEFINED = {name: (0 if name == "positives" else None) for name in ENTRY}
MEASURED = {
    "measured_on": "the truth", "reports": 12, "findings": {"Mass": ENTRY, "Hernia": UNDEFINED},
    "micro": ENTRY, "micro_without_uncertain": {**ENTRY, "recall": 0.99},
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"mined_labels": MEASURED}, "Measured on 12 reports against the truth: precision 0.900"),
        ({"mined_labels": MEASURED}, "recall 0.990 (0.600 to 0.800) with hedged"),
        ({"mined_labels": MEASURED}, "| Mass | 40 | 0.900 | 0.800 to 0.950 | 0.700 | 0.600 to"),
        ({"mined_labels": MEASURED}, "| Hernia | 0 | - | - | - | - |"),
        (
            {"mined_labels": {"measured_on": "no truth", "reports": 0, "findings": {}}},
            "How many of them are right was not measured: no truth.",
        ),
        ({}, "counts as absent. ## Scores"),
    ],
)
def test_the_card_tells_how_good_the_labels_are(told: dict[str, Any], said: str) -> None:
    written = card.render(
        origin="phantom data",
        source={"source": "phantom", "licence": "none"},
        predictor={"size_px": 64},
        metrics={"split": "test", "images": 1, "patients": 1, "replicates": 100, "findings": {},
                 "mean": {"findings": 0, "auc_score": None, "auc_low": None, "auc_high": None},
                 **told},
        localization=None,
        decision={"verdict": "pass", "valid_until": None, "rules": []},
        labels={"data": "a", "revision": "b", "code_changed": "no", "params": "c"},
    )  # fmt: skip
    assert said in " ".join(written.split())
