"""Which split a patient belongs to: by a salted hash, or as the source's official lists say.

A patient is in one split with all images. The hash knows nothing of the other patients, so new data
moves nobody while the salt stays. Wang et al. (CVPR 2017) cut 70/10/20.
"""

import hashlib

import pandas as pd

from thorax.dataset.settings import DatasetConfig
from thorax.errors import BadInput

OFFICIAL = ("train", "validation", "train_val", "test")

_NAMED_AT_MOST = 6


def fraction(patient: str, salt: str) -> float:
    """A number in [0, 1) that depends on `salt` and `patient` alone, even over patients."""
    digest = hashlib.sha256(f"{salt}\0{patient}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def assign(entries: pd.DataFrame, config: DatasetConfig) -> pd.Series:
    """The split of every row of `entries`: train, validation or test.

    Official lists win: `test`, `train` and `validation` stay, `train_val` is cut by the hash in the
    ratio of the two shares. An image without an official split follows its patient.

    Args:
        entries: columns `image, patient, split`; `split` is empty or one of `OFFICIAL`.
        config: salt and shares.

    Raises:
        BadInput: an unknown split name, or a patient in two official lists.
    """
    _check_names(entries)
    official = _official_of_patients(entries)
    return entries["patient"].map(
        {
            patient: _split(fraction(patient, config.salt), official.get(patient, ""), config)
            for patient in entries["patient"].unique()
        }
    )


def _split(place: float, official: str, config: DatasetConfig) -> str:
    train, validation = config.train_share, config.validation_share
    if official == "train_val":
        return "train" if place * (train + validation) < train else "validation"
    if official:
        return official
    if place < train:
        return "train"
    return "validation" if place < train + validation else "test"


def _check_names(entries: pd.DataFrame) -> None:
    bad = entries[~entries["split"].isin(["", *OFFICIAL])]
    if len(bad):
        rows = ", ".join(
            f"{image} ({split!r})" for image, split in zip(bad["image"], bad["split"], strict=True)
        )[:300]
        raise BadInput(
            f"data/entries.csv: split must be empty or {', '.join(OFFICIAL)}; it is not for {rows}"
        )


def _official_of_patients(entries: pd.DataFrame) -> dict[str, str]:
    given = entries[entries["split"] != ""]
    lists = given.groupby("patient")["split"].unique()
    torn = lists[lists.map(len) > 1]
    if len(torn):
        patient = torn.index[0]
        images = given[given["patient"] == patient].head(_NAMED_AT_MOST)
        named = ", ".join(
            f"{image} in {split}"
            for image, split in zip(images["image"], images["split"], strict=True)
        )
        raise BadInput(
            f"data/entries.csv: patient {patient!r} stands in more than one official split "
            f"({named}; {len(torn):,} such patients); give each patient one, or none"
        )
    return {str(patient): str(names[0]) for patient, names in lists.items()}
