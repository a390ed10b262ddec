"""Text of unknown encoding: UTF-8 or UTF-16 where it is that, else Windows-1252, and it is said.

Nothing is lost: every byte has a meaning.
"""

_FALLBACK = "Windows-1252"


def decode(content: bytes) -> tuple[str, str]:
    """Text of unknown encoding, and the encoding if it had to be guessed (else empty)."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace"), ""
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return _guess(content), _FALLBACK


def _guess(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # gives every byte a meaning, so nothing is lost


def mend(cell: str) -> tuple[str, str]:
    """A cell whose bytes were not UTF-8, read anew; each cell may have its own encoding."""
    if cell.isascii():
        return cell, ""
    try:
        cell.encode()
    except UnicodeEncodeError:
        return _guess(cell.encode(errors="surrogateescape")), _FALLBACK
    return cell, ""
