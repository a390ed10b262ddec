"""Given labels, then mined states, then corrections; doubt by the policy."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thorax.dataset import labels
from thorax.dataset.labels import CORRECTIONS, Labels
from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL

EVERYTHING = "|".join(FINDINGS)


def joined(
    rows: list[dict[str, str]], said: dict[str, dict[str, str]], policy: str = "ignore",
    unknown: str = "ignore",
) -> Labels:  # fmt: skip
    """Labels of images `a, b, ...`; report `r-x` of image x says `said[x]` and no more."""
    entries = pd.DataFrame(
        [{"findings": "", "uncertain": "", "unknown": "", **row} for row in rows],
        index=range(len(rows)),
    )
    entries["image"] = list("abcdef"[: len(rows)])
    links = pd.DataFrame([(image[0], f"r-{image}") for image in said], columns=["image", "report"])
    mined = pd.DataFrame(
        [
            (f"r-{image}", finding, states.get(finding, "unmentioned"))
            for image, states in said.items()
            for finding in (*FINDINGS, NORMAL)
        ],
        columns=["report", "finding", "state"],
    )
    return labels.join(entries, links, mined, policy, unknown=unknown)  # type: ignore[arg-type]


def one(result: Labels, finding: str, row: int = 0) -> tuple[int, bool]:
    place = FINDINGS.index(finding)
    return int(result.targets[row, place]), bool(result.known[row, place])


def test_given_labels_are_known_and_what_is_not_listed_is_absent() -> None:
    result = joined([{"findings": "Mass|Edema"}], {})
    assert one(result, "Mass") == (1, True)
    assert one(result, "Nodule") == (0, True)
    assert list(result.source) == ["given"]


def test_a_name_inside_another_name_is_not_taken_for_it() -> None:
    result = joined([{"findings": "Massive"}], {})
    assert result.targets.sum() == 0


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("ignore", (0, False)), ("negative", (0, True)), ("positive", (1, True))],
)
def test_doubt_counts_by_the_policy(policy: str, expected: tuple[int, bool]) -> None:
    given = joined([{"uncertain": "Mass"}], {}, policy)
    mined = joined([{"unknown": "Mass"}], {"a": {"Mass": "uncertain", NORMAL: "uncertain"}}, policy)
    assert one(given, "Mass") == one(mined, "Mass") == expected


@pytest.mark.parametrize("doubt", ["ignore", "negative", "positive"])
@pytest.mark.parametrize(
    ("unknown", "expected"),
    [("ignore", (0, False)), ("negative", (0, True)), ("positive", (1, True))],
)
def test_what_nothing_is_said_of_counts_by_its_own_policy(
    unknown: str, expected: tuple[int, bool], doubt: str
) -> None:
    rows = [{"unknown": "Mass", "findings": "Edema"}, {"unknown": "Mass"}]
    result = joined(rows, {"b": {"Mass": "positive", NORMAL: "negative"}}, doubt, unknown)
    assert one(result, "Mass") == expected
    assert one(result, "Mass", 1) == (1, True)  # a report answers before any policy
    assert one(result, "Edema") == (1, True)
    assert one(result, "Nodule") == (0, True)


@pytest.mark.parametrize(
    ("state", "expected"),
    [("positive", (1, True)), ("negative", (0, True)), ("unmentioned", (0, True))],
)
def test_the_report_answers_what_is_unknown(state: str, expected: tuple[int, bool]) -> None:
    result = joined([{"unknown": EVERYTHING}], {"a": {"Mass": state, NORMAL: "negative"}})
    assert one(result, "Mass") == expected
    assert list(result.source) == ["mined"]


def test_the_report_does_not_touch_what_is_given() -> None:
    result = joined(
        [{"findings": "Edema", "unknown": "Mass"}],
        {"a": {"Edema": "negative", "Mass": "positive", NORMAL: "negative"}},
    )
    assert one(result, "Edema") == one(result, "Mass") == (1, True)


def test_a_report_that_says_nothing_leaves_everything_unknown() -> None:
    result = joined([{"unknown": EVERYTHING}, {"unknown": EVERYTHING}], {"a": {}})
    assert not result.known.any()
    assert list(result.source) == ["none", "none"]


def test_of_two_reports_of_one_image_the_firmer_word_counts() -> None:
    said = {
        "a": {"Mass": "negative", NORMAL: "positive"},
        "a2": {"Mass": "positive", NORMAL: "negative"},
    }
    assert one(joined([{"unknown": EVERYTHING}], said), "Mass") == (1, True)


def corrected(lines: list[tuple[str, str, str]], tmp_path: Path) -> Labels:
    path = tmp_path / "corrections.csv"
    rows = [(*line, "reader", "2026-01-01", "") for line in lines]
    pd.DataFrame(rows, columns=list(CORRECTIONS)).to_csv(path, index=False)
    before = joined([{"findings": "Mass"}, {"unknown": EVERYTHING}], {})
    return labels.correct(before, pd.Series(["a", "b"]), labels.read_corrections(path))


def test_corrections_win_and_the_last_line_counts(tmp_path: Path) -> None:
    result = corrected([("a", "Mass", "1"), ("a", "Mass", "0"), ("b", "Edema", "1")], tmp_path)
    assert one(result, "Mass") == (0, True)
    assert one(result, "Edema", 1) == (1, True)
    assert one(result, "Mass", 1) == (0, False)
    assert list(result.source) == ["corrected", "corrected"]


def test_corrections_of_other_data_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = corrected([("elsewhere", "Mass", "0")], tmp_path)
    assert one(result, "Mass") == (1, True)
    assert "1 corrections" in capsys.readouterr().err


@pytest.mark.parametrize("line", [("a", "Massive", "1"), ("a", "Mass", "yes")])
def test_a_correction_that_cannot_be_read_is_named(
    line: tuple[str, str, str], tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r"corrections\.csv row 3"):
        corrected([("a", "Mass", "1"), line], tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,Mass,1, ,2026-01-01,", "row 2: reader ' ' is nobody"),
        ("a,Mass,1,ann,yesterday,", "row 2: date 'yesterday' is no day"),
        ("a,Mass,1,ann,20260101,", "row 2: date '20260101' is no day"),
        ("a,Mass,1,ann,,", "row 2: date '' is no day"),
    ],
)
def test_a_correction_says_who_and_when(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(",".join(CORRECTIONS) + f"\n{line}\n")
    with pytest.raises(BadInput, match=said):
        labels.read_corrections(path)


def test_what_corrections_change_is_told_by_finding() -> None:
    before = joined([{"findings": "Mass"}, {"findings": "Mass"}, {"unknown": EVERYTHING}], {})
    lines = [("a", "Mass", "0"), ("b", "Mass", "0"), ("c", "Edema", "1"), ("a", "Hernia", "0")]
    table = pd.DataFrame(lines, columns=list(CORRECTIONS[:3]))
    after = labels.correct(before, pd.Series(["a", "b", "c"]), table)
    assert labels.changes(before, after) == [
        "Mass: 2 present -> absent", "Edema: 1 unknown -> present",
    ]  # fmt: skip
    assert labels.changes(before, before) == []


def test_lines_that_contradict_each_other_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corrected([("a", "Mass", "1"), ("b", "Edema", "1"), ("b", "Edema", "1")], tmp_path)
    assert "corrected to 0 and to 1" not in capsys.readouterr().err
    corrected([("b", "Mass", "1"), ("a", "Edema", "1"), ("b", "Mass", "0")], tmp_path)
    assert "1 labels are corrected to 0 and to 1" in (said := capsys.readouterr().err)
    assert "first Mass on b, rows 2, 4" in said


def test_no_corrections_file_is_no_correction(tmp_path: Path) -> None:
    assert labels.read_corrections(tmp_path / "none.csv").empty


def test_targets_and_known_have_one_column_per_finding() -> None:
    result = joined([{}, {}], {})
    assert result.targets.shape == result.known.shape == (2, len(FINDINGS))
    assert result.targets.dtype == np.int8


def test_a_correction_names_its_finding_as_it_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    rows = [
        f"a,{name},1,A Reader,2026-12-01,"
        for name in ("Pleural thickening", "pleural_thickening", "PLEURAL THICKENING")
    ]
    path.write_text("\n".join(["image,finding,label,reader,date,comment", *rows]) + "\n")
    assert labels.read_corrections(path)["finding"].tolist() == ["Pleural_Thickening"]
    path.write_text("image,finding,label,reader,date,comment\na,Nodules,1,A Reader,2026-12-01,\n")
    with pytest.raises(BadInput, match=r"row 2: finding 'Nodules' is .*did you mean 'Nodule'"):
        labels.read_corrections(path)
