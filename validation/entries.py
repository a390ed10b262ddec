"""The suite of `data/entries.csv`: what a source gives, one image per row.

Each cell is judged as written; `row` counts lines of the file, the header being 1. What can only be
seen across rows (a patient's visits, splits) stands in `people` and `statistics`.
"""

from functools import partial

import numpy as np
import pandas as pd

from thorax.findings import FINDINGS, NO_FINDING
from validation import cells, names
from validation.checks import Check, Table, has_columns, says_nothing
from validation.settings import ValidationConfig

COLUMNS = (
    "image", "patient", "follow_up", "age_years", "sex", "view",
    "findings", "uncertain", "unknown", "split",
)  # fmt: skip
SEXES = ("F", "M", "O", "")
VIEWS = ("PA", "AP", "")
OFFICIAL = ("train", "validation", "train_val", "test", "")

_LISTS = ("findings", "uncertain", "unknown")
_FEW = COLUMNS[2:]  # columns of few distinct cells


def judged(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with `row`, and a helper column for every rule that a cell can break.

    `age_number` is NaN for no number. The others are "" where all is well and say what is wrong
    where it is not: `nameless`, `ownerless`, `odd_age`, `odd_follow_up`, `strange_<list>` (the
    words that are no findings), `beside_no_finding`, `said_twice`.
    """
    frame = frame.assign(**{name: frame[name].astype("category") for name in _FEW if name in frame})
    frame.insert(0, "row", np.arange(2, len(frame) + 2))
    for column, helper in (("image", "nameless"), ("patient", "ownerless")):
        if column in frame:
            blank = frame[column].str.strip() == ""
            frame[helper] = cells.where(blank, pd.Series(f"no {column}", index=frame.index))
    if "age_years" in frame:
        frame["age_number"] = cells.numbers(frame["age_years"])
        frame["odd_age"] = cells.by_value(_odd_age, frame["age_years"])
    if "follow_up" in frame:
        frame["odd_follow_up"] = cells.by_value(_odd_follow_up, frame["follow_up"])
    return _judged_lists(frame)


def table(frame: pd.DataFrame, config: ValidationConfig, *, source: str = "") -> Table:
    """The suite over what `judged` returned.

    Args:
        frame: the entries.
        config: bounds.
        source: the name in `data/source.json`: whether file names carry patients depends on it.
    """
    frame = names.judged(frame, source)
    checks = (
        has_columns(COLUMNS),
        *_identity(),
        *names.checks(source),
        *_person(config),
        *_labels(),
    )
    return Table("entries", frame, ("row", "image"), checks)


def _judged_lists(frame: pd.DataFrame) -> pd.DataFrame:
    lists = [name for name in _LISTS if name in frame]
    for name in lists:
        allowed = {*FINDINGS, NO_FINDING} if name == "findings" else set(FINDINGS)
        frame[f"strange_{name}"] = cells.by_value(partial(_strange, allowed), frame[name])
    if "findings" in frame:
        frame["beside_no_finding"] = cells.by_value(_beside_no_finding, frame["findings"])
    if len(lists) == len(_LISTS):
        frame["said_twice"] = cells.by_value(_said_twice, *(frame[name] for name in _LISTS))
    return frame


def _odd_age(cell: str) -> str:
    digits = cell.removeprefix("-")
    return "" if not digits or digits.replace(".", "", 1).isdecimal() else cell


def _odd_follow_up(cell: str) -> str:
    return "" if not cell or cell.isdecimal() else cell


def _strange(allowed: set[str], cell: str) -> str:
    words = cell.split("|") if cell else []
    return cell if any(word not in allowed for word in words) else ""


def _beside_no_finding(cell: str) -> str:
    words = cell.split("|")
    return cell if NO_FINDING in words and len(words) > 1 else ""


def _said_twice(*lists: str) -> str:
    words = [word for cell in lists for word in cell.split("|") if word]
    return "|".join(sorted({word for word in words if words.count(word) > 1}))


def _identity() -> tuple[Check, ...]:
    return (
        Check(
            "every image stands once",
            "ExpectColumnValuesToBeUnique",
            {"column": "image"},
            "critical",
            "an image with two rows has two truths, and may count twice",
        ),
        says_nothing(
            "every row names an image",
            "nameless",
            "critical",
            "a row without an image labels nothing",
        ),
        says_nothing(
            "every row names a patient",
            "ownerless",
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
        says_nothing(
            "the age is a number or empty",
            "odd_age",
            "critical",
            "an age with a unit or in words would be taken as not known",
        ),
        says_nothing(
            "the follow-up is a whole number or empty",
            "odd_follow_up",
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
    known = tuple(
        says_nothing(
            f"{column} holds only findings of the vocabulary",
            f"strange_{column}",
            "critical",
            "a finding under another name would silently count as absent",
        )
        for column in _LISTS
    )
    return (
        *known,
        says_nothing(
            "No Finding stands alone",
            "beside_no_finding",
            "critical",
            "a row that says nothing was found and names a finding has two truths",
        ),
        says_nothing(
            "no finding is said twice",
            "said_twice",
            "warning",
            "a finding given as present and as doubtful has no one truth; the more doubtful counts",
        ),
    )
