"""The suite of the images themselves: how the dataset stage measured them, and copies among them.

Measured were size, levels, burned-in letters, and what a frame looks like beside the reference's
chests; here bounds are put on the measures. An image that looks like a chest in no way is not said
to be turned or inverted as well. Thresholds were set for few false alarms: what the checks
found and missed on real images stands in `docs/log.md`. A heart on the right side (dextrocardia)
and a lung that is white throughout look mirrored; whether a film is lateral was not measured.
"""

import pandas as pd
from pydantic import Field

from thorax.config import Config
from thorax.findings import SPLITS
from thorax.image_checks import FaultBounds, find_faults
from validation.checks import Check, Row, Table, has_columns

COLUMNS = (
    "image", "patient", "split", "readable", "width_px", "height_px", "channels", "bit_depth",
    "std_level", "low_share", "high_share", "mode_share", "level_range", "text_share",
    "seen_as", "seen_margin", "chest_score", "strangeness",
)  # fmt: skip
COPIES = ("image", "other", "kind", "bits", "likeness")

_FAULTS = ("inverted", "turned", "mirrored", "blank", "black", "white")
_COLUMN_FAULTS = {
    "strange": "not_a_chest", "inverted": "inverted", "turned": "turned", "mirrored": "mirrored",
    "blank": "blank", "black": "mostly_black", "white": "mostly_white",
}  # fmt: skip
_MEASURES = (
    "low_share", "high_share", "mode_share", "level_range", "seen_as", "seen_margin", "chest_score",
    "strangeness",
)  # fmt: skip


class ImagesConfig(FaultBounds, Config):
    """Bounds of the checks of images."""

    bit_depths: tuple[int, ...] = (8, 16)
    """Bits per channel of the files that are expected."""
    channels: tuple[int, ...] = (1,)
    """Channels of the files that are expected: 1 is grey."""
    text_share_max: float = Field(0.0009, ge=0, le=1)
    """Share of an image's pixels that may be burned-in letters."""
    fault_share_max: float = Field(0.05, ge=0, le=1)
    """Share of the images that may have one fault before the data is refused."""
    leaked_share_max: float = Field(0.01, ge=0, le=1)
    """Share of the test images that may have a copy in train or validation before the same."""


def tables(manifest: pd.DataFrame, copies: pd.DataFrame, config: ImagesConfig) -> tuple[Table, ...]:
    """The suites over images, copies, and the shares of both.

    Args:
        manifest: the manifest.
        copies: the dataset stage's links between copies, columns `COPIES`.
        config: bounds.
    """
    if not set(COLUMNS) <= set(manifest.columns):
        return (Table("images", manifest, ("image",), (has_columns(COLUMNS),)),)
    images, linked = judged(manifest, config), placed(copies, manifest)
    return (
        Table("images", images, ("image",), (has_columns(COLUMNS), *_images(config))),
        Table("copies", linked, _NAMED, _copies()),
        _shares(images, linked, config),
    )


def judged(manifest: pd.DataFrame, config: ImagesConfig) -> pd.DataFrame:
    """The readable images with sides, and one yes or no per fault."""
    frame = manifest.loc[manifest["readable"], list(COLUMNS)].reset_index(drop=True)
    sides = frame[["width_px", "height_px"]].astype("float64")
    faults = find_faults({name: frame[name].to_numpy() for name in _MEASURES}, config)
    return frame.assign(
        side_px=sides.min(axis=1),
        aspect=sides.max(axis=1) / sides.min(axis=1),
        **{column: faults[code] for column, code in _COLUMN_FAULTS.items()},
    )


_NAMED = ("image", "other", "kind", "patient", "other_patient", "split", "other_split")


def placed(copies: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """The links with patient and split of both images, and whether these differ."""
    places = manifest.drop_duplicates("image").set_index("image")[["patient", "split"]]
    frame = copies.join(places, on="image").join(places.add_prefix("other_"), on="other")
    patients = frame["patient"].ne(frame["other_patient"])
    return frame.assign(
        across_splits=frame["split"].ne(frame["other_split"]),
        across_patients=patients,
        within_patient=~patients,
    )


def _images(config: ImagesConfig) -> tuple[Check, ...]:
    bounds = (
        _between(
            f"both sides have at least {config.side_px_min} pixels",
            "side_px",
            "a thumbnail has lost what small findings look like",
            low=config.side_px_min,
        ),
        _between(
            f"no side is longer than {config.aspect_max:g} times the other",
            "aspect",
            "frames are square: a strip is squeezed, or is not the whole film",
            high=config.aspect_max,
        ),
        _in_set(
            "the bit depth is an expected one",
            "bit_depth",
            list(config.bit_depths),
            "another depth means another export, and perhaps another scale of grey",
        ),
        _in_set(
            "the file is grey",
            "channels",
            list(config.channels),
            "colour or transparency means that another program saved the image; only its grey "
            "levels are used",
        ),
        _between(
            f"at most {config.text_share_max:.2%} of the pixels are letters",
            "text_share",
            "burned-in text may name the patient, and a model may read it instead of the chest",
            high=config.text_share_max,
        ),
    )
    return (*bounds, *(_free_of(fault, name, reason) for fault, name, reason in _SAID))


_SAID = (
    ("blank", "an image has contrast", "a failed export, a cover plate or an empty exposure"),
    ("black", "an image is not mostly black", "wrong windowing, or a small film on a large plate"),
    ("white", "an image is not mostly white", "wrong windowing or a negative: tissue is cut off"),
    ("strange", "an image looks like a frontal chest",
     "another part of the body or another view teaches a chest model nothing, and is scored wrong"),
    ("inverted", "no image is a negative", "in a negative air looks like fluid and fluid like air"),
    ("turned", "no image is turned", "the model is made for upright chests"),
    ("mirrored", "no image is mirrored",
     "left and right are exchanged; or the heart lies on the right, or one lung is white"),
)  # fmt: skip


def _copies() -> tuple[Check, ...]:
    said = (
        ("across_splits", "no picture is in two splits",
         "a picture in train and test is learned by heart, and the test believes it"),
        ("across_patients", "no picture belongs to two patients",
         "one of the two has another person's picture: its labels and its split are wrong"),
        ("within_patient", "no patient has a picture twice",
         "it counts twice, and its two rows may say different things"),
    )  # fmt: skip
    return tuple(_free_of(column, name, reason) for column, name, reason in said)


def _shares(images: pd.DataFrame, linked: pd.DataFrame, config: ImagesConfig) -> Table:
    """One row per fault: how many images have it, and the share that refuses the data."""
    counts = {fault: (int(images[fault].sum()), len(images)) for fault in _FAULTS}
    rows: list[Row] = [
        {"fault": fault, "images": count, "share": _share(count, total)}
        | {"share_max": config.fault_share_max}
        for fault, (count, total) in counts.items()
    ]
    leaked, tested = _leaked(images, linked)
    rows.append(
        {"fault": "test image that is also in another split", "images": leaked}
        | {"share": _share(leaked, tested), "share_max": config.leaked_share_max}
    )
    common = Check(
        "no fault of images is common",
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {"column_A": "share_max", "column_B": "share", "or_equal": True},
        "critical",
        "a few bad films are bad luck; many mean a broken export, or a test that proves nothing",
    )
    return Table("image_faults", pd.DataFrame(rows), ("fault", "images", "share"), (common,))


def _leaked(images: pd.DataFrame, linked: pd.DataFrame) -> tuple[int, int]:
    """Test images with a copy in another split, and test images in all."""
    test = SPLITS[-1]
    across = linked[linked["across_splits"]]
    ours = across.loc[across["split"].eq(test) & across["other_split"].ne(""), "image"]
    theirs = across.loc[across["other_split"].eq(test) & across["split"].ne(""), "other"]
    return pd.concat([ours, theirs]).nunique(), int(images["split"].eq(test).sum())


def _share(count: int, total: int) -> float:
    return count / total if total else 0.0


def _between(
    name: str, column: str, reason: str, *, low: float | None = None, high: float | None = None
) -> Check:
    bounds = {"min_value": low, "max_value": high}
    given = {key: value for key, value in bounds.items() if value is not None}
    expectation = "ExpectColumnValuesToBeBetween"
    return Check(name, expectation, {"column": column, **given}, "warning", reason)


def _in_set(name: str, column: str, values: list[int], reason: str) -> Check:
    arguments = {"column": column, "value_set": values}
    return Check(name, "ExpectColumnValuesToBeInSet", arguments, "warning", reason)


def _free_of(column: str, name: str, reason: str) -> Check:
    arguments = {"column": column, "value_set": [False]}
    return Check(name, "ExpectColumnValuesToBeInSet", arguments, "warning", reason)
