"""Sound tables, small: what validation reads when nothing is wrong."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from thorax import config
from thorax.findings import FINDINGS, NORMAL, known_column, target_column
from validation import counts, images, inputs, labels
from validation.checks import Table
from validation.settings import PositivesMin, ValidationConfig

REPOSITORY = Path(__file__).parents[2]
SETTINGS = config.load("validation", ValidationConfig, REPOSITORY / "params.yaml").model_copy(
    update={"positives_min": PositivesMin(train=1, validation=1, test=1)}
)
_PICTURES = {"images", "image_faults", "copies"}  # judged by tests of their own


@dataclass(frozen=True)
class Frames:
    """What validation reads."""

    entries: pd.DataFrame
    boxes: pd.DataFrame
    reports: pd.DataFrame
    adjudicated: pd.DataFrame
    truth: pd.DataFrame
    labels: pd.DataFrame
    manifest: pd.DataFrame
    versions: list[dict[str, Any]]

    def tables(self, source: str = "phantom") -> list[Table]:
        given = inputs.Inputs(
            source, "now", self.entries, self.boxes, self.reports, self.adjudicated, self.truth,
            self.labels, self.manifest, pd.DataFrame(columns=list(images.COPIES)),
            tuple(self.versions),
        )  # fmt: skip
        tables = [table for table in inputs.suites(given, SETTINGS) if table.name not in _PICTURES]
        if inputs.are_whole(given):
            tables += inputs.derived(given, inputs.count(given), SETTINGS)
        return tables


PATIENTS = 140


def clean() -> Frames:
    """140 images of 140 patients; every finding is positive in every split."""
    image = [f"{number:08}_000.png" for number in range(PATIENTS)]
    patient = [f"{number:08}" for number in range(PATIENTS)]
    split = [("train", "train", "train", "validation", "test")[number // 28]
             for number in range(PATIENTS)]  # fmt: skip
    finding = [FINDINGS[number % 14] for number in range(PATIENTS)]
    given = pd.DataFrame({"image": image, "patient": patient})
    given = given.assign(follow_up="0", age_years="50", sex="F", view="PA")
    given = given.assign(findings=finding, uncertain="", unknown="", split=split)
    reports = pd.DataFrame({"report": [f"r{name}" for name in image], "patient": patient})
    reports = reports.assign(images=image, text="There is something.")
    answers = pd.DataFrame({"image": image, "finding": "Mass", "label": "0"})
    answers["label"] = ["1" if name == "Mass" else "0" for name in finding]
    boxes = given[["image"]].assign(finding=finding, x_px="1", y_px="2", w_px="3", h_px="4.5")
    frames = Frames(
        entries=given,
        boxes=boxes.assign(frame_px="64"),
        reports=reports,
        adjudicated=answers,
        truth=answers.head(0),
        labels=_labels(reports, finding),
        manifest=_manifest(given, finding, split),
        versions=[],
    )
    frames.versions.append({**count_of(frames), "name": "before", "digest": "before"})
    return frames


def count_of(frames: Frames) -> dict[str, Any]:
    counted = counts.count(frames.manifest, frames.labels, source="phantom", digest="now")
    return json.loads(json.dumps(counted))


def _labels(reports: pd.DataFrame, finding: list[str]) -> pd.DataFrame:
    rows = []
    for report, patient, present in zip(
        reports["report"], reports["patient"], finding, strict=True
    ):
        for name in (*FINDINGS, NORMAL):
            said = name in (present, NORMAL)
            state = "negative" if name == NORMAL else "positive" if said else "unmentioned"
            rows.append(
                (report, patient, name, state, "", "", None, None, "it" if said else "", "", "")
            )
    return pd.DataFrame(rows, columns=list(labels.COLUMNS))


def _manifest(given: pd.DataFrame, finding: list[str], split: list[str]) -> pd.DataFrame:
    table = given[["image", "patient", "sex", "view"]].assign(
        follow_up=0, age_years=50.0, split=split
    )
    table = table.assign(archive="a", shard="s", row=range(len(given)), readable=True, reason="")
    table = table.assign(label_source="given", width_px=64, height_px=64, channels=1, bit_depth=8)
    table = table.assign(mean_level=90.0, std_level=20.0, low_share=0.0, high_share=0.0)
    table = table.assign(sha256=[f"{number:064x}" for number in range(len(given))])
    for name in FINDINGS:
        table[target_column(name)] = [int(name == present) for present in finding]
        table[known_column(name)] = True
    return table
