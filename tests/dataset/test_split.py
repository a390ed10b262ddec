"""Patients are cut by a salted hash, or as the official lists say."""

import pandas as pd
import pytest

from thorax.dataset import split
from thorax.dataset.settings import DatasetConfig
from thorax.errors import BadInput

CONFIG = DatasetConfig(
    size_px=64, salt="s", train_share=0.7, validation_share=0.1, uncertain="ignore"
)


def entries(patients: list[str], splits: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image": [f"{number}.png" for number in range(len(patients))],
            "patient": patients,
            "split": splits or [""] * len(patients),
        }
    )


def test_shares_come_out_near_what_was_asked() -> None:
    patients = [f"p{number}" for number in range(20_000)]
    shares = split.assign(entries(patients), CONFIG).value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx(
        {"train": 0.7, "test": 0.2, "validation": 0.1}, abs=0.01
    )


def test_new_patients_move_nobody() -> None:
    few = entries(["a", "b", "c", "d"])
    many = entries(["z", "y", "a", "b", "c", "d", "x"])
    before = dict(zip(few["patient"], split.assign(few, CONFIG), strict=True))
    after = dict(zip(many["patient"], split.assign(many, CONFIG), strict=True))
    assert before.items() <= after.items()


def test_another_salt_is_another_split() -> None:
    table = entries([f"p{number}" for number in range(100)])
    other = CONFIG.model_copy(update={"salt": "t"})
    assert list(split.assign(table, CONFIG)) != list(split.assign(table, other))


def test_the_hash_does_not_confuse_salt_and_patient() -> None:
    assert split.fraction("bc", "a") != split.fraction("c", "ab")


def test_a_patient_is_in_one_split_with_all_images() -> None:
    table = entries([f"p{number % 50}" for number in range(500)])
    table["got"] = split.assign(table, CONFIG)
    assert (table.groupby("patient")["got"].nunique() == 1).all()


def test_official_lists_win_and_train_val_is_cut_in_the_ratio_of_the_shares() -> None:
    patients = [f"p{number}" for number in range(16_000)]
    table = entries(patients, ["test"] * 4_000 + ["train_val"] * 12_000)
    got = split.assign(table, CONFIG)
    assert set(got[:4_000]) == {"test"}
    shares = got[4_000:].value_counts(normalize=True).to_dict()
    assert shares == pytest.approx({"train": 7 / 8, "validation": 1 / 8}, abs=0.01)


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_an_official_split_stays_as_given(name: str) -> None:
    assert set(split.assign(entries(["a", "b"], [name, name]), CONFIG)) == {name}


def test_an_image_without_a_list_follows_its_patient() -> None:
    table = entries(["a", "a"], ["test", ""])
    assert list(split.assign(table, CONFIG)) == ["test", "test"]


def test_a_patient_in_two_lists_is_named_with_the_images() -> None:
    table = entries(["a", "b", "b"], ["test", "train_val", "test"])
    with pytest.raises(BadInput, match=r"'b'.*1\.png in train_val, 2\.png in test"):
        split.assign(table, CONFIG)


def test_an_unknown_split_name_is_named() -> None:
    with pytest.raises(BadInput, match=r"0\.png \('holdout'\)"):
        split.assign(entries(["a"], ["holdout"]), CONFIG)
