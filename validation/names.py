"""Whether file names say the same as their rows, for sources that put ids into names.

NIH ChestX-ray14 and the phantom name files `PPPPPPPP_NNN.png`: eight digits of the patient and
three that number the patient's images from 0 (NIH's README_CHESTXRAY). Other sources promise
nothing, and the checks say that they do not apply.
"""

import numpy as np
import pandas as pd

from validation import cells
from validation.checks import Check, says_nothing

NUMBERED = ("nih", "phantom")
"""The sources whose file names carry patient and follow-up."""

_NEEDED = ("image", "patient", "follow_up")


def judged(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """`frame` with `other_patient` and `other_follow_up`: what the name says instead, "" if equal.

    Args:
        frame: columns `image, patient, follow_up` as text; without them nothing is added.
        source: the source's name; nothing is added for one whose names say nothing.
    """
    if source not in NUMBERED or not set(_NEEDED) <= set(frame.columns):
        return frame
    image = frame["image"]
    formed = image.str.slice(8, 9).eq("_") & image.str.slice(12, 13).eq(".")
    patient, number = image.str.slice(0, 8), image.str.slice(9, 12)
    one = _whole(patient).eq(cells.numbers(frame["patient"])) & formed
    follow_up = cells.numbers(frame["follow_up"])
    other = _whole(number).eq(follow_up) | follow_up.isna()
    return frame.assign(
        other_patient=cells.where(~one, patient.where(formed, "not PPPPPPPP_NNN")),
        other_follow_up=cells.where(formed & ~other, number),
    )


def checks(source: str) -> tuple[Check, ...]:
    """The two checks; for a source whose names say nothing they say so."""
    lack = ""
    if source not in NUMBERED:
        lack = f"the names of source {source or 'unknown'!r} carry no ids"
    return (
        says_nothing(
            "the file name's patient is the row's",
            "other_patient",
            "critical",
            "a row shifted against its image gives every image another patient's labels",
            lack,
        ),
        says_nothing(
            "the file name's number is the follow-up",
            "other_follow_up",
            "warning",
            "one of the two is not the order in time: results by follow-up then mean little",
            lack,
        ),
    )


def _whole(digits: pd.Series) -> pd.Series:
    """Digits as numbers; anything else as -1, which is no patient and no follow-up."""
    plain = digits.str.isdecimal()
    read = digits.where(plain, "-1").astype(np.int64)
    return read.astype(np.float64)
