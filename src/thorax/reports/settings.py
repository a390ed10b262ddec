"""The settings of the report labeler: `params.yaml`, section `reports`."""

from typing import Literal

from pydantic import Field

from thorax.config import Config


class ReportsConfig(Config):
    """Settings of the report labeler."""

    after_reach_words: int = Field(8, ge=0)
    """Words that may stand between a finding and a cue behind it: "effusion is not seen"."""
    silent: Literal["normal", "unmentioned"] = "normal"
    """What `normal` is of a report whose Findings and Impression stand there and hold no word (ADR
    0006)."""
    replicates: int = Field(1000, ge=1)
    """Bootstrap replicates of the measured precision and recall."""
    confidence: float = Field(0.95, gt=0, lt=1)
    """Of their intervals."""
    interval_patients_min: int = Field(5, ge=1)
    """Patients below which an interval is not estimable."""
    seed: int = Field(8, ge=0)
    """Of the bootstrap."""
