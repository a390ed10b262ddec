"""One rule for what an image's reports say, and three rooms that agree on it."""

import numpy as np
import pandas as pd
import pytest

from thorax.dataset import labels
from thorax.findings import FINDINGS
from thorax.label_noise.report_evidence import NO_REPORT, arrange_evidence
from thorax.reports.settings import ReportsConfig
from thorax.reports.table import label_all
from thorax.schemas.mined_labels import EVIDENCE, evidence_by_image, firmness_by_image
from validation import agreement
from validation.settings import AgreementConfig

SETTINGS = ReportsConfig(after_reach_words=8, replicates=10, confidence=0.95, seed=8)

TEXTS = {
    "normal": "Normal chest radiograph.",
    "denied": "FINDINGS: No pneumothorax.",
    "hedged": "FINDINGS: Possible pneumothorax.",
    "present": "FINDINGS: There is a pneumothorax.",
    "other": "FINDINGS: There is a small pleural effusion.",
    "empty": "",
    "foreign": "Sin evidencia de lesiones. Corazon de tamano normal.",
}

# What reports say together of Pneumothorax: 1 present, 0 absent, "uncertain", or None for nothing.
CASES = [
    (["normal"], 0),
    (["denied"], 0),
    (["hedged"], "uncertain"),
    (["present"], 1),
    (["other"], 0),
    (["empty"], None),
    (["foreign"], None),
    (["hedged", "denied"], "uncertain"),
    (["denied", "hedged"], "uncertain"),
    (["normal", "hedged"], "uncertain"),
    (["normal", "present"], 1),
    (["hedged", "present"], 1),
    (["empty", "present"], 1),
    (["empty", "normal"], 0),
    (["foreign", "empty"], None),
    ([], None),
]


@pytest.fixture(scope="module")
def mined() -> pd.DataFrame:
    """What the labeler really writes for `TEXTS`."""
    reports = pd.DataFrame({"report": list(TEXTS), "patient": "p", "text": list(TEXTS.values())})
    return label_all(reports, SETTINGS)


def links(reports: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"image": ["a"] * len(reports), "report": reports}, dtype=str)


def in_dataset(reports: list[str], mined: pd.DataFrame) -> object:
    entries = pd.DataFrame(
        {"image": ["a"], "findings": [""], "uncertain": [""], "unknown": ["|".join(FINDINGS)]}
    )
    place = FINDINGS.index("Pneumothorax")
    joined = labels.join(entries, links(reports), mined, "ignore")
    if joined.known[0, place]:
        return int(joined.targets[0, place])
    hedged = labels.join(entries, links(reports), mined, "positive")
    return "uncertain" if hedged.known[0, place] else None


def in_validation(reports: list[str], mined: pd.DataFrame) -> object:
    """Two sources of labels are compared, so the other one calls the finding present."""
    entries = pd.DataFrame(
        {"image": ["a"], "findings": ["Pneumothorax"], "uncertain": [""], "unknown": [""]}
    )
    table = pd.DataFrame({"report": reports, "images": ["a"] * len(reports)}, dtype=str)
    none = pd.DataFrame(columns=["image", "finding", "label"])
    manifest = pd.DataFrame(
        {"image": ["a"], **{f"target_{name}": [0] for name in FINDINGS},
         **{f"known_{name}": [False] for name in FINDINGS}}
    )  # fmt: skip
    sources = agreement.Sources(entries, table, mined, manifest, adjudicated=none, truth=none)
    config = AgreementConfig(kappa_min=0, ppv_min=0, sensitivity_min=0, positives_min=1)
    found = agreement.table(sources, config).frame
    rows = found[(found["labels"] == "mined") & (found["finding"] == "Pneumothorax")]
    if rows.empty:
        others = found[found["labels"] == "mined"]
        return None if others.empty else "uncertain"
    return int(rows["tp"].iloc[0])


def in_label_noise(reports: list[str], mined: pd.DataFrame) -> object:
    statements = evidence_by_image(links(reports), mined, pd.Series(["a"]))
    rows = pd.DataFrame({"image": ["a"], "label_source": ["given"]})
    targets = np.ones((1, len(FINDINGS)), np.int8)
    found = arrange_evidence(statements, rows, targets)
    state = found.states[0, FINDINGS.index("Pneumothorax")]
    assert found.news.all() == (state != NO_REPORT)
    values = {"positive": 1, "negative": 0, "unmentioned": 0, NO_REPORT: None}
    return values.get(state, state)


@pytest.mark.parametrize(("reports", "expected"), CASES, ids=lambda value: str(value))
def test_three_rooms_agree_on_the_reports_of_an_image(
    reports: list[str], expected: object, mined: pd.DataFrame
) -> None:
    assert in_dataset(reports, mined) == expected
    assert in_validation(reports, mined) == expected
    assert in_label_noise(reports, mined) == expected


def test_a_normal_report_is_evidence_against_every_finding(mined: pd.DataFrame) -> None:
    images = pd.Series(["a", "b"])
    firmness = firmness_by_image(links(["normal"]), mined, images)
    assert (firmness[0] == 0).all()
    assert (firmness[1] == -1).all()
    statements = evidence_by_image(links(["normal"]), mined, images)
    assert statements["finding"].tolist() == list(FINDINGS)
    assert (statements["sentence"] == "Normal chest radiograph.").all()


def test_the_report_that_decides_is_shown(mined: pd.DataFrame) -> None:
    statements = evidence_by_image(links(["denied", "present"]), mined, pd.Series(["a"]))
    shown = statements.set_index("finding").loc["Pneumothorax", list(EVIDENCE)]
    assert shown["report"] == "present"
    assert shown["sentence"] == "There is a pneumothorax."
