"""The settings of the gate stage: `params.yaml: gate`."""

from pydantic import Field

from thorax.config import Config
from thorax.gate.rules import Rule


class GateConfig(Config):
    """What a model must show before it may be packaged."""

    rules: tuple[Rule, ...] = Field(min_length=1)
    """All must pass."""
