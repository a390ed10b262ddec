"""The one vocabulary: finding names and their order, label states, split names, axis letters.

Axes, used in every docstring of the project: B batch, F findings, C channels, H W image height and
width, h w feature-map height and width, N images, P patients.

The names and their order are those of ChestX-ray14 (Wang et al., CVPR 2017, arXiv 1705.02315 v5);
the first eight are ChestX-ray8. `normal` is a label of reports; "No Finding" is NIH's word for an
image on which none of the fourteen was found, which is not the same.
"""

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


def target_column(finding: str) -> str:
    """The manifest column with the finding's target: 1 present, 0 absent, 0 where unknown."""
    return f"target_{finding}"


def known_column(finding: str) -> str:
    """The manifest column that says whether the finding's target may be used."""
    return f"known_{finding}"
