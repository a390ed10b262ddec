"""Which ids were met before, in about 12 to 24 bytes an id: a stream has no room for the ids.

A table of 64-bit digests with open addressing. Two different ids of a million share a digest with a
probability of about 3 in 100 million (birthday bound), and would then count as one.
"""

from array import array
from hashlib import blake2b

_FIRST_SLOTS = 1 << 12
_FULLEST = 0.66


class Seen:
    """A set of ids that only grows."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._count = 0

    def add(self, name: str) -> bool:
        """Add an id; whether it is new."""
        digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
        value = int.from_bytes(digest, "little") or 1  # 0 marks a free slot
        place = _place(self._slots, value)
        if self._slots[place]:
            return False
        self._slots[place] = value
        self._count += 1
        if self._count > _FULLEST * len(self._slots):
            self._grow()
        return True

    def _grow(self) -> None:
        larger = array("Q", bytes(16 * len(self._slots)))
        for value in self._slots:
            if value:
                larger[_place(larger, value)] = value
        self._slots = larger


def _place(slots: "array[int]", value: int) -> int:
    """The slot that holds `value`, or the free one where it belongs."""
    last = len(slots) - 1
    place = value & last
    while slots[place] not in (0, value):
        place = (place + 1) & last
    return place
