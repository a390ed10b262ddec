"""The settings of the folder source: where its files lie, and how its table says things.

One table, in any of four shapes: findings listed in a cell (`columns.findings`, `findings_format`),
a column per finding (`label_columns`, `label_values`), several rows per image (`join_rows`, with
`columns.box` and `columns.reader`), or reports only (`columns.report`), which are then mined.
"""

import re
from typing import Any, Literal

from pydantic import Field, field_validator

from thorax.config import Config
from thorax.findings import FINDINGS, NO_FINDING, find, unknown_label

LabelValue = Literal["present", "absent", "uncertain", "unknown"]

_VALUES: dict[str, LabelValue] = {
    "1": "present", "0": "absent", "-1": "uncertain", "": "unknown",
    "yes": "present", "no": "absent", "true": "present", "false": "absent",
}  # fmt: skip


class FolderColumns(Config):
    """The names that the table's columns have; None for what it does not have."""

    image: str
    """The image file: its path inside the folder, or its file name, with or without suffix."""
    patient: str
    """The patient; splits go by it. `patient_pattern` takes it out of a longer text."""
    age: str | None = None
    """Years, or a DICOM age string (057Y, 013M)."""
    sex: str | None = None
    """M or F, or what `sexes` translates."""
    view: str | None = None
    """PA or AP, or what `views` translates."""
    follow_up: str | None = None
    """The running number of the study of a patient, from 0 to 1,000,000."""
    findings: str | None = None
    """Findings given as present, as `findings_format` says."""
    uncertain: str | None = None
    """Findings given as doubtful, as `findings_format` says."""
    split: str | None = None
    """train, validation, test or nothing."""
    report: str | None = None
    """The report's text."""
    report_name: str | None = None
    """The report's name; images with the same one share a report. None: one report to an image."""
    reader: str | None = None
    """Who read the image, where the table has rows of several readers (`join_rows`)."""
    box: tuple[str, str, str, str] | None = None
    """Four columns with the box of a row's findings, in pixels of its image (`box_format`)."""

    box_finding: str | None = None
    """In a table of boxes of its own (`boxes`): the column with a box's finding; None is the one
    of `findings`."""


class FolderConfig(Config):
    """A folder of images with a table."""

    images: str = "."
    """The folder, when a pull names none."""
    table: str = "entries.csv"
    """The table (CSV, `.gz` too), inside the folder or with a path of its own."""
    boxes: str | None = None
    """A CSV of boxes with the columns image, finding, x_px, y_px, w_px, h_px, frame_px; or, where
    `columns.box` is set, with `columns.image`, `columns.box_finding` and those four."""
    columns: FolderColumns
    """What the table's columns are called."""
    findings_format: Literal["separated", "list"] = "separated"
    """How a cell lists findings: parted by `separator`, or a Python or JSON list, `['a', 'b']`."""
    separator: str = Field(default="|", min_length=1)
    """Between the findings in a cell."""
    no_finding: tuple[str, ...] = (NO_FINDING,)
    """Labels that say that nothing was found; `No Finding` always does."""
    names: dict[str, str] = Field(default_factory=dict)
    """The site's labels and the findings they mean: `A|B` for several, empty to leave one out."""
    unmapped: Literal["refuse", "leave_out"] = "refuse"
    """Labels that are no finding and not in `names`: refuse the table, or leave them out."""
    judged: tuple[str, ...] | None = None
    """The findings that the site's labels speak of; the others are unknown. None: all fourteen."""
    label_columns: dict[str, str] = Field(default_factory=dict)
    """A column per finding, as in CheXpert's table: the column and the finding it means (`A|B` for
    several, `No Finding`); columns that are not named here are ignored."""
    label_values: dict[str, LabelValue] = Field(default_factory=dict)
    """What the cells of `label_columns` mean: present, absent, uncertain or unknown. Known without
    it: 1, 0, -1 and nothing (unknown), as whole or decimal numbers; yes and no; true and false."""
    join_rows: bool = False
    """Several rows may be of one image, with a finding, a box or a reader each: join them."""
    readers: Literal["union", "majority"] = "union"
    """Of an image with several readers: a finding is present when one of them gives it, or when
    more than half of them do (half of them: uncertain)."""
    box_format: Literal["corners", "size"] = "corners"
    """`columns.box` holds left, top, right, bottom; or left, top, width, height."""
    patient_pattern: str | None = None
    """A regular expression that finds the patient in the patient column, such as `patient\\d+` in
    CheXpert's paths; its first group, where it has one."""
    similar_patients: Literal["refuse", "same", "distinct"] = "refuse"
    """Patients whose ids differ only in case, spaces, dashes or leading zeros: refuse the table,
    take them for one patient, or for several."""
    sexes: dict[str, str] = Field(default_factory=dict)
    """The site's words for M and F."""
    views: dict[str, str] = Field(default_factory=dict)
    """The site's words for PA and AP."""
    licence: str = ""
    """The terms under which the images may be used, kept with the data."""

    @field_validator("judged")
    @classmethod
    def _known_findings(cls, judged: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if judged is None else tuple(_known(name, FINDINGS) for name in judged)

    @field_validator("names", "label_columns")
    @classmethod
    def _known_meanings(cls, names: dict[str, str]) -> dict[str, str]:
        known = (*FINDINGS, NO_FINDING)
        return {
            label: "|".join(_known(each, known) for each in meant.split("|") if each.strip())
            for label, meant in names.items()
        }

    @field_validator("label_values", mode="before")
    @classmethod
    def _text_keys(cls, values: Any) -> Any:
        """YAML reads `1:`, `-1.0:`, `yes:` and `~:` as numbers, truth and nothing."""
        if not isinstance(values, dict):
            return values
        words = {True: ("yes", "true"), False: ("no", "false"), None: ("",)}
        return {
            value_key(str(cell)): value
            for key, value in values.items()
            for cell in (words[key] if key is None or isinstance(key, bool) else (key,))
        }

    @field_validator("patient_pattern")
    @classmethod
    def _is_expression(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"no regular expression ({error})") from None
        return pattern

    def named_columns(self) -> list[str]:
        """Every column of the table that the settings name."""
        columns = self.columns
        single = columns.model_dump(exclude={"box", "box_finding"}).values()
        box = columns.box if columns.box and self.boxes is None else ()
        return [name for name in (*single, *box, *self.label_columns) if name is not None]

    def values(self) -> dict[str, LabelValue]:
        """What a cell of `label_columns` means, by its `value_key`."""
        return {**_VALUES, **self.label_values}


def value_key(cell: str) -> str:
    """A cell by which its meaning is looked up: 1, 1.0 and 1.00 are one, and so are Yes and YES."""
    text = cell.strip().casefold()
    if re.fullmatch(r"[-+]?\d+(\.\d*)?", text):
        return f"{float(text) + 0:g}"  # + 0 makes -0.0 a plain 0
    return text


def _known(name: str, known: tuple[str, ...]) -> str:
    found = find(name, known)
    if found is None:
        raise ValueError(unknown_label(name, known))
    return found
