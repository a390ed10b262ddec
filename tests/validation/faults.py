"""Faults to plant in the sound tables, each with the check that catches it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.validation.sound import PATIENTS, Frames, clean, count_of
from thorax.findings import FINDINGS, target_column

Fault = Callable[[Frames], None]
"""Changes the frames in place."""


def cell(frame: str, row: int, column: str, value: Any) -> Fault:
    def plant(frames: Frames) -> None:
        getattr(frames, frame).loc[row, column] = value

    return plant


def every(frame: str, column: str, value: Any) -> Fault:
    def plant(frames: Frames) -> None:
        getattr(frames, frame)[column] = value

    return plant


def without(frame: str, column: str) -> Fault:
    def plant(frames: Frames) -> None:
        del getattr(frames, frame)[column]

    return plant


def many_unreadable(frames: Frames) -> None:
    frames.manifest.loc[:9, ["readable", "reason", "split"]] = [False, "the file is empty", ""]


def no_hernia_in_test(frames: Frames) -> None:
    frames.manifest.loc[frames.manifest["split"] == "test", target_column("Hernia")] = 0


def all_hedged(frames: Frames) -> None:
    frames.labels["state"] = frames.labels["state"].replace("positive", "uncertain")


def mass_hedged(frames: Frames) -> None:
    """Ten reports deny a mass, which makes twenty mentions; the ten that find one now doubt it."""
    mass = frames.labels["finding"] == "Mass"
    frames.labels.loc[mass & (frames.labels["state"] == "positive"), "state"] = "uncertain"
    others = frames.labels.index[mass & (frames.labels["state"] == "unmentioned")][:10]
    frames.labels.loc[others, ["state", "phrase"]] = ["negative", "no mass"]


def never_mentioned(frames: Frames) -> None:
    hernia = frames.labels["finding"] == "Hernia"
    frames.labels.loc[hernia, ["state", "phrase"]] = ["unmentioned", ""]


def one_silent(frames: Frames) -> None:
    mine = frames.labels["report"] == frames.reports["report"][3]
    frames.labels.loc[mine, ["state", "phrase"]] = ["unmentioned", ""]


def same_file_in_two_splits(frames: Frames) -> None:
    frames.manifest.loc[120, "sha256"] = frames.manifest.loc[0, "sha256"]


def nothing_in(split: str) -> Fault:
    other = "train" if split != "train" else "test"

    def plant(frames: Frames) -> None:
        frames.manifest["split"] = frames.manifest["split"].replace(split, other)

    return plant


def one_patient(**values: list[str]) -> Fault:
    """The first two images become one patient's, with these cells."""

    def plant(frames: Frames) -> None:
        for column, cells in {"patient": ["p", "p"], "follow_up": ["0", "1"], **values}.items():
            frames.entries.loc[:1, column] = cells

    return plant


def moved_boxes(**values: Any) -> Fault:
    def plant(frames: Frames) -> None:
        for column, value in values.items():
            frames.boxes.loc[7, column] = value

    return plant


def doubled_box(frames: Frames) -> None:
    frames.boxes.loc[8] = frames.boxes.loc[7]


def doubled_answer(frames: Frames) -> None:
    frames.adjudicated.loc[8, "image"] = frames.adjudicated.loc[7, "image"]


def answers_of_all(called: Callable[[int], bool], present: Callable[[int], bool]) -> Fault:
    """The labels in use call Mass present where `called`, the adjudicated where `present`."""

    def plant(frames: Frames) -> None:
        rows = range(PATIENTS)
        frames.manifest[target_column("Mass")] = [int(called(row)) for row in rows]
        frames.adjudicated["label"] = [str(int(present(row))) for row in rows]

    return plant


def more(finding: str, images: int) -> Fault:
    def plant(frames: Frames) -> None:
        frames.manifest.loc[: images - 1, target_column(finding)] = 1

    return plant


def together(frames: Frames) -> None:
    """Before, Mass and Nodule never went together but by chance; now they nearly always do."""
    before = clean()
    rows = np.arange(PATIENTS)
    mass, apart = rows % 2 == 0, rows % 4 < 2
    for each, nodule in ((before, apart), (frames, mass ^ (rows % 35 == 0))):
        each.manifest[target_column("Mass")] = mass.astype(int)
        each.manifest[target_column("Nodule")] = nodule.astype(int)
    frames.versions[:] = [{**count_of(before), "name": "before", "digest": "before"}]


N7 = "00000007_000.png"

# By table: fault, the check that catches it, severity, what a named row must hold.
FAULTS: dict[str, list[tuple[Fault, str, str, str]]] = {
    "entries": [
        (cell("entries", 7, "age_years", "413"), "the age lies between 0", "critical", "413"),
        (cell("entries", 7, "age_years", "-1"), "the age lies between 0", "critical", "-1"),
        (cell("entries", 7, "age_years", "058Y"), "the age is a number", "critical", "058Y"),
        (cell("entries", 7, "follow_up", "1.5"), "the follow-up", "warning", "1.5"),
        (cell("entries", 7, "follow_up", "3"), "the file name's number", "warning", "000"),
        (cell("entries", 7, "patient", "8"), "the file name's patient", "critical", "00000007"),
        (cell("entries", 7, "image", "chest.png"), "the file name's patient", "critical", "chest"),
        (cell("entries", 7, "sex", "female"), "the sex", "warning", "female"),
        (cell("entries", 7, "view", "LATERAL"), "the view", "warning", "LATERAL"),
        (cell("entries", 7, "findings", "Effusions"), "findings holds", "critical", "Effusions"),
        (cell("entries", 7, "findings", "Mass|"), "findings holds", "critical", "Mass|"),
        (cell("entries", 7, "uncertain", "No Finding"), "uncertain holds", "critical", "No Fi"),
        (cell("entries", 7, "unknown", "mass"), "unknown holds", "critical", "mass"),
        (cell("entries", 7, "findings", "No Finding|Mass"), "No Finding", "critical", "|Mass"),
        (cell("entries", 7, "unknown", FINDINGS[7]), "no finding is said", "warning", "Pneumo"),
        (cell("entries", 7, "image", "00000006_000.png"), "every image stands", "critical", "06_"),
        (cell("entries", 7, "image", " "), "every row names an image", "critical", "9"),
        (cell("entries", 7, "patient", ""), "every row names a patient", "critical", N7),
        (cell("entries", 7, "split", "holdout"), "the official split", "critical", "holdout"),
        (without("entries", "view"), "all columns are there", "critical", ""),
    ],
    "boxes": [
        (moved_boxes(x_px="wide"), "every edge is a number", "critical", "wide"),
        (moved_boxes(x_px="-0.5"), "no box begins left", "critical", "-0.5"),
        (moved_boxes(y_px="-1"), "no box begins above", "critical", "-1"),
        (moved_boxes(w_px="64"), "no box ends right", "critical", "65"),
        (moved_boxes(h_px="62.5"), "no box ends below", "critical", "64.5"),
        (moved_boxes(w_px="0"), "every box's width", "critical", "0.0"),
        (moved_boxes(h_px="-4"), "every box's height", "critical", "-4"),
        (moved_boxes(frame_px="0"), "every frame is positive", "critical", "0.0"),
        (moved_boxes(finding="Infiltrate"), "the finding is of the", "critical", "Infiltrate"),
        (moved_boxes(image="other.png"), "the image is one of", "critical", "other.png"),
        (moved_boxes(finding="Hernia"), "the image is labelled", "warning", "Hernia"),
        (doubled_box, "no box stands twice", "warning", N7),
        (without("boxes", "finding"), "all columns are there", "critical", ""),
    ],
    "reports": [
        (cell("reports", 7, "report", "r00000006_000.png"), "every report stands", "critical", "9"),
        (cell("reports", 7, "patient", " "), "every report names its", "critical", N7),
        (cell("reports", 7, "text", "\n"), "every report has a text", "warning", N7),
        (cell("reports", 7, "images", f"{N7}|x.png"), "every image of a", "warning", "x.png"),
        (without("reports", "text"), "all columns are there", "critical", ""),
    ],
    "adjudicated": [
        (cell("adjudicated", 7, "label", "YES"), "every answer is 0 or 1", "critical", "YES"),
        (cell("adjudicated", 7, "finding", "Mass|Lump"), "every finding is of", "critical", "Lump"),
        (cell("adjudicated", 7, "image", "x.png"), "every answer is about", "critical", "x.png"),
        (doubled_answer, "an image has one answer", "critical", N7),
        (without("adjudicated", "label"), "all columns are there", "critical", ""),
    ],
    "labels": [
        (cell("labels", 3, "finding", "Lesion"), "every finding is of", "critical", "Lesion"),
        (cell("labels", 3, "state", "maybe"), "every state is", "critical", "maybe"),
        (cell("labels", 3, "finding", FINDINGS[4]), "a report says one", "critical", "r00000000"),
        (every("labels", "phrase", ""), "what is mentioned has", "critical", "r00000000"),
        (without("labels", "state"), "all columns are there", "critical", ""),
    ],
    "manifest": [
        (cell("manifest", 7, "image", "00000006_000.png"), "every image", "critical", "00000006"),
        (cell("manifest", 7, "split", "hold"), "every image is in a split", "critical", N7),
        (cell("manifest", 7, "readable", False), "every image can be read", "warning", N7),
        (cell("manifest", 7, "std_level", 0.0), "an image shows something", "warning", N7),
        (cell("manifest", 7, "label_source", "none"), "an image has labels", "warning", N7),
        (without("manifest", "sha256"), "all columns are there", "critical", ""),
    ],
    "statistics": [
        (cell("manifest", 139, "patient", "00000000"), "no patient is in two", "critical", "0000"),
        (cell("manifest", 139, "split", "train"), "no patient of the official", "critical", "139"),
        (nothing_in("train"), "train is not empty", "critical", ""),
        (nothing_in("validation"), "validation is not empty", "critical", ""),
        (nothing_in("test"), "test is not empty", "critical", ""),
        (many_unreadable, "at most 5.00% of the images", "critical", ""),
        (same_file_in_two_splits, "no file lies in two splits", "warning", "00000000_000.png"),
        (one_patient(follow_up=["2", "2"]), "a patient's follow-ups", "warning", "00000001"),
        (one_patient(age_years=["51", "50"]), "nobody is younger", "warning", "00000001"),
        (one_patient(sex=["F", "M"]), "a patient has one sex", "warning", "00000001"),
        (cell("reports", 4, "patient", "p09"), "every report is about", "critical", "p09"),
        (all_hedged, "at most 30% of what", "warning", ""),
        (one_silent, "every report says something", "warning", "r00000003"),
    ],
    "positives": [
        (no_hernia_in_test, "every finding has enough", "warning", "Hernia"),
    ],
    "mentions": [
        (mass_hedged, "of no finding more than 30%", "warning", "Mass"),
        (never_mentioned, "no finding is left unmentioned", "warning", "Hernia"),
    ],
    "agreement": [
        (answers_of_all(lambda row: row < 60, lambda row: row % 2 == 0), "labels agree",
         "warning", "adjudicated"),
        (answers_of_all(lambda row: row < 100, lambda row: row < 10), "labels are right",
         "warning", "Mass"),
        (answers_of_all(lambda row: row < 10, lambda row: row < 100), "labels find",
         "warning", "Mass"),
    ],
    "prevalence": [
        (more("Mass", 30), "no prevalence moved by Cohen's h of 0.1", "warning", "Mass"),
        (more("Mass", 60), "no prevalence moved by Cohen's h of 0.5", "critical", "Mass"),
    ],
    "together": [
        (together, "no pair's odds ratio", "warning", "|Nodule"),
    ],
}  # fmt: skip
