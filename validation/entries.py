"""The suite of `data/entries.csv`: what a source gives, one image per row.

Each cell is judged as written; `row` counts lines of the file, the header being 1.
"""

from pathlib import Path

import pandas as pd

from thorax import artifacts
from thorax.findings import FINDINGS
from validation.checks import Check, Table, has_columns
from validation.settings import ValidationConfig

COLUMNS = (
    "image", "patient", "follow_up", "age_years", "sex", "view",
    "findings", "uncertain", "unknown", "split",
)  # fmt: skip
SEXES = ("F", "M", "O", "")
VIEWS = ("PA", "AP", "")
OFFICIAL = ("train", "validation", "train_val", "test", "")

_LISTS = ("findings", "uncertain", "unknown")


def read(path: Path) -> pd.DataFrame:
    """The file as text, with what `judged` adds."""
    return judged(artifacts.read_csv(path))


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with `row`, `age_number` (NaN for no number) and `said_twice` (findings, `|`)."""
    frame = frame.copy()
    frame.insert(0, "row", range(2, len(frame) + 2))
    if "age_years" in frame:
        frame["age_number"] = pd.to_numeric(frame["age_years"], errors="coerce")
    if set(_LISTS) <= set(frame.columns):
        cells = frame[list(_LISTS)].itertuples(index=False)
        frame["said_twice"] = [_said_twice(*lists) for lists in cells]
    return frame


def table(frame: pd.DataFrame, config: ValidationConfig) -> Table:
    """The suite over what `judged` returned."""
    checks = (has_columns(COLUMNS), *_identity(), *_person(config), *_labels())
    return Table("entries", frame, ("row", "image"), checks)


def _identity() -> tuple[Check, ...]:
    return (
        Check(
            "every image stands once",
            "ExpectColumnValuesToBeUnique",
            {"column": "image"},
            "critical",
            "an image with two rows has two truths, and may count twice",
        ),
        Check(
            "every row names an image",
            "ExpectColumnValuesToMatchRegex",
            {"column": "image", "regex": r"\S"},
            "critical",
            "a row without an image labels nothing",
        ),
        Check(
            "every row names a patient",
            "ExpectColumnValuesToMatchRegex",
            {"column": "patient", "regex": r"\S"},
            "critical",
            "without the patient the split would leak, and intervals would be too narrow",
        ),
        Check(
            "the official split is one of the known names",
            "ExpectColumnValuesToBeInSet",
            {"column": "split", "value_set": list(OFFICIAL)},
            "critical",
            "an unknown split name would put a held-back image into training",
        ),
    )


def _person(config: ValidationConfig) -> tuple[Check, ...]:
    return (
        Check(
            f"the age lies between 0 and {config.age_years_max:g} years",
            "ExpectColumnValuesToBeBetween",
            {"column": "age_number", "min_value": 0, "max_value": config.age_years_max},
            "critical",
            "an impossible age means a broken or shifted table; empty it where it is not known",
        ),
        Check(
            "the age is a number or empty",
            "ExpectColumnValuesToMatchRegex",
            {"column": "age_years", "regex": r"^-?\d*\.?\d*$"},
            "critical",
            "an age with a unit or in words would be taken as not known",
        ),
        Check(
            "the follow-up is a whole number or empty",
            "ExpectColumnValuesToMatchRegex",
            {"column": "follow_up", "regex": r"^\d*$"},
            "warning",
            "results by follow-up would leave the image out",
        ),
        Check(
            "the sex is F, M, O or empty",
            "ExpectColumnValuesToBeInSet",
            {"column": "sex", "value_set": list(SEXES)},
            "warning",
            "results by sex would leave the image out",
        ),
        Check(
            "the view is PA, AP or empty",
            "ExpectColumnValuesToBeInSet",
            {"column": "view", "value_set": list(VIEWS)},
            "warning",
            "the model is made for frontal images",
        ),
    )


def _labels() -> tuple[Check, ...]:
    names = "|".join(FINDINGS)
    known = tuple(
        Check(
            f"{column} holds only findings of the vocabulary",
            "ExpectColumnValuesToMatchRegex",
            {"column": column, "regex": rf"^$|^(?:{names})(?:\|(?:{names}))*$"},
            "critical",
            "a finding under another name would silently count as absent",
        )
        for column in _LISTS
    )
    once = Check(
        "no finding is said twice",
        "ExpectColumnValuesToBeInSet",
        {"column": "said_twice", "value_set": [""]},
        "warning",
        "a finding given as present and as doubtful has no one truth; the more doubtful counts",
    )
    return (*known, once)


def _said_twice(*cells: str) -> str:
    names = [name for cell in cells for name in cell.split("|") if name]
    return "|".join(sorted({name for name in names if names.count(name) > 1}))
