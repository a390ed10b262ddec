"""The one vocabulary: finding names and their order, label states, split names, axis letters.

Axes, used in every docstring of the project: B batch, F findings, C channels, H W image height and
width, h w feature-map height and width, N images, P patients.

The names and their order are those of ChestX-ray14 (Wang et al., CVPR 2017, arXiv 1705.02315 v5);
the first eight are ChestX-ray8. `normal` is a label of reports; "No Finding" is NIH's word for an
image on which none of the fourteen was found, which is not the same.
"""

import difflib
import re
from collections.abc import Iterable
from typing import Final, Literal

CHESTX_RAY8: Final = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
)

FINDINGS: Final = (
    *CHESTX_RAY8,
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)

NORMAL: Final = "normal"
NO_FINDING: Final = "No Finding"

State = Literal["positive", "negative", "uncertain", "unmentioned"]
STATES: Final[tuple[State, ...]] = ("positive", "negative", "uncertain", "unmentioned")

SPLITS: Final = ("train", "validation", "test")


def display(finding: str) -> str:
    """The finding as a person reads it: `Pleural_Thickening` becomes `Pleural thickening`."""
    return finding.replace("_", " ").capitalize()


def find(name: str, known: Iterable[str] = FINDINGS) -> str | None:
    """The name of `known` that `name` spells, whatever its case, spaces, hyphens and underscores.

    So `Pleural thickening`, `pleural_thickening` and `PLEURAL-THICKENING` are one finding.
    """
    key = _key(name)
    return next((each for each in known if _key(each) == key), None)


def closest(name: str, known: Iterable[str] = FINDINGS) -> str | None:
    """The name of `known` that `name` nearly spells (a plural, a typing error); None without."""
    keys = {_key(each): each for each in known}
    close = difflib.get_close_matches(_key(name), keys, n=1, cutoff=0.7)
    return keys[close[0]] if close else None


def unknown_label(name: str, known: Iterable[str] = FINDINGS) -> str:
    """What to say of a label that is not known: the close one, and all that are."""
    known = tuple(known)
    close = closest(name, known)
    hint = f" (did you mean {close!r}?)" if close else ""
    return f"unknown label {name!r}{hint}; known are {', '.join(known)}"


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def target_column(finding: str) -> str:
    """The manifest column with the finding's target: 1 present, 0 absent, 0 where unknown."""
    return f"target_{finding}"


def known_column(finding: str) -> str:
    """The manifest column that says whether the finding's target may be used."""
    return f"known_{finding}"
