"""Every rule catches its planted fault and lets clean data pass; pages are stable."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from thorax import config
from thorax.findings import FINDINGS, NORMAL, known_column, target_column
from validation import docs, entries, labels, manifest, runner, statistics, verdict
from validation.checks import Table
from validation.settings import PositivesMin, ValidationConfig

REPOSITORY = Path(__file__).parents[2]
SETTINGS = config.load("validation", ValidationConfig, REPOSITORY / "params.yaml").model_copy(
    update={"positives_min": PositivesMin(train=1, validation=1, test=1)}
)


@dataclass(frozen=True)
class Frames:
    """The four tables that validation reads."""

    entries: pd.DataFrame
    reports: pd.DataFrame
    labels: pd.DataFrame
    manifest: pd.DataFrame

    def tables(self) -> list[Table]:
        given = entries.judged(self.entries)
        return [
            entries.table(given, SETTINGS),
            labels.table(self.labels),
            manifest.table(self.manifest, SETTINGS),
            *statistics.tables(given, self.reports, self.labels, self.manifest, SETTINGS),
        ]


Fault = Callable[[Frames], None]
"""Changes the frames in place."""


def clean() -> Frames:
    """42 images of 42 patients; every finding positive in every split."""
    count = 42
    image = [f"{number:02}.png" for number in range(count)]
    patient = [f"p{number:02}" for number in range(count)]
    split = [("train", "validation", "test")[number // 14] for number in range(count)]
    finding = [FINDINGS[number % 14] for number in range(count)]
    given = pd.DataFrame({"image": image, "patient": patient})
    given = given.assign(follow_up="0", age_years="50", sex="F", view="PA")
    given = given.assign(findings=finding, uncertain="", unknown="", split="")
    reports = pd.DataFrame({"report": [f"r{name}" for name in image], "patient": patient})
    reports = reports.assign(images=image)
    return Frames(given, reports, _labels(reports, finding), _manifest(given, finding, split))


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


def one_silent(frames: Frames) -> None:
    frames.labels.loc[frames.labels["report"] == "r03.png", ["state", "phrase"]] = [
        "unmentioned",
        "",
    ]


def same_file_in_two_splits(frames: Frames) -> None:
    frames.manifest.loc[20, "sha256"] = frames.manifest.loc[0, "sha256"]


def no_validation(frames: Frames) -> None:
    frames.manifest["split"] = frames.manifest["split"].replace("validation", "train")


# By table: fault, the check that catches it, severity, what a named row must hold.
FAULTS: dict[str, list[tuple[Fault, str, str, str]]] = {
    "entries": [
        (cell("entries", 7, "age_years", "413"), "the age lies between 0", "critical", "413"),
        (cell("entries", 7, "age_years", "-1"), "the age lies between 0", "critical", "-1"),
        (cell("entries", 7, "age_years", "058Y"), "the age is a number", "critical", "058Y"),
        (cell("entries", 7, "follow_up", "1.5"), "the follow-up", "warning", "1.5"),
        (cell("entries", 7, "sex", "female"), "the sex", "warning", "female"),
        (cell("entries", 7, "view", "LATERAL"), "the view", "warning", "LATERAL"),
        (cell("entries", 7, "findings", "Effusions"), "findings holds", "critical", "Effusions"),
        (cell("entries", 7, "findings", "Mass|"), "findings holds", "critical", "Mass|"),
        (cell("entries", 7, "uncertain", "No Finding"), "uncertain holds", "critical", "No Fi"),
        (cell("entries", 7, "unknown", "mass"), "unknown holds", "critical", "mass"),
        (cell("entries", 7, "unknown", FINDINGS[7]), "no finding is said", "warning", "Pneumo"),
        (cell("entries", 7, "image", "06.png"), "every image stands once", "critical", "06.png"),
        (cell("entries", 7, "image", " "), "every row names an image", "critical", "9"),
        (cell("entries", 7, "patient", ""), "every row names a patient", "critical", "07.png"),
        (cell("entries", 7, "split", "holdout"), "the official split", "critical", "holdout"),
        (without("entries", "view"), "all columns are there", "critical", ""),
    ],
    "labels": [
        (cell("labels", 3, "finding", "Lesion"), "every finding is of", "critical", "Lesion"),
        (cell("labels", 3, "state", "maybe"), "every state is", "critical", "maybe"),
        (cell("labels", 3, "finding", FINDINGS[4]), "a report says one", "critical", "r00.png"),
        (every("labels", "phrase", ""), "what is mentioned has its words", "critical", "r00.png"),
    ],
    "manifest": [
        (cell("manifest", 7, "image", "06.png"), "every image stands once", "critical", "06.png"),
        (cell("manifest", 7, "split", "hold"), "every image is in a split", "critical", "07.png"),
        (cell("manifest", 7, "readable", False), "every image can be read", "warning", "07.png"),
        (cell("manifest", 7, "std_level", 0.0), "an image shows something", "warning", "07.png"),
        (cell("manifest", 7, "label_source", "none"), "an image has labels", "warning", "07.png"),
    ],
    "statistics": [
        (cell("manifest", 41, "patient", "p00"), "no patient is in two", "critical", "p00"),
        (no_validation, "validation is not empty", "critical", ""),
        (many_unreadable, "at most 5.00% of the images", "critical", ""),
        (same_file_in_two_splits, "no file lies in two splits", "warning", "00.png"),
        (cell("reports", 4, "patient", "p09"), "every report is about", "critical", "p04"),
        (all_hedged, "at most 30% of what", "warning", ""),
        (one_silent, "every report says something", "warning", "r03.png"),
    ],
    "positives": [
        (no_hernia_in_test, "every finding has enough", "warning", "Hernia"),
    ],
}  # fmt: skip


def judged(frames: Frames, folder: Path) -> dict[str, Any]:
    return verdict.judge(runner.run(frames.tables(), folder, rows_named=SETTINGS.rows_named))


def test_clean_data_is_accepted_by_every_check(tmp_path: Path) -> None:
    answer = judged(clean(), tmp_path / "docs")
    assert [check["name"] for check in answer["checks"] if not check["success"]] == []
    assert answer["verdict"] == "accept"
    assert answer["failed"] == {"critical": 0, "warning": 0}
    assert answer["valid_until"] is None


@pytest.mark.parametrize(
    ("table", "fault", "name", "severity", "named"),
    [(table, *case) for table, cases in FAULTS.items() for case in cases],
)
def test_a_planted_fault_is_caught_and_named(
    table: str, fault: Fault, name: str, severity: str, named: str, tmp_path: Path
) -> None:
    frames = clean()
    fault(frames)
    wanted = [item for item in frames.tables() if item.name == table]
    answer = verdict.judge(runner.run(wanted, tmp_path, rows_named=SETTINGS.rows_named))
    caught = [c for c in answer["checks"] if c["name"].startswith(name) and not c["success"]]
    assert len(caught) == 1, [c["name"] for c in answer["checks"] if not c["success"]]
    assert caught[0]["severity"] == severity
    assert caught[0]["reason"]
    if named:
        assert named in str(caught[0]["rows"][0]) + str(caught[0]["rows"][-1])
        assert caught[0]["unexpected_count"] >= 1
    assert answer["failed"][severity] >= 1
    assert answer["verdict"] == ("refuse" if answer["failed"]["critical"] else "accept")


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
    assert outcome.rows == ({"row": 9, "image": "07.png", "age_number": 413.0},)
    assert outcome.observed == "1 of 42"


def test_no_more_rows_are_named_than_asked(tmp_path: Path) -> None:
    frames = clean()
    frames.entries["sex"] = "?"
    outcome = next(
        o for o in runner.run([frames.tables()[0]], tmp_path, rows_named=3) if not o.success
    )
    assert len(outcome.rows) == 3
    assert outcome.unexpected_count == 42


def test_a_check_on_a_missing_column_says_so(tmp_path: Path) -> None:
    frames = clean()
    del frames.entries["view"]
    table = entries.table(entries.judged(frames.entries), SETTINGS)
    outcomes = runner.run([table], tmp_path, rows_named=5)
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
        judged(frames, tmp_path / name)
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
