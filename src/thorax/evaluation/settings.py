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
    seed: int = 8
    """Seed of the bootstrap."""
    calibration_bins: int = Field(default=10, ge=2)
    """Bins of equal width over [0, 1] for the expected calibration error."""
    age_bands_years: tuple[float, ...] = (18, 40, 60, 80)
    """Ages in years at which a new band of the age slices begins."""
    curve_points: int = Field(default=200, ge=10)
    """Most points kept of a curve in roc.csv and pr.csv."""

    @field_validator("age_bands_years")
    @classmethod
    def _rises(cls, bands: tuple[float, ...]) -> tuple[float, ...]:
        if list(bands) != sorted(set(bands)):
            raise ValueError("the ages must rise")
        return bands
