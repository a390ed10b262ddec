"""Patients who were forgotten: `forgotten.csv` at the root, under git; no pull brings them back.

A row names nobody: it holds a salted hash of source and patient, when it was written and by whom.
The salt lies beside the hash, because every clone must recognise the patient; whoever has the file
and guesses an id can confirm the guess. It keeps ids from readers and searches, no more than that.
"""

import csv
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from pathlib import Path

from thorax import artifacts

FILE = "forgotten.csv"

_ROUNDS = 500  # a third of a millisecond a patient and salt: seconds for all of NIH's 30,805


@dataclass(frozen=True)
class Tombstone:
    """One forgotten patient of one source.

    Attributes:
        source: the source's name; the same id in another source is another person.
        salt: hexadecimal.
        patient_hash: hexadecimal, 64 digits.
        date: when the patient was forgotten, ISO 8601.
        who: the person who did it.
    """

    source: str
    salt: str
    patient_hash: str
    date: str
    who: str


def read(path: Path) -> list[Tombstone]:
    """The tombstones of `forgotten.csv`; none when there is no such file.

    Raises:
        BadInput: the file is no CSV with these columns.
    """
    if not path.exists():
        return []
    columns = [field.name for field in fields(Tombstone)]
    table = artifacts.read_csv(path, columns)
    return [Tombstone(*row) for row in table[columns].itertuples(index=False, name=None)]


def bury(path: Path, patient: str, *, source: str, day: date, who: str) -> Tombstone:
    """Add the patient's tombstone to the file, atomically; the old one when there is one already.

    Args:
        path: `forgotten.csv`.
        patient: the id as in `entries.csv`.
        source: the source's name.
        day: today.
        who: the person who forgets.
    """
    stones = read(path)
    if there := find(stones, patient, source=source):
        return there
    salt = next((stone.salt for stone in stones if stone.source == source), secrets.token_hex(16))
    new = Tombstone(source, salt, _hash(patient, source, salt), day.isoformat(), who)
    with (
        artifacts.atomic_file(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Tombstone))
        writer.writerows(astuple(stone) for stone in [*stones, new])
    return new


def find(stones: Sequence[Tombstone], patient: str, *, source: str) -> Tombstone | None:
    """The patient's tombstone; None when the patient was not forgotten."""
    mine = (stone for stone in stones if stone.source == source)
    return next(
        (stone for stone in mine if stone.patient_hash == _hash(patient, source, stone.salt)), None
    )


def matching(
    stones: Sequence[Tombstone], patients: Iterable[str], *, source: str
) -> frozenset[str]:
    """Those of `patients` who were forgotten."""
    wanted = {(stone.salt, stone.patient_hash) for stone in stones if stone.source == source}
    salts = {salt for salt, _ in wanted}
    return frozenset(
        patient
        for patient in set(patients)
        if any(
            (salt, _hash(spelling, source, salt)) in wanted
            for salt in salts
            for spelling in _spellings(patient, source)
        )
    )


def _spellings(patient: str, source: str) -> tuple[str, ...]:
    """The id, and how a folder's table may have written it when the patient was forgotten."""
    return (patient, f"{patient}.0") if source == "folder" and patient.isdecimal() else (patient,)


def hashes(stones: Sequence[Tombstone], source: str) -> list[str]:
    """The hashes of a source's tombstones, sorted: what `source.json` says has been honoured."""
    return sorted({stone.patient_hash for stone in stones if stone.source == source})


def _hash(patient: str, source: str, salt: str) -> str:
    text = f"{source}\0{patient}".encode()
    return hashlib.pbkdf2_hmac("sha256", text, salt.encode(), _ROUNDS).hex()
