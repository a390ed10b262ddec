"""Every rule catches its planted fault and lets clean data pass; pages are stable."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thorax import config
from thorax.findings import FINDINGS, NORMAL, known_column, target_column
from validation import counts, docs, images, inputs, labels, runner, verdict
from validation.checks import Outcome, Table
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


Fault = Callable[[Frames], None]
"""Changes the frames in place."""


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
    frames.versions.append({**_count(frames), "name": "before", "digest": "before"})
    return frames


def _count(frames: Frames) -> dict[str, Any]:
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


def no_validation(frames: Frames) -> None:
    frames.manifest["split"] = frames.manifest["split"].replace("validation", "train")


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
    frames.versions[:] = [{**_count(before), "name": "before", "digest": "before"}]


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
    ],
    "reports": [
        (cell("reports", 7, "report", "r00000006_000.png"), "every report stands", "critical", "9"),
        (cell("reports", 7, "patient", " "), "every report names its", "critical", N7),
        (cell("reports", 7, "text", "\n"), "every report has a text", "warning", N7),
        (cell("reports", 7, "images", f"{N7}|x.png"), "every image of a", "warning", "x.png"),
    ],
    "adjudicated": [
        (cell("adjudicated", 7, "label", "YES"), "every answer is 0 or 1", "critical", "YES"),
        (cell("adjudicated", 7, "finding", "Mass|Lump"), "every finding is of", "critical", "Lump"),
        (cell("adjudicated", 7, "image", "x.png"), "every answer is about", "critical", "x.png"),
        (doubled_answer, "an image has one answer", "critical", N7),
    ],
    "labels": [
        (cell("labels", 3, "finding", "Lesion"), "every finding is of", "critical", "Lesion"),
        (cell("labels", 3, "state", "maybe"), "every state is", "critical", "maybe"),
        (cell("labels", 3, "finding", FINDINGS[4]), "a report says one", "critical", "r00000000"),
        (every("labels", "phrase", ""), "what is mentioned has", "critical", "r00000000"),
    ],
    "manifest": [
        (cell("manifest", 7, "image", "00000006_000.png"), "every image", "critical", "00000006"),
        (cell("manifest", 7, "split", "hold"), "every image is in a split", "critical", N7),
        (cell("manifest", 7, "readable", False), "every image can be read", "warning", N7),
        (cell("manifest", 7, "std_level", 0.0), "an image shows something", "warning", N7),
        (cell("manifest", 7, "label_source", "none"), "an image has labels", "warning", N7),
    ],
    "statistics": [
        (cell("manifest", 139, "patient", "00000000"), "no patient is in two", "critical", "0000"),
        (cell("manifest", 139, "split", "train"), "no patient of the official", "critical", "139"),
        (no_validation, "validation is not empty", "critical", ""),
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


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[list[Table]], Any]]:
    """Judges tables without writing pages, which take most of a run's time."""

    def judge(tables: list[Table]) -> list[Outcome]:
        opened = runner.open_context(tmp_path_factory.mktemp("docs"))
        return runner.judge(opened, tables, rows_named=SETTINGS.rows_named)

    yield judge


Judge = Callable[[list[Table]], list[Outcome]]


def test_clean_data_is_accepted_by_every_check(context: Judge) -> None:
    answer = verdict.judge(context(clean().tables()))
    assert [check["name"] for check in answer["checks"] if not check["success"]] == []
    assert answer["verdict"] == "accept"
    assert answer["failed"] == {"critical": 0, "warning": 0}
    assert answer["valid_until"] is None
    assert [c["observed"] for c in answer["checks"] if str(c["observed"]).startswith("not")] == []


@pytest.mark.parametrize(
    ("table", "fault", "name", "severity", "named"),
    [(table, *case) for table, cases in FAULTS.items() for case in cases],
)
def test_a_planted_fault_is_caught_and_named(
    table: str, fault: Fault, name: str, severity: str, named: str, context: Judge
) -> None:
    frames = clean()
    fault(frames)
    (wanted,) = [item for item in frames.tables() if item.name == table]
    checks = tuple(check for check in wanted.checks if check.name.startswith(name))
    answer = verdict.judge(context([replace(wanted, checks=checks)]))
    caught = [check for check in answer["checks"] if not check["success"]]
    assert len(caught) == 1, [check["observed"] for check in answer["checks"]]
    assert caught[0]["severity"] == severity
    assert caught[0]["reason"]
    if named:
        assert named in str(caught[0]["rows"][0]) + str(caught[0]["rows"][-1])
        assert caught[0]["unexpected_count"] >= 1
    assert answer["verdict"] == ("refuse" if severity == "critical" else "accept")


def test_every_check_has_a_planted_fault() -> None:
    checks = {(table.name, check.name) for table in clean().tables() for check in table.checks}
    planted = [(table, name) for table, cases in FAULTS.items() for _, name, _, _ in cases]
    missed = {
        (table, name)
        for table, name in checks
        if not any(table == t and name.startswith(n) for t, n in planted)
    }
    # `no empty split` and `all columns` are one rule each, tried on one split and one table
    assert {name for _, name in missed} == {
        "train is not empty",
        "test is not empty",
        "all columns are there",
    }


def test_the_row_of_the_file_is_named(tmp_path: Path) -> None:
    frames = clean()
    frames.entries.loc[7, "age_years"] = "413"
    table = frames.tables()[0]
    outcome = next(o for o in runner.run([table], tmp_path, rows_named=5) if not o.success)
    assert outcome.rows == ({"row": 9, "image": N7, "age_number": 413.0},)
    assert outcome.observed == "1 of 140"


def test_no_more_rows_are_named_than_asked(tmp_path: Path) -> None:
    frames = clean()
    frames.entries["sex"] = "?"
    outcome = next(
        o for o in runner.run([frames.tables()[0]], tmp_path, rows_named=3) if not o.success
    )
    assert len(outcome.rows) == 3
    assert outcome.unexpected_count == 140


def test_a_check_on_a_missing_column_says_so(tmp_path: Path) -> None:
    frames = clean()
    del frames.entries["view"]
    outcomes = runner.run([frames.tables()[0]], tmp_path, rows_named=5)
    failed = {outcome.name: outcome.observed for outcome in outcomes if not outcome.success}
    assert failed == {
        "all columns are there": "missing: view",
        "the view is PA, AP or empty": "could not be checked: column view is missing",
    }


def test_pages_load_nothing_from_elsewhere_and_are_the_same_twice(tmp_path: Path) -> None:
    frames = clean()
    frames.entries.loc[7, "age_years"] = "413"
    pages = []
    for name in ("once", "twice"):
        runner.run(frames.tables(), tmp_path / name, rows_named=5)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        pages.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files})
    assert pages[0] == pages[1]
    assert "index.html" in pages[0]
    html = b"".join(
        content for name, content in pages[0].items() if name.endswith(".html")
    ).decode()
    assert "an impossible age means" in html
    assert not re.search(r"<(script|link|img|source)\b[^>]*(src|href|srcset)=\"(https?:)?//", html)
    assert sum(map(len, pages[0].values())) < 3_000_000


def test_cleaning_replaces_ids_in_order_and_keeps_links_that_a_person_clicks() -> None:
    one, two = "0a956ad9-5f40-44a1-8ebd-d4bfe4818904", "7927451a-5741-4b08-8944-6b5e03b5a45d"
    page = f'<a href="https://docs.example.org/x">x</a><p id="{one}"><p id="{two}"><p id="{one}">'
    assert docs.clean(page) == page.replace(one, "id-0").replace(two, "id-1")


def test_what_a_source_does_not_have_is_said_and_held_against_nobody(context: Judge) -> None:
    frames = clean()
    without_rows = {
        name: getattr(frames, name).head(0)
        for name in ("boxes", "reports", "adjudicated", "labels")
    }
    frames = replace(frames, **without_rows)
    frames.entries["split"] = ""
    frames.versions.clear()
    answer = verdict.judge(context(frames.tables(source="folder")))
    assert [check["name"] for check in answer["checks"] if not check["success"]] == []
    said = {
        check["name"]: check["observed"]
        for check in answer["checks"]
        if str(check["observed"]).startswith("not applicable")
    }
    assert said["the file name's patient is the row's"] == (
        "not applicable: the names of source 'folder' carry no ids"
    )
    assert said["no patient of the official test list is trained on"] == (
        "not applicable: the source has no official test list"
    )
    assert said["labels agree by kappa 0.4"].endswith("nothing here has two sources of labels")
    assert said["no prevalence moved by Cohen's h of 0.1 or more"].endswith("no earlier version")
    assert said["every report says something that is recognised"].endswith("has no reports")
