"""Checksums as publishers give them: md5, sha256, or crc32c (RFC 3720, Castagnoli)."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Checksum:
    """An algorithm and the hexadecimal digest that a file must have."""

    algorithm: Literal["md5", "sha256", "crc32c"]
    digest: str

    @classmethod
    def from_base64(cls, algorithm: Literal["md5", "sha256", "crc32c"], text: str) -> "Checksum":
        """From base64, as Cloud Storage lists them."""
        return cls(algorithm, base64.b64decode(text).hex())

    def of_file(self, path: Path) -> str:
        """The digest that `path` has by this algorithm."""
        with path.open("rb") as file:
            if self.algorithm != "crc32c":
                return hashlib.file_digest(file, self.algorithm).hexdigest()
            checksum = 0
            while piece := file.read(_PIECE_BYTES):
                checksum = crc32c(piece, checksum)
            return f"{checksum:08x}"

    def of_bytes(self, content: bytes) -> str:
        """The digest of `content` by this algorithm."""
        if self.algorithm == "crc32c":
            return f"{crc32c(content):08x}"
        return hashlib.new(self.algorithm, content).hexdigest()


def crc32c(content: bytes, checksum: int = 0) -> int:
    """The crc32c of `content`, going on from `checksum`; a few MB a second, for want of better."""
    table = _table()
    checksum ^= 0xFFFFFFFF
    for byte in content:
        checksum = table[(checksum ^ byte) & 0xFF] ^ (checksum >> 8)
    return checksum ^ 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)
