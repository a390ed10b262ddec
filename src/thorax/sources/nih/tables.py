"""NIH's tables, and Google's adjudicated labels, as rows of the layout.

Sources: NIH Clinical Center's ChestXray-NIHCC (`Data_Entry_2017.csv` or `_v2020`,
`BBox_List_2017.csv`, `test_list.txt`, `train_val_list.txt`; Wang et al., CVPR 2017), and Google's
labels adjudicated by radiologists (Majkowska et al., Radiology 2020).
Tables name images with `.png`; they are matched by stem, since mirrors hold JPEG too. Rows of
images that are not here are left out and counted.
"""

import zlib
from pathlib import Path

import pandas as pd

from thorax.errors import BadInput
from thorax.findings import NO_FINDING
from thorax.findings import find as find_label
from thorax.progress import say
from thorax.sources.layout import COLUMNS, empty
from thorax.sources.patients import plain_id
from thorax.sources.tables import (
    Row,
    age_years,
    finding_names,
    number,
    open_text,
    read_rows,
    refuse_duplicates,
    whole_number,
)

ENTRIES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")  # the newer one first
BOXES = "BBox_List_2017.csv"
LISTS = {"test_list.txt": "test", "train_val_list.txt": "train_val"}
ADJUDICATED = ("google2019_*.csv", "four_findings_expert_labels_*.csv")

_FRAME_PX = 1024
_LABELS = {NO_FINDING: "", "Infiltrate": "Infiltration"}  # as BBox_List spells it
_ANSWERS = {"YES": 1, "NO": 0}
_JUDGED = {  # Google's columns, and what of ours each covers
    "Pneumothorax": "Pneumothorax",
    "Airspace opacity": "Infiltration|Consolidation|Pneumonia|Edema",
    "Nodule or mass": "Mass|Nodule",
}

Images = dict[str, str]  # stem -> file name


def stem_of(name: str) -> str:
    """A file name without its suffix, by which an image is known."""
    return name.rpartition(".")[0] or name


def find(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Tables in `folder` or one below it, gzipped or not, in the order of `patterns`."""
    found: list[Path] = []
    for pattern in patterns:
        for place in (pattern, f"*/{pattern}"):
            found += sorted(folder.glob(place)) or sorted(folder.glob(f"{place}.gz"))
    return found


def read(folder: Path, images: Images) -> tuple[dict[str, pd.DataFrame], str]:
    """Every table of the layout for `images` (stem -> file name), and the label table's name."""
    labels = find(folder, ENTRIES)
    if not labels:
        raise BadInput(
            f"{folder} has no {ENTRIES[0]}: get NIH's tables from "
            "https://nihcc.app.box.com/v/ChestXray-NIHCC and put them there"
        )
    entries = _entries(labels[0], images, _splits(folder, images))
    with_row = {stem_of(name): name for name in entries["image"]}
    tables = {
        "entries": entries,
        "boxes": _boxes(find(folder, (BOXES,)), with_row),
        "adjudicated": _adjudicated(find(folder, ADJUDICATED), with_row),
        "reports": empty("reports"),
        "truth": empty("truth"),
    }
    for name in ("boxes", "adjudicated"):
        say(f"{name}: {len(tables[name]):,} rows for images that are here")
    return tables, labels[0].name.removesuffix(".gz")


def _entries(path: Path, images: Images, splits: dict[str, str]) -> pd.DataFrame:
    rows = read_rows(path, need=("Image Index", "Finding Labels", "Patient ID", "Patient Age"))
    refuse_duplicates(rows, lambda row: stem_of(row["Image Index"]), "image")
    entries = [_entry(row, images, splits) for row in rows]
    here = [entry for entry in entries if entry is not None]
    gone = [row for row, entry in zip(rows, entries, strict=True) if entry is None]
    few = 0 < len(gone) < len(here)  # a few lost, rather than a part of the data set pulled
    first = f" (missing first: row {gone[0].line:,}, {gone[0]['Image Index']})" if few else ""
    say(
        f"{path.name}: {len(here):,} of {len(rows):,} rows have an image here{first}; "
        f"{len(images) - len(here):,} images have no row and stay out"
    )
    return pd.DataFrame(here, columns=list(COLUMNS["entries"]))


def _entry(row: Row, images: Images, splits: dict[str, str]) -> tuple[object, ...] | None:
    labels = row["Finding Labels"].split("|")
    findings = finding_names(labels, row.where, _LABELS)
    if findings and any(find_label(label, (NO_FINDING,)) for label in labels):
        findings = [NO_FINDING, *findings]  # a contradiction, which validation judges
    age = age_years(row["Patient Age"], row.where)
    stem = stem_of(row["Image Index"])
    if stem not in images:
        return None
    return (
        images[stem],
        plain_id(row["Patient ID"]),
        whole_number(row.get("Follow-up #"), row.where, "Follow-up #"),
        age,
        row.get("Patient Gender") or row.get("Patient Sex"),
        row.get("View Position"),
        "|".join(findings),
        "",
        "",
        splits.get(stem, ""),
    )


def _splits(folder: Path, images: Images) -> dict[str, str]:
    splits: dict[str, str] = {}
    for name, split in LISTS.items():
        paths = find(folder, (name,))
        if not paths:
            say(f"no {name} in {folder}: no official split of its images")
            continue
        stems = _stems(paths[0])
        twice = sorted(stem for stem in stems & images.keys() if stem in splits)
        if twice:
            raise BadInput(f"{paths[0]}: {twice[0]} stands in the {splits[twice[0]]} list as well")
        splits.update(dict.fromkeys(stems & images.keys(), split))
    return splits


def _stems(path: Path) -> set[str]:
    try:
        with open_text(path) as lines:
            return {stem_of(line.strip()) for line in lines}
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not a whole list of images ({error}): fetch it again") from None


def _boxes(paths: list[Path], images: Images) -> pd.DataFrame:
    if not paths:
        return empty("boxes")
    sides = (
        "Bbox [x",
        "y",
        "w",
        "h]",
    )  # the header's comma inside the brackets cuts one name in four
    boxes = []
    for row in read_rows(paths[0], need=("Image Index", "Finding Label", *sides)):
        x_px, y_px, w_px, h_px = (number(row[side], row.where, side) for side in sides)
        stem = stem_of(row["Image Index"])
        for finding in finding_names([row["Finding Label"]], row.where, _LABELS):
            if stem in images:
                boxes.append((images[stem], finding, x_px, y_px, w_px, h_px, _FRAME_PX))
    return pd.DataFrame(boxes, columns=list(COLUMNS["boxes"]))


def _adjudicated(paths: list[Path], images: Images) -> pd.DataFrame:
    labels = []
    for path in paths:
        rows = read_rows(path, need=("Image Index", *_JUDGED))
        refuse_duplicates(rows, lambda row: row["Image Index"], "image")
        for row in rows:
            stem = stem_of(row["Image Index"])
            for column, findings in _JUDGED.items():
                answer = _ANSWERS.get(row[column].upper())
                if answer is None:
                    raise BadInput(f"{row.where}: {column} is {row[column]!r}, not YES or NO")
                if stem in images:
                    labels.append((images[stem], findings, answer))
    return pd.DataFrame(labels, columns=list(COLUMNS["adjudicated"]))
