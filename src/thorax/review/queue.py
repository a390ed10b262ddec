"""The queue of a reader: the suspects that have a picture, in an order of the reader's own."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thorax import artifacts
from thorax.errors import BadInput

Key = tuple[str, str]  # image, finding

_COLUMNS = ["rank", "image", "finding", "given", "quality_score", "probability", "report", "state",
            "sentence", "cue", "picture", "heatmap"]  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One label that is asked about.

    Attributes:
        image: file name of the image.
        finding: whose label it is.
        given: the label, 0 or 1.
        quality: how likely the label is right, by the stage label_noise, 0 to 1.
        probability: that the label is given as present, by the image alone, 0 to 1.
        report: the report's text; empty without one.
        state: what the labeler read in it of the finding.
        sentence, cue: where and by which word; empty when unmentioned.
        picture, heatmap: files; the heatmap None where there is none.
    """

    image: str
    finding: str
    given: int
    quality: float
    probability: float
    report: str
    state: str
    sentence: str
    cue: str
    picture: Path
    heatmap: Path | None

    @property
    def key(self) -> Key:
        """What identifies it."""
        return self.image, self.finding


def read(root: Path) -> list[Item]:
    """The queue in the order of suspicion.

    Raises:
        BadInput: there is no queue yet, or its pictures are gone.
    """
    folder = root / "artifacts/label_noise"
    path = folder / "suspects.parquet"
    if not path.is_file():
        raise BadInput(f"{path} is missing: nobody has looked for suspects yet; run `thorax noise`")
    table = artifacts.read_table(path, _COLUMNS)
    table = table[table["picture"] != ""].sort_values("rank")
    if table.empty:
        raise BadInput(f"{path} holds no label with a picture: run `thorax noise` again")
    texts = artifacts.read_csv(root / "data/reports.csv", ["report", "text"])
    text_of = dict(zip(texts["report"], texts["text"], strict=True))
    items = [_item(row, folder, text_of) for row in table.to_dict("records")]
    if missing := [item.picture for item in items if not item.picture.is_file()]:
        raise BadInput(f"{missing[0]} is missing: run `thorax noise` again")
    return items


def ordered(items: list[Item], reader: str, *, block: int) -> list[Item]:
    """The queue as `reader` sees it: blocks of the most suspect first, shuffled within."""

    def place(numbered: tuple[int, Item]) -> tuple[int, bytes]:
        number, item = numbered
        text = "\0".join((reader, *item.key))
        return number // block, hashlib.sha256(text.encode()).digest()

    return [item for _, item in sorted(enumerate(items), key=place)]


def _item(row: dict[Hashable, Any], folder: Path, texts: dict[str, str]) -> Item:
    return Item(
        image=row["image"],
        finding=row["finding"],
        given=int(row["given"]),
        quality=float(row["quality_score"]),
        probability=float(row["probability"]),
        report=texts.get(row["report"], ""),
        state=row["state"],
        sentence=row["sentence"],
        cue=row["cue"],
        picture=folder / row["picture"],
        heatmap=folder / row["heatmap"] if row["heatmap"] else None,
    )
