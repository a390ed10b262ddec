"""Randomness that is the same on every machine and for every number of patients.

Each stream is named by integers and words (seed, patient, study, purpose), so that drawing more of
one moves no other. Only PCG64's raw 64-bit output is used, whose stream NumPy promises to keep; all
else is exact arithmetic on it. No normal distribution: a sum of four uniforms stands for a bell.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")

Field = NDArray[np.floating[Any]]  # float32 everywhere

_BELL_BYTES = 4
_BELL_MEAN = _BELL_BYTES * 127.5
_BELL_SPREAD = 147.8  # standard deviation of the sum of four bytes


class Dice:
    """A named stream of random numbers."""

    def __init__(self, seed: int, *names: int | str) -> None:
        words = [zlib.crc32(name.encode()) if isinstance(name, str) else name for name in names]
        self._bits = np.random.PCG64(np.random.SeedSequence([seed, *words]))

    def unit(self) -> float:
        """A number in [0, 1), a multiple of 2^-53."""
        return (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.unit()

    def below(self, count: int) -> int:
        """An integer in [0, count)."""
        return int(self.unit() * count)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.unit() < probability

    def bell(self, mean: float, spread: float) -> float:
        """About normal, never farther than 3.5 `spread` (the standard deviation) from `mean`."""
        total = self.unit() + self.unit() + self.unit() + self.unit()
        return mean + spread * (total - 2.0) * 1.7320508

    def pick(self, items: Sequence[Item]) -> Item:
        """One of `items`."""
        return items[self.below(len(items))]

    def weighted(self, weights: Mapping[Item, float]) -> Item:
        """One of the keys, as often as its weight says."""
        rest = self.unit() * sum(weights.values())
        for item, weight in weights.items():
            rest -= weight
            if rest < 0:
                return item
        return item

    def grain(self, height: int, width: int) -> Field:
        """White noise float32 [height, width], about normal with mean 0 and deviation 1."""
        words = self._bits.random_raw(-(-height * width // 2))
        octets = words.astype("<u8").view(np.uint8).reshape(-1, _BELL_BYTES)
        total = octets.astype(np.int32).sum(axis=1)[: height * width]
        grain: Field = ((total - _BELL_MEAN) / _BELL_SPREAD).astype(np.float32)
        return grain.reshape(height, width)
