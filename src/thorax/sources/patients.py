"""Patients by their ids as tables write them: which ids are surely one, and which only look so.

`101.0` is `101`, which a spreadsheet or data frame made a decimal number of. What differs in case,
spaces, dashes or leading zeros may be one patient or two: only the site knows, and a patient in two
splits would leak, so such a pair is refused unless the settings say what it is.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, Literal

from thorax.errors import BadInput
from thorax.sources.tables import Row

Policy = Literal["refuse", "same", "distinct"]

_DECIMAL: Final = re.compile(r"(\d+)\.0*")
_SCIENTIFIC: Final = re.compile(r"\d([.,]\d+)?E\+\d+|\d[.,]\d+E\d+", re.IGNORECASE)
_NOBODY: Final = ("nan", "none", "null", "n/a", "#n/a", "<na>")
_DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")


def plain_id(text: str) -> str:
    """An id without the decimals that a spreadsheet gave it: `101.0` is `101`."""
    match = _DECIMAL.fullmatch(text.strip())
    return match[1] if match else text.strip()


def read_ids(rows: Iterable[tuple[Row, str]], policy: Policy) -> list[str]:
    """The patient of each row.

    Args:
        rows: each row with the id that it gives.
        policy: what ids that look alike are; with `same` the first spelling counts.

    Raises:
        BadInput: a row has no patient, its id was written as 1.2E+11, or (with `refuse`) two rows
            spell an id differently; both are named.
    """
    first: dict[str, tuple[str, Row]] = {}
    found = []
    for row, text in rows:
        patient = plain_id(text)
        if not patient or patient.casefold() in _NOBODY:
            raise BadInput(f"{row.where}: no patient; patients are the unit of every split")
        if _SCIENTIFIC.fullmatch(patient):
            raise BadInput(
                f"{row.where}: patient {patient!r} has lost digits in a spreadsheet: save the "
                "column as text"
            )
        if policy != "distinct":
            known, earlier = first.setdefault(_likeness(patient), (patient, row))
            if known != patient and policy == "refuse":
                raise BadInput(
                    f"{row.where}: patient {patient!r} is {known!r} in row {earlier.line:,}: write "
                    "one of them, or set sources.folder.similar_patients in params.yaml: same "
                    "(one patient) or distinct (two)"
                )
            patient = known
        found.append(patient)
    return found


def _likeness(patient: str) -> str:
    """What two spellings of one id share: case, spaces, dashes and leading zeros aside."""
    text = unicodedata.normalize("NFKC", patient).translate(_DASHES).casefold()
    text = "".join(each for each in text if unicodedata.category(each) not in ("Cf", "Zs"))
    text = re.sub(r"\s+", "", text)
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)
