"""Rules over whole tables: computed in pandas into small tables, judged by ordinary expectations.

`statistics` has one row and one column per number; `positives` one row per split x finding.
Visits, mentions, agreement and drift have files of their own.
"""

import pandas as pd

from thorax.findings import FINDINGS, SPLITS, target_column
from validation import cells, mentions, statistic, visits
from validation.checks import Check, Table
from validation.settings import ValidationConfig
from validation.statistic import Statistic


def tables(
    entries: pd.DataFrame,
    reports: pd.DataFrame,
    labels: pd.DataFrame,
    manifest: pd.DataFrame,
    config: ValidationConfig,
) -> tuple[Table, ...]:
    """The derived tables with their suites.

    Args:
        entries: columns `image, patient, follow_up, age_years, sex, split`.
        reports: columns `report, patient, images`.
        labels: columns `report, finding, state`.
        manifest: the manifest.
        config: bounds.
    """
    named = config.rows_named
    numbers = (
        _torn_patients(manifest, named),
        _listed(entries, manifest, named),
        *(_size(manifest, split) for split in SPLITS),
        _copies(manifest, named),
        _unreadable(manifest, config.unreadable_share_max),
        *visits.statistics(entries, named),
        *mentions.statistics(entries, reports, labels, config),
    )
    return (
        statistic.table("statistics", numbers),
        _positives(manifest, config),
        mentions.table(labels, config),
    )


def _torn_patients(manifest: pd.DataFrame, named: int) -> Statistic:
    used = manifest[manifest["split"] != ""]
    pairs = used.drop_duplicates(["patient", "split"])
    torn = pairs[pairs["patient"].duplicated(keep=False)].groupby("patient", sort=True)["split"]
    first = {patient: sorted(names) for patient, names in torn.unique().head(named).items()}
    rows = tuple(
        {
            "patient": patient,
            "splits": names,
            "images": used.loc[used["patient"] == patient, "image"].head(named).tolist(),
        }
        for patient, names in first.items()
    )
    return Statistic(
        "no patient is in two splits",
        "patients_in_two_splits",
        torn.ngroups,
        "critical",
        "a model that has seen the patient scores better on the test than it will on others",
        high=0,
        rows=rows,
    )


def _listed(entries: pd.DataFrame, manifest: pd.DataFrame, named: int) -> Statistic:
    listed = set(entries.loc[entries["split"] == "test", "patient"])
    learned = manifest["split"].isin(("train", "validation")).to_numpy(bool)
    leaked = manifest[learned & cells.among(manifest["patient"], listed)]
    return Statistic(
        "no patient of the official test list is trained on",
        "listed_test_patients_in_training",
        leaked["patient"].nunique(),
        "critical",
        "results on the official test would be better than they are, and no longer comparable",
        high=0,
        rows=statistic.rows(leaked[["image", "patient", "split"]], named),
        not_applicable="" if listed else "the source has no official test list",
    )


def _size(manifest: pd.DataFrame, split: str) -> Statistic:
    return Statistic(
        f"{split} is not empty",
        f"images_in_{split}",
        int((manifest["split"] == split).sum()),
        "critical",
        "without images in a split nothing can be learned, tuned or judged",
        low=1,
    )


def _copies(manifest: pd.DataFrame, named: int) -> Statistic:
    used = manifest[manifest["split"] != ""]
    doubled = used[used["sha256"].duplicated(keep=False)]
    splits = doubled.groupby("sha256")["split"].nunique()
    across = doubled[doubled["sha256"].isin(splits.index[splits > 1])].sort_values(
        ["sha256", "image"]
    )
    return Statistic(
        "no file lies in two splits under two names",
        "files_in_two_splits",
        across["sha256"].nunique(),
        "warning",
        "the same picture in train and test is a leak even when the patients differ",
        high=0,
        rows=statistic.rows(across[["image", "patient", "split"]], named),
    )


def _unreadable(manifest: pd.DataFrame, highest: float) -> Statistic:
    return Statistic(
        f"at most {highest:.2%} of the images are unreadable",
        "unreadable_share",
        float((~manifest["readable"]).mean()) if len(manifest) else 0.0,
        "critical",
        "many bad images mean a broken pull or export, not bad luck",
        high=highest,
    )


def _positives(manifest: pd.DataFrame, config: ValidationConfig) -> Table:
    targets = manifest[[target_column(finding) for finding in FINDINGS]]
    sums = {split: targets[manifest["split"] == split].sum().to_numpy() for split in SPLITS}
    frame = pd.DataFrame(
        [
            {
                "split": split,
                "finding": finding,
                "positives": int(sums[split][place]),
                "minimum": getattr(config.positives_min, split),
            }
            for split in SPLITS
            for place, finding in enumerate(FINDINGS)
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
