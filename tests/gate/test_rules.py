import re
from typing import Any

import pytest

from thorax import config
from thorax.errors import BadInput
from thorax.gate.rules import METRICS, Rule
from thorax.gate.settings import GateConfig


def load(*rules: dict[str, Any]) -> GateConfig:
    return config.parse({"rules": list(rules)}, GateConfig, "params.yaml: gate")


def test_a_rule_reads_as_it_was_written() -> None:
    settings = load(
        {"metric": "auc", "finding": "each", "min_low": 0.5, "min_positives": 10},
        {"metric": "acc_iou", "threshold": 0.1, "min": 0.2},
        {"metric": "validation", "verdict": "accept"},
    )
    names = [rule.name for rule in settings.rules]
    assert names == ["auc min_low 0.5", "acc_iou at T 0.1 min 0.2", "validation verdict accept"]


def test_an_unknown_metric_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(BadInput) as error:
        load({"metric": "champion_auc", "min": 0.5})
    assert "gate.rules.0.metric" in str(error.value)
    assert "'champion_auc'" in str(error.value)
    assert all(name in str(error.value) for name in METRICS)


def test_an_unknown_finding_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(BadInput, match=r"gate\.rules\.0\.finding.*Infiltration.*'Infiltrate'"):
        load({"metric": "auc", "finding": "Infiltrate", "min": 0.5})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"metric": "mean_auc"}, "exactly one bound, here min or min_low"),
        ({"metric": "mean_auc", "min": 0.6, "min_low": 0.5}, "exactly one bound"),
        ({"metric": "mean_auc", "max": 0.6}, "here min or min_low"),
        ({"metric": "calibration_error", "min": 0.1}, "here max"),
        ({"metric": "average_precision", "min_low": 0.1}, "here min"),
        ({"metric": "validation", "min": 0.1}, "here verdict"),
        ({"metric": "mean_auc", "min": 0.6, "min_positives": 3}, "are for metrics of findings"),
        ({"metric": "mean_auc", "min": 0.6, "finding": "Mass"}, "are for metrics of findings"),
        ({"metric": "auc", "min": 0.6, "min_findings": 3}, "min_findings is for means"),
        ({"metric": "acc_iou", "min": 0.1}, "threshold is needed"),
        ({"metric": "auc", "min": 0.1, "threshold": 0.1}, "threshold is needed"),
        ({"metric": "operating_point_sensitivity", "min_high": 0.9}, "point is needed"),
        ({"metric": "auc", "min": 0.5, "point": "screening"}, "point is needed"),
        ({"metric": "average_precision", "min_high": 0.1}, "here min"),
        ({"metric": "mean_auc", "min": float("nan")}, "finite"),
        ({"metric": "mean_auc", "min": 0.1, "on_insufficient": "pass"}, "'hold' or 'ignore'"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        load(rule)


def test_a_misspelt_key_is_answered_with_the_likely_one() -> None:
    with pytest.raises(BadInput, match="min_lo"):
        load({"metric": "mean_auc", "min_lo": 0.5})


def test_a_gate_without_rules_is_refused() -> None:
    with pytest.raises(BadInput, match="rules"):
        load()


@pytest.mark.parametrize("name", ["Pleural Thickening", "pleural_thickening", "Pleural thickening"])
def test_a_rule_names_its_finding_as_it_is_printed(name: str) -> None:
    rule = Rule.model_validate({"metric": "auc", "finding": name, "min": 0.7})
    assert rule.finding == "Pleural_Thickening"
