"""The settings of the review of labels: `params.yaml: review`."""

from pydantic import Field

from thorax.config import Config


class ReviewConfig(Config):
    """How people review suspect labels."""

    readers_needed: int = Field(default=2, ge=1)
    """How many readers must say flip, and more than say keep, before a label is corrected."""
    block: int = Field(default=20, ge=1)
    """The most suspect labels come first, in blocks of so many; within a block each reader has an
    order of their own, so that the order tells nothing of the score."""
    show_scores: bool = False
    """Whether readers see the score that made a label suspect; it would lead them."""
