"""Who comes to be examined, how often, and with what: patients, their studies, their findings.

A patient's body and lasting findings persist over the studies; the rest comes and goes. Findings
come in company (heart failure, infection, a tumour, an operation), as in hospitals. A patient is
drawn from the seed and the patient's number alone, so more patients change no earlier one.
Made up for this generator; no published rates stand behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from thorax.findings import FINDINGS
from thorax.sources.phantom.dice import Dice

RIGHT, LEFT = -1, 1  # the patient's side; the right one is on the left of the image
LASTING: Final = (
    "Cardiomegaly",
    "Mass",
    "Nodule",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
_BILATERAL: Final = {
    "Effusion": 0.25,
    "Infiltration": 0.4,
    "Pleural_Thickening": 0.25,
    "Atelectasis": 0.2,
}
_STUDIES: Final = {1: 45, 2: 25, 3: 13, 4: 8, 5: 5, 6: 4}

# How much likelier than usual a finding is in each company, and how common the company is.
_COMPANIES: Final[Mapping[str, tuple[float, Mapping[str, float]]]] = {
    "well": (0.40, {}),
    "heart failure": (0.10, {"Cardiomegaly": 5, "Edema": 7, "Effusion": 4, "Atelectasis": 1.5}),
    "obstructive": (0.09, {"Emphysema": 7, "Pneumothorax": 2.5, "Nodule": 1.5}),
    "infection": (0.13, {"Pneumonia": 6, "Consolidation": 5, "Infiltration": 4, "Effusion": 2}),
    "tumour": (0.08, {"Mass": 7, "Nodule": 6, "Effusion": 2, "Atelectasis": 2}),
    "operated": (0.09, {"Atelectasis": 4.5, "Pneumothorax": 5, "Effusion": 3}),
    "fibrotic": (0.07, {"Fibrosis": 8, "Pleural_Thickening": 5}),
    "hernia": (0.04, {"Hernia": 12, "Atelectasis": 1.5}),
}  # fmt: skip
_WELL_FACTOR = 0.12
_OTHER_FACTOR = 0.7


@dataclass(frozen=True)
class Lesion:
    """One planted finding at one place.

    Attributes:
        finding: its ChestX-ray name.
        side: -1 the patient's right, 1 the left, 0 neither.
        across, height: the place within its range, each in [0, 1).
        size: within its range, in [0, 1).
        severity: how clearly it shows, in [0, 1).
        seed: of its own texture.
    """

    finding: str
    side: int
    across: float
    height: float
    size: float
    severity: float
    seed: int


@dataclass(frozen=True)
class Study:
    """One examination with one frontal image.

    Attributes:
        patient: the patient's number, from 1.
        follow_up: the study's number, from 0.
        age_years: at the time of the study.
        sex: M or F.
        view: PA (upright) or AP (mostly in bed).
        lesions: what is drawn; the truth.
        suspected: findings that the report mentions with doubt though they are not drawn.
        company: why the patient is here.
    """

    patient: int
    follow_up: int
    age_years: int
    sex: str
    view: str
    lesions: tuple[Lesion, ...]
    suspected: tuple[str, ...]
    company: str

    @property
    def image(self) -> str:
        """The image's file name."""
        return f"{self.patient:08d}_{self.follow_up:03d}.png"

    @property
    def present(self) -> tuple[str, ...]:
        """The findings that are drawn, in the vocabulary's order."""
        drawn = {lesion.finding for lesion in self.lesions}
        return tuple(finding for finding in FINDINGS if finding in drawn)


def studies(seed: int, patient: int, prevalence: Mapping[str, float], doubt: float) -> list[Study]:
    """All studies of one patient in order of time.

    Args:
        seed: of the whole collection.
        patient: the patient's number.
        prevalence: share of images per finding to aim at.
        doubt: share of studies whose report suspects a finding that is not there.
    """
    dice = Dice(seed, patient, "history")
    company = dice.weighted({name: share for name, (share, _) in _COMPANIES.items()})
    rates = _rates(company, prevalence)
    sex = "M" if dice.chance(0.54) else "F"
    age = int(min(max(dice.bell(61 if company != "well" else 47, 15), 18), 94))
    count = dice.weighted(_STUDIES)
    lasting = [item for name in LASTING if dice.chance(rates[name]) for item in _plant(dice, name)]
    found = []
    for follow_up in range(count):
        passing = Dice(seed, patient, "study", follow_up)
        lesions = [_later(passing, lesion) for lesion in lasting]
        for name in FINDINGS:
            if name not in LASTING and passing.chance(rates[name]):
                lesions += _plant(passing, name)
        age = min(age + passing.below(3) * (follow_up > 0), 95)
        acute = len({lesion.finding for lesion in lesions} - set(LASTING))
        view = "AP" if passing.chance(min(0.16 + 0.17 * acute, 0.8)) else "PA"
        suspected = _suspect(passing, lesions, doubt)
        kept = tuple(sorted(lesions, key=lambda lesion: FINDINGS.index(lesion.finding)))
        found.append(Study(patient, follow_up, age, sex, view, kept, suspected, company))
    return found


def _rates(company: str, prevalence: Mapping[str, float]) -> dict[str, float]:
    """Chance of each finding in a company, so that the mean over companies is `prevalence`."""

    def factor(name: str, finding: str) -> float:
        usual = _WELL_FACTOR if name == "well" else _OTHER_FACTOR
        return _COMPANIES[name][1].get(finding, usual)

    rates = {}
    for finding in FINDINGS:
        mean = sum(share * factor(name, finding) for name, (share, _) in _COMPANIES.items())
        rates[finding] = min(prevalence[finding] * factor(company, finding) / mean, 0.9)
    return rates


def _plant(dice: Dice, finding: str) -> list[Lesion]:
    side = LEFT if dice.chance(0.5) else RIGHT
    sides = [side]
    if finding == "Edema" or dice.chance(_BILATERAL.get(finding, 0.0)):
        sides = [RIGHT, LEFT]
    if finding in ("Cardiomegaly", "Hernia"):
        sides = [0]
    if finding in ("Emphysema", "Fibrosis") and dice.chance(0.85):
        sides = [RIGHT, LEFT]
    shared = dice.unit()
    return [
        Lesion(
            finding,
            each,
            across=dice.unit(),
            height=dice.unit(),
            size=dice.unit(),
            severity=min(max(shared + dice.between(-0.1, 0.1), 0.0), 0.999),
            seed=dice.below(1 << 31),
        )
        for each in sides
    ]


def _later(dice: Dice, lesion: Lesion) -> Lesion:
    """The same lesion at another time: a little clearer or fainter."""
    severity = min(max(lesion.severity + dice.between(-0.08, 0.08), 0.0), 0.999)
    return Lesion(**{**vars(lesion), "severity": severity})


def _suspect(dice: Dice, lesions: list[Lesion], doubt: float) -> tuple[str, ...]:
    absent = [name for name in FINDINGS if name not in {lesion.finding for lesion in lesions}]
    return (dice.pick(absent),) if absent and dice.chance(doubt) else ()
