"""The settings of the dataset: `params.yaml`, section `dataset`."""

from typing import Literal

from pydantic import Field, model_validator

from thorax.config import Config

UncertainPolicy = Literal["ignore", "negative", "positive"]


class CopiesConfig(Config):
    """What counts as the same picture twice."""

    hash_bits_max: int = Field(31, ge=0, le=31)
    """Bits of 256 in which the perceptual hashes of two images differ at most when they are
    compared."""
    likeness_min: float = Field(0.95, gt=0, le=1)
    """Correlation of the fine structure of two pictures from which on they are the same."""
    compared_max: int = Field(20_000, ge=0)
    """Pairs with near hashes that are compared at most, the nearest first."""


class DatasetConfig(Config):
    """Settings of the join, the split and the pixels."""

    size_px: int = Field(ge=16, le=4096)
    """Side of the square frame that every image is resized to, in pixels."""
    salt: str = Field(min_length=1)
    """What the split hashes beside the patient; a new salt is a new split, so it stays for the life
    of a model line."""
    train_share: float = Field(gt=0, lt=1)
    """Share of patients in train, 0 to 1."""
    validation_share: float = Field(gt=0, lt=1)
    """Share of patients in validation, 0 to 1; the rest is test."""
    uncertain: UncertainPolicy
    """What a doubtful finding counts as: not at all, absent, or present."""
    unknown: UncertainPolicy = "ignore"
    """The same of a finding of which neither the source nor a report says anything. With another
    answer than ignore, images without any label are trained on and scored as well."""

    copies: CopiesConfig = CopiesConfig()
    """The search for pictures that stand in the data more than once."""

    @model_validator(mode="after")
    def _something_is_left_for_test(self) -> "DatasetConfig":
        if self.train_share + self.validation_share >= 1:
            raise ValueError("train_share and validation_share leave no patient for test")
        return self
