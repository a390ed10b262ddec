"""The suites of images and copies: each rule has a fault that it catches, and sound images pass."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from validation import images, runner
from validation.checks import Outcome
from validation.images import ImagesConfig

SETTINGS = ImagesConfig()
COUNT = 40

Fault = Callable[[pd.DataFrame], None]


def sound() -> pd.DataFrame:
    """40 images of 40 patients, of which ten are in test."""
    names = [f"{number:02}.png" for number in range(COUNT)]
    table = pd.DataFrame({"image": names, "patient": names, "readable": True})
    table["split"] = ["test" if number >= 30 else "train" for number in range(COUNT)]
    measures = {
        "width_px": 1024, "height_px": 1024, "channels": 1, "bit_depth": 8, "std_level": 60.0,
        "low_share": 0.02, "high_share": 0.0, "mode_share": 0.02, "level_range": 230.0,
        "text_share": 0.0, "seen_as": "upright", "seen_margin": 0.0, "chest_score": 12.0,
        "strangeness": 1.0,
    }  # fmt: skip
    return table.assign(**measures)


def no_copies() -> pd.DataFrame:
    return pd.DataFrame(columns=list(images.COPIES)).astype({"image": "str", "other": "str"})


def copy_of(one: str, other: str) -> pd.DataFrame:
    return pd.DataFrame([(one, other, "look", 4, 0.98)], columns=list(images.COPIES))


def cells(row: int, **values: Any) -> Fault:
    def plant(table: pd.DataFrame) -> None:
        for column, value in values.items():
            table.loc[row, column] = value

    return plant


def judged(
    table: pd.DataFrame, copies: pd.DataFrame, folder: Path
) -> dict[tuple[str, str], Outcome]:
    tables = list(images.tables(table, copies, SETTINGS))
    outcomes = runner.run(tables, folder / "docs", rows_named=5)
    return {(outcome.table, outcome.name): outcome for outcome in outcomes}


def failed(outcomes: dict[tuple[str, str], Outcome]) -> list[str]:
    return [name for (_, name), outcome in outcomes.items() if not outcome.success]


def test_sound_images_pass_every_check(tmp_path: Path) -> None:
    assert failed(judged(sound(), no_copies(), tmp_path)) == []


FAULTS: list[tuple[Fault, str]] = [
    (cells(7, width_px=100, height_px=100), "both sides have at least"),
    (cells(7, width_px=1600), "no side is longer"),
    (cells(7, bit_depth=12), "the bit depth"),
    (cells(7, channels=4), "the file is grey"),
    (cells(7, text_share=0.004), "at most 0.09% of the pixels are letters"),
    (cells(7, level_range=20.0), "an image has contrast"),
    (cells(7, mode_share=0.8), "an image has contrast"),
    (cells(7, low_share=0.7), "an image is not mostly black"),
    (cells(7, high_share=0.5), "an image is not mostly white"),
    (cells(7, strangeness=4.0), "an image looks like a frontal chest"),
    (cells(7, chest_score=2.0), "an image looks like a frontal chest"),
    (cells(7, seen_as="inverted", seen_margin=5.0), "no image is a negative"),
    (cells(7, seen_as="turned 90", seen_margin=5.0), "no image is turned"),
    (cells(7, seen_as="mirrored", seen_margin=5.0), "no image is mirrored"),
]


@pytest.mark.parametrize(("fault", "name"), FAULTS, ids=[name for _, name in FAULTS])
def test_a_fault_is_caught_by_its_check_alone_and_named(
    fault: Fault, name: str, tmp_path: Path
) -> None:
    table = sound()
    fault(table)
    outcomes = judged(table, no_copies(), tmp_path)
    (caught,) = failed(outcomes)
    assert caught.startswith(name)
    outcome = outcomes["images", caught]
    assert (outcome.severity, outcome.unexpected_count) == ("warning", 1)
    assert outcome.rows[0]["image"] == "07.png"


def test_a_doubtful_way_up_is_not_said() -> None:
    table = sound()
    cells(1, seen_as="mirrored", seen_margin=2.5)(table)
    cells(2, seen_as="turned 180", seen_margin=1.0)(table)
    cells(3, seen_as="turned 90", seen_margin=5.0, chest_score=1.0)(table)
    found = images.judged(table, SETTINGS)
    assert not found[["mirrored", "turned", "inverted"]].to_numpy().any()


def test_an_unreadable_image_is_left_to_its_own_check() -> None:
    table = sound()
    cells(5, readable=False, seen_as="", strangeness=None)(table)
    assert "05.png" not in set(images.judged(table, SETTINGS)["image"])


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    outcomes = judged(sound().drop(columns="strangeness"), no_copies(), tmp_path)
    (outcome,) = outcomes.values()
    assert (outcome.success, outcome.severity) == (False, "critical")
    assert outcome.observed == "missing: strangeness"


def test_copies_are_told_by_what_they_cross(tmp_path: Path) -> None:
    within = sound()
    within.loc[1, "patient"] = within.loc[0, "patient"]
    assert failed(judged(within, copy_of("00.png", "01.png"), tmp_path / "a")) == [
        "no patient has a picture twice"
    ]
    assert failed(judged(sound(), copy_of("00.png", "01.png"), tmp_path / "b")) == [
        "no picture belongs to two patients"
    ]


def test_a_leak_of_more_than_a_hundredth_of_the_test_images_refuses(tmp_path: Path) -> None:
    outcomes = judged(sound(), copy_of("00.png", "35.png"), tmp_path)
    assert failed(outcomes) == [
        "no picture is in two splits",
        "no picture belongs to two patients",
        "no fault of images is common",
    ]
    outcome = outcomes["image_faults", "no fault of images is common"]
    assert outcome.severity == "critical"
    assert outcome.rows[0]["fault"] == "test image that is also in another split"


def test_a_fault_of_many_images_refuses(tmp_path: Path) -> None:
    table = sound()
    for row in range(3):
        cells(row, seen_as="inverted", seen_margin=9.0)(table)
    outcomes = judged(table, no_copies(), tmp_path)
    assert failed(outcomes) == ["no image is a negative", "no fault of images is common"]
    few = outcomes["image_faults", "no fault of images is common"].rows[0]
    assert (few["fault"], few["images"], few["share"]) == ("inverted", 3, 0.075)
