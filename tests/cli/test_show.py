"""The evidence that `thorax show --report` sets beside the image."""

from pathlib import Path

import pytest

from thorax import artifacts
from thorax.cli.show import evidence_of
from thorax.errors import BadInput
from thorax.reports import __main__ as reports_stage


@pytest.fixture
def labelled(tiny_checkout: Path) -> Path:
    reports_stage.main()
    return tiny_checkout


def test_the_report_of_the_image_comes_with_the_sentence_that_speaks_of_the_finding(
    labelled: Path,
) -> None:
    labels = artifacts.read_table(labelled / "artifacts/reports/labels.parquet")
    positive = labels[(labels["state"] == "positive") & (labels["finding"] != "normal")]
    reports = artifacts.read_csv(labelled / "data/reports.csv").set_index("report")
    for row in positive.itertuples():
        image = str(reports.loc[row.report, "images"]).split("|")[0]
        found = evidence_of(image, str(row.finding), labelled)
        assert (found.report, found.state) == (row.report, "positive")
        assert found.text[found.start : found.end] == row.phrase
        start, end = found.span()
        assert found.text[start:end] == row.sentence and start <= found.start < found.end <= end


def test_a_finding_of_which_the_report_says_nothing_is_unmentioned(labelled: Path) -> None:
    labels = artifacts.read_table(labelled / "artifacts/reports/labels.parquet")
    row = labels[labels["state"] == "unmentioned"].iloc[0]
    reports = artifacts.read_csv(labelled / "data/reports.csv").set_index("report")
    found = evidence_of(
        reports.loc[row["report"], "images"].split("|")[0], row["finding"], labelled
    )
    assert found.state == "unmentioned" and found.sentence == ""


def test_an_image_without_a_report_says_what_to_leave_out(labelled: Path) -> None:
    with pytest.raises(BadInput, match=r"names nobody\.png: show it without --report"):
        evidence_of("nobody.png", "Mass", labelled)
