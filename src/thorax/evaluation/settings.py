"""The numbers of the evaluation stage: `params.yaml: evaluation`."""

from typing import Literal

from pydantic import Field, field_validator

from thorax.config import Config


class EvaluationConfig(Config):
    """What is scored, and how finely."""

    split: Literal["train", "validation", "test"] = "test"
    """The split that is scored."""
    replicates: int = Field(default=1000, ge=100)
    """Bootstrap replicates behind each interval."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Share of the replicates that an interval covers."""
    min_share: float = Field(default=0.5, gt=0, le=1)
    """Share of the replicates that must hold both classes; with fewer there is no interval."""
    interval_patients_min: int = Field(default=5, ge=1)
    """Patients of each class below which an interval is not estimable."""
    seed: int = 8
    """Seed of the bootstrap."""
    calibration_bins: int = Field(default=10, ge=2)
    """Bins of equal width over [0, 1] for the expected calibration error."""
    age_bands_years: tuple[float, ...] = (18, 40, 60, 80)
    """Ages in years at which a new band of the age slices begins."""
    later_from: int = Field(default=1, ge=1)
    """Follow-up number from which a film is a later one of its patient; below it is the first (NIH
    counts from 0)."""
    fixed_sensitivities: tuple[float, ...] = (0.9, 0.95)
    """Sensitivities at which the test set's own curve is read for its specificity."""
    fixed_specificities: tuple[float, ...] = (0.9, 0.95)
    """Specificities at which it is read for its sensitivity."""
    site_folds: int = Field(default=5, ge=2)
    """Folds of patients in which `thorax evaluate` refits thresholds for a site."""
    curve_points: int = Field(default=200, ge=10)
    """Most points kept of a curve in roc.csv and pr.csv."""

    @field_validator("fixed_sensitivities", "fixed_specificities")
    @classmethod
    def _are_shares(cls, limits: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < limit < 1 for limit in limits):
            raise ValueError("shares lie between 0 and 1")
        return limits

    @field_validator("age_bands_years")
    @classmethod
    def _rises(cls, bands: tuple[float, ...]) -> tuple[float, ...]:
        if list(bands) != sorted(set(bands)):
            raise ValueError("the ages must rise")
        return bands
