"""Rules over whole tables: computed in pandas into small tables, judged by ordinary expectations.

`statistics` has one row and one column per number; `positives` one row per split x finding.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from thorax.findings import FINDINGS, SPLITS, target_column
from validation.checks import Check, Row, Severity, Table
from validation.settings import ValidationConfig


@dataclass(frozen=True)
class _Statistic:
    """A number with its bounds; `rows` are the offenders behind it."""

    name: str
    column: str
    value: float
    severity: Severity
    reason: str
    low: float | None = None
    high: float | None = None
    rows: tuple[Row, ...] = ()


def tables(
    entries: pd.DataFrame,
    reports: pd.DataFrame,
    labels: pd.DataFrame,
    manifest: pd.DataFrame,
    config: ValidationConfig,
) -> tuple[Table, Table]:
    """The two derived tables with their suites.

    Args:
        entries: columns `image, patient`.
        reports: columns `report, patient, images`.
        labels: columns `report, finding, state`.
        manifest: the manifest.
        config: bounds.
    """
    numbers = (
        _torn_patients(manifest, config.rows_named),
        *(_size(manifest, split) for split in SPLITS),
        _copies(manifest, config.rows_named),
        _unreadable(manifest, config.unreadable_share_max),
        _foreign_reports(entries, reports, config.rows_named),
        _doubtful(labels, config.uncertain_share_max),
        _silent(labels, config.rows_named),
    )
    frame = pd.DataFrame([{number.column: number.value for number in numbers}])
    checks = tuple(_check(number) for number in numbers)
    return Table("statistics", frame, (), checks), _positives(manifest, config)


def _check(number: _Statistic) -> Check:
    bounds: dict[str, Any] = {"column": number.column}
    if number.low is not None:
        bounds["min_value"] = number.low
    if number.high is not None:
        bounds["max_value"] = number.high
    return Check(
        number.name,
        "ExpectColumnMaxToBeBetween",
        bounds,
        number.severity,
        number.reason,
        number.rows,
        offenders=int(number.value) if number.rows else 0,
    )


def _torn_patients(manifest: pd.DataFrame, named: int) -> _Statistic:
    used = manifest[manifest["split"] != ""]
    splits = used.groupby("patient")["split"].unique()
    torn = splits[splits.map(len) > 1]
    rows = tuple(
        {
            "patient": patient,
            "splits": sorted(names),
            "images": used.loc[used["patient"] == patient, "image"].head(named).tolist(),
        }
        for patient, names in torn.head(named).items()
    )
    return _Statistic(
        "no patient is in two splits",
        "patients_in_two_splits",
        len(torn),
        "critical",
        "a model that has seen the patient scores better on the test than it will on others",
        high=0,
        rows=rows,
    )


def _size(manifest: pd.DataFrame, split: str) -> _Statistic:
    return _Statistic(
        f"{split} is not empty",
        f"images_in_{split}",
        int((manifest["split"] == split).sum()),
        "critical",
        "without images in a split nothing can be learned, tuned or judged",
        low=1,
    )


def _copies(manifest: pd.DataFrame, named: int) -> _Statistic:
    used = manifest[manifest["split"] != ""]
    doubled = used[used["sha256"].duplicated(keep=False)]
    splits = doubled.groupby("sha256")["split"].nunique()
    across = doubled[doubled["sha256"].isin(splits.index[splits > 1])].sort_values(
        ["sha256", "image"]
    )
    return _Statistic(
        "no file lies in two splits under two names",
        "files_in_two_splits",
        across["sha256"].nunique(),
        "warning",
        "the same picture in train and test is a leak even when the patients differ",
        high=0,
        rows=_rows(across[["image", "patient", "split"]], named),
    )


def _unreadable(manifest: pd.DataFrame, highest: float) -> _Statistic:
    return _Statistic(
        f"at most {highest:.2%} of the images are unreadable",
        "unreadable_share",
        float((~manifest["readable"]).mean()) if len(manifest) else 0.0,
        "critical",
        "many bad images mean a broken pull or export, not bad luck",
        high=highest,
    )


def _foreign_reports(entries: pd.DataFrame, reports: pd.DataFrame, named: int) -> _Statistic:
    links = reports.assign(image=reports["images"].str.split("|")).explode("image")
    pairs = links.merge(entries[["image", "patient"]], on="image", suffixes=("", "_of_image"))
    foreign = pairs[pairs["patient"] != pairs["patient_of_image"]]
    return _Statistic(
        "every report is about its own patient's images",
        "reports_of_other_patients",
        foreign["report"].nunique(),
        "critical",
        "labels mined from another patient's report are wrong labels",
        high=0,
        rows=_rows(foreign[["report", "patient", "image", "patient_of_image"]], named),
    )


def _doubtful(labels: pd.DataFrame, highest: float) -> _Statistic:
    said = labels[labels["finding"].isin(FINDINGS) & (labels["state"] != "unmentioned")]
    return _Statistic(
        f"at most {highest:.0%} of what the reports mention is doubtful",
        "uncertain_share",
        float((said["state"] == "uncertain").mean()) if len(said) else 0.0,
        "warning",
        "reports that mostly hedge, or a rule that sees hedges everywhere, leave few labels",
        high=highest,
    )


def _silent(labels: pd.DataFrame, named: int) -> _Statistic:
    mentioned = labels["state"].ne("unmentioned").groupby(labels["report"], sort=False).any()
    silent = mentioned.index[~mentioned]
    return _Statistic(
        "every report says something that is recognised",
        "silent_reports",
        len(silent),
        "warning",
        "an empty report or one in another language labels nothing; its images stay unknown",
        high=0,
        rows=tuple({"report": report} for report in silent[:named]),
    )


def _positives(manifest: pd.DataFrame, config: ValidationConfig) -> Table:
    columns = [target_column(finding) for finding in FINDINGS]
    sums = manifest.groupby("split")[columns].sum().reindex(list(SPLITS), fill_value=0)
    frame = pd.DataFrame(
        [
            {
                "split": split,
                "finding": finding,
                "positives": int(sums.loc[split, target_column(finding)]),  # type: ignore[arg-type]
                "minimum": getattr(config.positives_min, split),
            }
            for split in SPLITS
            for finding in FINDINGS
        ]
    )
    enough = Check(
        "every finding has enough positives in every split",
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {"column_A": "positives", "column_B": "minimum", "or_equal": True},
        "warning",
        "a finding with a handful of positives cannot be learned, calibrated or judged",
    )
    return Table("positives", frame, ("split", "finding"), (enough,))


def _rows(frame: pd.DataFrame, named: int) -> tuple[Row, ...]:
    return tuple(
        {str(key): value for key, value in row.items()}
        for row in frame.head(named).to_dict("records")
    )
