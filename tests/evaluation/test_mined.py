"""The measured quality of mined labels stands beside the scores that rest on them."""

import json
from pathlib import Path

import pandas as pd

from tests.evaluation.conftest import Checkout
from thorax import artifacts
from thorax.evaluation import mined
from thorax.evaluation.__main__ import evaluate
from thorax.findings import FINDINGS, NORMAL
from thorax.reports import quality
from thorax.reports.settings import ReportsConfig


def measured(path: Path, state: str, *, known: int = 8) -> None:
    """A quality.json as the stage `reports` writes it: Mass in half of eight reports."""
    names = [f"r{number}" for number in range(8)]
    labels = pd.DataFrame(
        [
            {"report": name, "patient": name, "finding": finding, "state": said}
            for number, name in enumerate(names)
            for finding in (*FINDINGS, NORMAL)
            for said in [state if finding == "Mass" and number < 4 else "unmentioned"]
        ]
    )
    truth = pd.DataFrame(
        [
            {"report": name, "finding": finding, "label": int(finding == "Mass" and number < 4)}
            for number, name in enumerate(names[:known])
            for finding in FINDINGS
        ],
        columns=["report", "finding", "label"],
    )
    entry = quality.measure(labels, truth, ReportsConfig(replicates=20), measured_on="the truth")
    path.parent.mkdir(parents=True, exist_ok=True)
    artifacts.write_json(path, entry)


def test_evaluation_takes_the_quality_of_labels_over(checkout: Checkout) -> None:
    measured(checkout.output.parent / "reports/quality.json", "positive")
    evaluate()
    told = json.loads((checkout.output / "metrics.json").read_text())["mined_labels"]
    assert (told["reports"], told["measured_on"]) == (8, "the truth")
    assert told["findings"]["Mass"]["precision"] == told["findings"]["Mass"]["recall"] == 1
    page = (checkout.output / "table.md").read_text()
    assert (
        "| Mass | 4 | 1.000 | not estimable | 1.000 | not estimable | 1.000 | not estimable |"
        in page
    )
    assert "| Hernia | 0 | - | - | - | - | - | - |" in page


def test_hedged_mentions_are_told_apart_from_missed_ones(tmp_path: Path) -> None:
    measured(tmp_path / "quality.json", "uncertain")
    page = "\n".join(mined.markdown(mined.read(tmp_path / "quality.json")))
    assert "| **all** | 4 | - | - | 0.000 | not estimable |" in page
    assert "| **all, without what is uncertain** | 0 | - | - | - | - |" in page


def test_without_a_measurement_the_page_says_why(tmp_path: Path) -> None:
    measured(tmp_path / "quality.json", "positive", known=0)
    for path in (tmp_path / "quality.json", tmp_path / "missing.json"):
        told = mined.read(path)
        assert told["findings"] == {}
        assert mined.markdown(told)[-1].endswith(f"not measured: {told['measured_on']}.")
