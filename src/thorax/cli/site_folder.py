"""Reads a folder of images with one table without settings: the columns are known by their names.

`params.yaml: sources.folder`, where it is set, says more (translations, reports, boxes) and wins.
"""

from pathlib import Path
from typing import Final

from thorax.errors import BadInput
from thorax.files import refuse_special
from thorax.progress import say
from thorax.sources.config import SourcesConfig
from thorax.sources.folder_config import FolderColumns, FolderConfig
from thorax.sources.tables import open_text

_NAMES: Final = {  # the column of the settings, and what tables call it, in lower case
    "image": ("image", "image index", "image_index", "filename", "file", "path", "image_id"),
    "patient": ("patient", "patient id", "patient_id", "patientid", "subject_id"),
    "findings": ("findings", "finding labels", "finding_labels", "labels", "label"),
    "uncertain": ("uncertain",),
    "age": ("age", "age_years", "patient age", "patient_age"),
    "sex": ("sex", "gender", "patient gender", "patient sex", "patient_sex"),
    "view": ("view", "view position", "view_position", "viewposition"),
    "follow_up": ("follow_up", "follow-up #", "follow_up_number"),
    "split": ("split",),
    "report": ("report", "text", "report_text"),
}
_BOXES: Final = "boxes.csv"


def with_folder(config: SourcesConfig, folder: Path | None) -> SourcesConfig:
    """`config` with a folder section; made from the one table in `folder` when there is none.

    Raises:
        BadInput: no folder, not exactly one table, or no column for image or patient.
    """
    if config.folder is not None:
        return config
    if folder is None:
        raise BadInput("name the folder of images and its table: --from PATH")
    refuse_special(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; name the one that holds images and table")
    table = _table(folder)
    columns = _columns(table)
    boxes = _BOXES if (folder / _BOXES).is_file() else None
    made = FolderConfig(table=table.name, columns=FolderColumns(**columns), boxes=boxes)
    said = ", ".join(f"{name} = {column!r}" for name, column in columns.items())
    say(f"{table.name}: {said} (set sources.folder in params.yaml to say otherwise)")
    return config.model_copy(update={"folder": made})


def _table(folder: Path) -> Path:
    tables = [path for path in sorted(folder.glob("*.csv")) if path.name != _BOXES]
    if len(tables) == 1:
        return tables[0]
    named = [path for path in tables if path.stem in ("entries", "labels")]
    if len(named) == 1:
        return named[0]
    there = ", ".join(path.name for path in tables) or "none"
    raise BadInput(
        f"{folder}: which table has the labels? It has {there}; put one labels.csv there, with the "
        "columns image, patient and findings (joined by |)"
    )


def _columns(table: Path) -> dict[str, str]:
    with open_text(table) as lines:
        header = [cell.strip().strip('"') for cell in lines.readline().strip().split(",")]
    known = {cell.lower(): cell for cell in header}
    found = {
        name: known[spelling]
        for name, spellings in _NAMES.items()
        for spelling in spellings[::-1]
        if spelling in known
    }
    for name in ("image", "patient"):
        if name not in found:
            raise BadInput(
                f"{table}: no column for the {name} ({', '.join(_NAMES[name])}); its header has "
                f"{', '.join(header)}: rename one, or set sources.folder.columns in params.yaml"
            )
    if not {"findings", "report"} & found.keys():
        raise BadInput(
            f"{table}: no labels: it needs a column of findings ({', '.join(_NAMES['findings'])}; "
            f"several joined by |) or of reports ({', '.join(_NAMES['report'])}); its header has "
            f"{', '.join(header)}"
        )
    return found
