"""What the reports mention, doubt and leave unsaid: shares, overall and by finding.

`mentions` has one row per finding of the vocabulary.
"""

import numpy as np
import pandas as pd

from thorax.findings import FINDINGS, STATES
from validation import statistic
from validation.checks import Check, Table
from validation.settings import ValidationConfig
from validation.statistic import Statistic

_NO_REPORTS = "the source has no reports"


def statistics(
    entries: pd.DataFrame, reports: pd.DataFrame, labels: pd.DataFrame, config: ValidationConfig
) -> tuple[Statistic, ...]:
    """Three numbers over all reports; arguments as in `statistics.tables`."""
    return (
        _foreign_reports(entries, reports, config.rows_named),
        _doubtful(labels, config.uncertain_share_max),
        _silent(labels, config.rows_named),
    )


def table(labels: pd.DataFrame, config: ValidationConfig) -> Table:
    """One row per finding: how many reports say what about it, and the shares."""
    judged = labels[labels["finding"].isin(FINDINGS)]
    counts = pd.crosstab(judged["finding"], judged["state"])
    counts = counts.reindex(index=list(FINDINGS), columns=list(STATES), fill_value=0)
    said = counts.drop(columns="unmentioned").sum(axis=1)
    reports = counts.sum(axis=1)
    enough = (said >= config.mentions_min).to_numpy()
    doubtful = counts["uncertain"].to_numpy() / np.maximum(said.to_numpy(), 1)
    frame = counts.reset_index().rename_axis(columns=None)
    frame["reports"] = reports.to_numpy()
    frame["uncertain_share"] = np.where(enough, doubtful, np.nan)
    frame["unmentioned_share"] = frame["unmentioned"] / np.maximum(frame["reports"], 1)
    lack = "" if len(judged) else _NO_REPORTS
    checks = (
        _share("uncertain_share", config.uncertain_share_max, lack),
        _share("unmentioned_share", config.unmentioned_share_max, lack),
    )
    return Table("mentions", frame, ("finding", *STATES), checks)


def _share(column: str, highest: float, lack: str) -> Check:
    name, reason = {
        "uncertain_share": (
            "of no finding more than {:.0%} of the mentions are doubtful",
            "a finding that is nearly always doubtful has no labels to learn from",
        ),
        "unmentioned_share": (
            "no finding is left unmentioned by more than {:.1%} of the reports",
            "a finding that no report names has no phrases that fit these reports, or is not there",
        ),
    }[column]
    return Check(
        name.format(highest),
        "ExpectColumnValuesToBeBetween",
        {"column": column, "max_value": highest},
        "warning",
        reason,
        not_applicable=lack,
    )


def _foreign_reports(entries: pd.DataFrame, reports: pd.DataFrame, named: int) -> Statistic:
    links = reports.assign(image=reports["images"].str.split("|")).explode("image")
    pairs = links.merge(entries[["image", "patient"]], on="image", suffixes=("", "_of_image"))
    foreign = pairs[pairs["patient"] != pairs["patient_of_image"]]
    return Statistic(
        "every report is about its own patient's images",
        "reports_of_other_patients",
        foreign["report"].nunique(),
        "critical",
        "labels mined from another patient's report are wrong labels",
        high=0,
        rows=statistic.rows(foreign[["report", "patient", "image", "patient_of_image"]], named),
        not_applicable="" if len(reports) else _NO_REPORTS,
    )


def _doubtful(labels: pd.DataFrame, highest: float) -> Statistic:
    said = labels[labels["finding"].isin(FINDINGS) & (labels["state"] != "unmentioned")]
    return Statistic(
        f"at most {highest:.0%} of what the reports mention is doubtful",
        "uncertain_share",
        float((said["state"] == "uncertain").mean()) if len(said) else 0.0,
        "warning",
        "reports that mostly hedge, or a rule that sees hedges everywhere, leave few labels",
        high=highest,
        not_applicable="" if len(labels) else _NO_REPORTS,
    )


def _silent(labels: pd.DataFrame, named: int) -> Statistic:
    mentioned = labels["state"].ne("unmentioned").groupby(labels["report"], sort=False).any()
    silent = mentioned.index[~mentioned.to_numpy(bool)]
    return Statistic(
        "every report says something that is recognised",
        "silent_reports",
        len(silent),
        "warning",
        "an empty report or one in another language labels nothing; its images stay unknown",
        high=0,
        rows=tuple({"report": report} for report in silent[:named]),
        not_applicable="" if len(labels) else _NO_REPORTS,
    )
