"""A number with its interval: one meaning, one form in JSON, one form in text.

In JSON an estimate is three keys of an entry, `NAME_score`, `NAME_low` and `NAME_high`, with null
for what is undefined, beside the entry's `reason`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAN = float("nan")


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its interval.

    Attributes:
        value: NaN where it is undefined.
        low, high: NaN where no interval can be estimated.
        reason: why the value or the interval is missing; else empty.
    """

    value: float
    low: float = _NAN
    high: float = _NAN
    reason: str = ""

    @classmethod
    def read(cls, entry: Mapping[str, Any], name: str, *, value: str = "") -> "Estimate":
        """From an entry of metrics.json; `value` is its key when it is not `NAME_score`."""
        keys = (value or f"{name}_score", f"{name}_low", f"{name}_high")
        middle, low, high = (_NAN if entry.get(key) is None else float(entry[key]) for key in keys)
        return cls(middle, low, high, str(entry.get("reason") or ""))

    def entry(self, name: str) -> dict[str, float]:
        """The three keys of metrics.json."""
        return {f"{name}_score": self.value, f"{name}_low": self.low, f"{name}_high": self.high}

    def interval_text(self, digits: int = 3) -> str:
        """`0.880 to 0.940`, `not estimable` for a value without an interval, or a dash."""
        if math.isnan(self.value):
            return "-"
        if math.isnan(self.low) or math.isnan(self.high):
            return "not estimable"
        return f"{self.low:.{digits}f} to {self.high:.{digits}f}"

    def value_text(self, digits: int = 3) -> str:
        """`0.912`, or a dash."""
        return "-" if math.isnan(self.value) else f"{self.value:.{digits}f}"

    def text(self, digits: int = 3) -> str:
        """`0.912 (0.880 to 0.940)`, `0.912 (not estimable)`, or a dash."""
        if math.isnan(self.value):
            return "-"
        return f"{self.value_text(digits)} ({self.interval_text(digits)})"
