import math

import pytest

from thorax.schemas.estimate import Estimate


@pytest.mark.parametrize(
    ("entry", "text", "interval"),
    [
        ({"auc_score": 0.9124, "auc_low": 0.88, "auc_high": 0.9401, "reason": ""},
         "0.912 (0.880 to 0.940)", "0.880 to 0.940"),
        ({"auc_score": 1.0, "auc_low": None, "auc_high": None, "reason": "1 patient"},
         "1.000 (not estimable)", "not estimable"),
        ({"auc_score": None, "auc_low": None, "auc_high": None, "reason": "no positive image"},
         "-", "-"),
    ],
)  # fmt: skip
def test_an_estimate_reads_and_prints_in_one_form(entry: dict, text: str, interval: str) -> None:
    estimate = Estimate.read(entry, "auc")
    assert (estimate.text(), estimate.interval_text()) == (text, interval)
    assert estimate.reason == entry["reason"]


def test_an_estimate_writes_what_it_reads() -> None:
    estimate = Estimate(0.5, 0.4, 0.6)
    assert Estimate.read(estimate.entry("brier"), "brier") == estimate
    assert math.isnan(Estimate(0.5).entry("auc")["auc_low"])
