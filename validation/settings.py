"""The settings of the validation stage: `params.yaml`, section `validation`."""

from pydantic import Field

from thorax.config import Config
from validation.images import ImagesConfig
from validation.waivers import Waiver


class PositivesMin(Config):
    """How many positives a finding needs in each split before its numbers mean something."""

    train: int = Field(ge=0)
    """Images in train."""
    validation: int = Field(ge=0)
    """Images in validation: thresholds and calibration are fitted on them."""
    test: int = Field(ge=0)
    """Images in test."""


class AgreementConfig(Config):
    """How far labels must agree with better ones; see `validation/agreement.py`."""

    kappa_min: float = Field(ge=-1, le=1)
    """Cohen's kappa that a finding must not surely stay below."""
    ppv_min: float = Field(ge=0, le=1)
    """Share of the labels "present" that are right, likewise."""
    sensitivity_min: float = Field(ge=0, le=1)
    """Share of what is present that is labelled, likewise."""
    positives_min: int = Field(ge=1)
    """Positives (of either side) below which a finding is not judged."""


class DriftConfig(Config):
    """How far a data version may move from the one before; see `validation/drift.py`."""

    alpha: float = Field(gt=0, lt=1)
    """p after Holm's correction up to which a move is no chance."""
    effect_warning: float = Field(gt=0)
    """Cohen's h of a prevalence from which such a move is a warning."""
    effect_critical: float = Field(gt=0)
    """Cohen's h from which it refuses the data."""
    odds_factor: float = Field(gt=1)
    """Factor of a pair's odds ratio from which such a move is a warning."""
    pairs_min: int = Field(ge=1)
    """Images with both findings, in either version, below which a pair is not compared."""


class PageConfig(Config):
    """How the summary page is drawn."""

    thumbnail_px: int = Field(ge=16, le=1024)
    """Longest side of a picture of an offending image, in pixels."""
    pictures: int = Field(ge=0, le=1000)
    """How many pictures a failed check shows at most."""
    versions: int = Field(ge=1)
    """How many data versions the trends show at most, this one among them."""


class ValidationConfig(Config):
    """Bounds of the checks that have one."""

    age_years_max: float = Field(gt=0)
    """The oldest age that is believed, in years."""
    unreadable_share_max: float = Field(ge=0, le=1)
    """The share of images that may be unreadable or missing before the data is refused, 0 to 1."""
    uncertain_share_max: float = Field(ge=0, le=1)
    """The share of mentions in reports that may be doubtful before a warning, 0 to 1."""
    unmentioned_share_max: float = Field(ge=0, le=1)
    """The share of reports that may leave a finding unmentioned before a warning, 0 to 1."""
    mentions_min: int = Field(ge=1)
    """Mentions of a finding below which its doubtful share is not judged."""
    agreement: AgreementConfig
    """Labels against better labels."""
    drift: DriftConfig
    """This data version against the one before."""
    std_level_min: float = Field(ge=0)
    """Standard deviation of grey levels (0 to 255) up to which an image shows nothing."""
    positives_min: PositivesMin
    """Positives per finding and split below which a warning is given."""
    rows_named: int = Field(ge=1, le=1000)
    """How many failing rows of a check the verdict names."""
    images: ImagesConfig = ImagesConfig()
    """Bounds of what is measured of each image."""
    page: PageConfig
    """The summary page."""
    waivers: tuple[Waiver, ...] = ()
    """Failed critical checks that a person accepts until a day."""
