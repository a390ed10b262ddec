"""The settings of the folder source: where its files lie, and what the columns are called."""

from pydantic import Field, field_validator

from thorax.config import Config
from thorax.findings import FINDINGS


class FolderColumns(Config):
    """The names that the table's columns have; None for what it does not have."""

    image: str
    """The image file: its path inside the folder, or its file name, with or without suffix."""
    patient: str
    """The patient; splits go by it."""
    age: str | None = None
    """Years, or a DICOM age string (057Y, 013M)."""
    sex: str | None = None
    """M or F, or what `sexes` translates."""
    view: str | None = None
    """PA or AP, or what `views` translates."""
    follow_up: str | None = None
    """The running number of the study of a patient."""
    findings: str | None = None
    """Findings given as present, separated by `separator`."""
    uncertain: str | None = None
    """Findings given as doubtful, separated by `separator`."""
    split: str | None = None
    """train, validation, test or nothing."""
    report: str | None = None
    """The report's text."""
    report_name: str | None = None
    """The report's name; images with the same one share a report. None: one report to an image."""


class FolderConfig(Config):
    """A folder of images with a table."""

    images: str = "."
    """The folder, when a pull names none."""
    table: str = "entries.csv"
    """The table (CSV, `.gz` too), inside the folder or with a path of its own."""
    boxes: str | None = None
    """A CSV of boxes with the columns image, finding, x_px, y_px, w_px, h_px, frame_px."""
    columns: FolderColumns
    """What the table's columns are called."""
    separator: str = Field(default="|", min_length=1)
    """Between the findings in a cell."""
    no_finding: tuple[str, ...] = ("No Finding",)
    """Labels that say that nothing was found."""
    names: dict[str, str] = Field(default_factory=dict)
    """The site's labels and the findings they mean: `A|B` for several, empty to leave one out."""
    judged: tuple[str, ...] | None = None
    """The findings that the site's labels speak of; the others are unknown. None: all fourteen."""
    sexes: dict[str, str] = Field(default_factory=dict)
    """The site's words for M and F."""
    views: dict[str, str] = Field(default_factory=dict)
    """The site's words for PA and AP."""
    licence: str = ""
    """The terms under which the images may be used, kept with the data."""

    @field_validator("judged")
    @classmethod
    def _known_findings(cls, judged: tuple[str, ...] | None) -> tuple[str, ...] | None:
        strange = [name for name in judged or () if name not in FINDINGS]
        if strange:
            raise ValueError(f"{strange[0]!r} is none of {', '.join(FINDINGS)}")
        return judged
