"""The rules of NIH's tabular suites written by hand in pandas, for `benchmarks/validation.py`.

As one would write them without a library of checks: one vectorised expression per rule, and of what
fails the number of rows and the first few of them. The numbers behind agreement and
`statistics.json` are no rules but measures; both sides take them from `validation`.
"""

import numpy as np
import pandas as pd

from thorax.findings import FINDINGS, NO_FINDING, SPLITS, known_column, target_column
from validation import agreement, inputs
from validation.inputs import Inputs
from validation.settings import ValidationConfig

SHOWN = 5


class Found:
    """How many rows fail each rule, and the first of them."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.rows: dict[str, list[dict[str, object]]] = {}

    def rule(self, name: str, frame: pd.DataFrame, bad: pd.Series, show: list[str]) -> None:
        """Keep how many rows of `frame` are `bad`, and the first of them."""
        self.counts[name] = int(bad.sum())
        self.rows[name] = frame.loc[bad, show].head(SHOWN).to_dict("records") if bad.any() else []

    def number(self, name: str, bad: pd.DataFrame | int) -> None:
        """Keep a number of failures, or the failures themselves."""
        failing = bad if isinstance(bad, int) else len(bad)
        self.counts[name] = failing
        self.rows[name] = [] if isinstance(bad, int) else bad.head(SHOWN).to_dict("records")


def run(given: Inputs, settings: ValidationConfig) -> dict[str, int]:
    """Failing rows by rule, under the names that `validation` gives the rules."""
    found = Found()
    _entries(found, given.entries, settings)
    _boxes(found, given.boxes, given.manifest)
    _reports(found, given.reports)
    _labels(found, given.labels)
    _adjudicated(found, given.adjudicated, given.entries)
    _manifest(found, given.manifest, settings)
    _statistics(found, given, settings)
    _agreement(found, given, settings)
    inputs.count(given)
    return found.counts


def _entries(found: Found, entries: pd.DataFrame, settings: ValidationConfig) -> None:
    show = ["image"]

    def rule(name: str, bad: pd.Series) -> None:
        found.rule(f"entries: {name}", entries, bad, show)

    found.number("entries: all columns are there", 0)
    rule("every image stands once", entries["image"].duplicated(keep=False))
    rule("every row names an image", entries["image"].str.strip() == "")
    rule("every row names a patient", entries["patient"].str.strip() == "")
    rule("the official split is one of the known names",
         ~entries["split"].isin(["train", "validation", "train_val", "test", ""]))  # fmt: skip
    parts = entries["image"].str.extract(r"^(\d{8})_(\d{3})\.").astype(float)
    patient = pd.to_numeric(entries["patient"], errors="coerce")
    follow_up = pd.to_numeric(entries["follow_up"], errors="coerce")
    rule("the file name's patient is the row's", parts[0] != patient)
    rule("the file name's number is the follow-up",
         parts[1].notna() & follow_up.notna() & (parts[1] != follow_up))  # fmt: skip
    age = pd.to_numeric(entries["age_years"], errors="coerce")
    rule(f"the age lies between 0 and {settings.age_years_max:g} years",
         age.notna() & ~age.between(0, settings.age_years_max))  # fmt: skip
    rule("the age is a number or empty", ~entries["age_years"].str.fullmatch(r"-?\d*\.?\d*"))
    rule("the follow-up is a whole number or empty", ~entries["follow_up"].str.fullmatch(r"\d*"))
    rule("the sex is F, M, O or empty", ~entries["sex"].isin(["F", "M", "O", ""]))
    rule("the view is PA, AP or empty", ~entries["view"].isin(["PA", "AP", ""]))
    names = "|".join(FINDINGS)
    for column in ("findings", "uncertain", "unknown"):
        allowed = f"{names}|{NO_FINDING}" if column == "findings" else names
        good = entries[column].str.fullmatch(rf"(?:(?:{allowed})(?:\|(?:{allowed}))*)?")
        rule(f"{column} holds only findings of the vocabulary", ~good)
    beside = entries["findings"].str.contains(rf"\|{NO_FINDING}|{NO_FINDING}\|")
    rule("No Finding stands alone", beside)
    together = entries["findings"] + "|" + entries["uncertain"] + "|" + entries["unknown"]
    twice = pd.Series(False, index=entries.index)
    for finding in FINDINGS:
        twice |= together.str.count(rf"\b{finding}\b") > 1
    rule("no finding is said twice", twice)


def _boxes(found: Found, boxes: pd.DataFrame, manifest: pd.DataFrame) -> None:
    sides = ["x_px", "y_px", "w_px", "h_px", "frame_px"]
    number = boxes[sides].apply(pd.to_numeric, errors="coerce")
    show = ["image", "finding", *sides]

    def rule(name: str, bad: pd.Series) -> None:
        found.rule(f"boxes: {name}", boxes, bad, show)

    found.number("boxes: all columns are there", 0)
    rule("every edge is a number", number.isna().any(axis=1))
    rule("no box begins left of its frame", number["x_px"] < 0)
    rule("no box begins above its frame", number["y_px"] < 0)
    rule("no box ends right of its frame", number["x_px"] + number["w_px"] > number["frame_px"])
    rule("no box ends below its frame", number["y_px"] + number["h_px"] > number["frame_px"])
    rule("every box's width is positive", number["w_px"] <= 0)
    rule("every box's height is positive", number["h_px"] <= 0)
    rule("every frame is positive", number["frame_px"] <= 0)
    rule("the finding is of the vocabulary", ~boxes["finding"].isin(FINDINGS))
    rule("the image is one of the entries", ~boxes["image"].isin(manifest["image"]))
    joined = boxes[["image", "finding"]].merge(manifest, on="image", how="left")
    unlabelled = np.zeros(len(boxes), bool)
    for finding in FINDINGS:
        absent = joined[known_column(finding)].eq(True) & joined[target_column(finding)].eq(0)
        unlabelled |= ((joined["finding"] == finding) & absent).to_numpy(bool)
    rule("the image is labelled with the box's finding", pd.Series(unlabelled, index=boxes.index))
    rule("no box stands twice",
         boxes.duplicated(["image", "finding", *sides[:4]], keep=False))  # fmt: skip


def _reports(found: Found, reports: pd.DataFrame) -> None:
    found.number("reports: all columns are there", 0)
    found.rule("reports: every report stands once", reports, reports["report"].duplicated(), [])
    for name, column in (("names its patient", "patient"), ("has a text", "text")):
        found.rule(f"reports: every report {name}", reports, reports[column] == "", [])
    found.number("reports: every image of a report is one of the entries", 0)


def _labels(found: Found, labels: pd.DataFrame) -> None:
    for name in ("all columns are there", "every finding is of the vocabulary",
                 "every state is one of the four", "a report says one thing about a finding",
                 "what is mentioned has its words"):  # fmt: skip
        found.number(f"labels: {name}", len(labels))  # NIH has no reports


def _adjudicated(found: Found, answers: pd.DataFrame, entries: pd.DataFrame) -> None:
    def rule(name: str, bad: pd.Series) -> None:
        found.rule(f"adjudicated: {name}", answers, bad, ["image", "finding"])

    names = "|".join([*FINDINGS])
    found.number("adjudicated: all columns are there", 0)
    rule("every answer is 0 or 1", ~answers["label"].isin(["0", "1"]))
    rule("every finding is of the vocabulary",
         ~answers["finding"].str.fullmatch(rf"(?:{names})(?:\|(?:{names}))*|normal"))  # fmt: skip
    rule("every answer is about an image or report that is there",
         ~answers["image"].isin(entries["image"]))  # fmt: skip
    rule("an image has one answer for a finding",
         answers.duplicated(["image", "finding"], keep=False))  # fmt: skip


def _manifest(found: Found, manifest: pd.DataFrame, settings: ValidationConfig) -> None:
    def rule(name: str, bad: pd.Series) -> None:
        found.rule(f"manifest: {name}", manifest, bad, ["image", "reason"])

    found.number("manifest: all columns are there", 0)
    rule("every image stands once", manifest["image"].duplicated(keep=False))
    rule("every image is in a split, or in none with a reason",
         ~manifest["split"].isin([*SPLITS, ""]))  # fmt: skip
    rule("every image can be read", ~manifest["readable"])
    rule("an image shows something", manifest["std_level"] <= settings.std_level_min)
    rule("an image has labels", manifest["label_source"] == "none")


def _statistics(found: Found, given: Inputs, settings: ValidationConfig) -> None:
    manifest, entries = given.manifest, given.entries
    used = manifest[manifest["split"] != ""]

    def number(name: str, bad: pd.DataFrame | int) -> None:
        found.number(f"statistics: {name}", bad)

    splits = used.groupby("patient")["split"].nunique()
    number("no patient is in two splits", splits[splits > 1].reset_index())
    listed = entries.loc[entries["split"] == "test", "patient"]
    learned = manifest[manifest["split"].isin(["train", "validation"])]
    number("no patient of the official test list is trained on",
           learned[learned["patient"].isin(listed)])  # fmt: skip
    sizes = used["split"].value_counts()
    for split in SPLITS:
        number(f"{split} is not empty", int(sizes.get(split, 0) == 0))
    doubled = used[used["sha256"].duplicated(keep=False)]
    across = doubled.groupby("sha256")["split"].nunique()
    number("no file lies in two splits under two names", across[across > 1].reset_index())
    number(f"at most {settings.unreadable_share_max:.2%} of the images are unreadable",
           int((~manifest["readable"]).mean() > settings.unreadable_share_max))  # fmt: skip
    people = entries[["image", "patient", "sex"]].assign(
        follow_up=pd.to_numeric(entries["follow_up"], errors="coerce"),
        age_years=pd.to_numeric(entries["age_years"], errors="coerce"),
    )
    number("a patient's follow-ups have numbers of their own",
           people[people.duplicated(["patient", "follow_up"])])  # fmt: skip
    ordered = people.sort_values(["patient", "follow_up"])
    number("nobody is younger at a later follow-up",
           ordered[ordered.groupby("patient")["age_years"].diff() < 0])  # fmt: skip
    sexes = people[people["sex"] != ""].groupby("patient")["sex"].nunique()
    number("a patient has one sex", sexes[sexes > 1].reset_index())
    targets = used.groupby("split")[[target_column(name) for name in FINDINGS]].sum()
    least = pd.Series({name: getattr(settings.positives_min, name) for name in SPLITS})
    few = int(targets.reindex(list(SPLITS), fill_value=0).lt(least, axis=0).sum().sum())
    found.number("positives: every finding has enough positives in every split", few)


def _agreement(found: Found, given: Inputs, settings: ValidationConfig) -> None:
    sources = agreement.Sources(
        given.entries, given.reports, given.labels, given.manifest, given.adjudicated, given.truth
    )
    table = agreement.table(sources, settings.agreement)
    for check in table.checks:
        column, low = check.arguments["column"], check.arguments["min_value"]
        found.rule(f"agreement: {check.name}", table.frame, table.frame[column] < low, ["finding"])
