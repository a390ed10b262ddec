"""Every rule catches its planted fault and lets clean data pass; pages are stable."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.validation.faults import FAULTS, N7, Fault
from tests.validation.sound import SETTINGS, clean
from validation import docs, runner, verdict
from validation.checks import Outcome, Table


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
    assert missed == set()


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
    assert "expectations/entries.html" in pages[0]
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
        if str(check["observed"]).startswith("not evaluated")
    }
    assert said["the file name's patient is the row's"] == (
        "not evaluated: the names of source 'folder' carry no ids"
    )
    assert said["no patient of the official test list is trained on"] == (
        "not evaluated: the source has no official test list"
    )
    assert said["labels agree by kappa 0.4"].endswith("nothing here has two sources of labels")
    assert said["no prevalence moved by Cohen's h of 0.1 or more"].endswith("no earlier version")
    assert said["every report says something that is recognised"].endswith("has no reports")
