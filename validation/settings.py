"""The settings of the validation stage: `params.yaml`, section `validation`."""

from pydantic import Field

from thorax.config import Config
from validation.waivers import Waiver


class PositivesMin(Config):
    """How many positives a finding needs in each split before its numbers mean something."""

    train: int = Field(ge=0)
    """Images in train."""
    validation: int = Field(ge=0)
    """Images in validation: thresholds and calibration are fitted on them."""
    test: int = Field(ge=0)
    """Images in test."""


class PageConfig(Config):
    """How the summary page is drawn."""

    thumbnail_px: int = Field(ge=16, le=1024)
    """Longest side of a picture of an offending image, in pixels."""
    pictures: int = Field(ge=0, le=1000)
    """How many pictures a failed check shows at most."""


class ValidationConfig(Config):
    """Bounds of the checks that have one."""

    age_years_max: float = Field(gt=0)
    """The oldest age that is believed, in years."""
    unreadable_share_max: float = Field(ge=0, le=1)
    """The share of images that may be unreadable or missing before the data is refused, 0 to 1."""
    uncertain_share_max: float = Field(ge=0, le=1)
    """The share of mentions in reports that may be doubtful before a warning, 0 to 1."""
    std_level_min: float = Field(ge=0)
    """Standard deviation of grey levels (0 to 255) up to which an image shows nothing."""
    positives_min: PositivesMin
    """Positives per finding and split below which a warning is given."""
    rows_named: int = Field(ge=1, le=1000)
    """How many failing rows of a check the verdict names."""
    page: PageConfig
    """The summary page."""
    waivers: tuple[Waiver, ...] = ()
    """Failed critical checks that a person accepts until a day."""
