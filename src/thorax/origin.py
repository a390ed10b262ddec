"""What stands on every page and figure: which data, which model, when; and "phantom" where it is.

Nobody must take a phantom's figures for a hospital's. The day is that of the pull which brought the
data version, so that the same data give the same page; nothing here asks the clock.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from thorax import artifacts
from thorax.errors import BadInput

PHANTOM: Final = "phantom"
_DIGITS: Final = 12  # of a digest, as every command shows it


@dataclass(frozen=True)
class Origin:
    """Where a page's or figure's content comes from; what is not known is empty.

    Attributes:
        source: the source of the data, such as phantom or folder.
        version: the data version, the first digits of its digest.
        day: when the data was pulled, or the report made; 2026-12-31.
        model: the release's tag, or the first digits of the model's digest.
    """

    source: str = ""
    version: str = ""
    day: str = ""
    model: str = ""

    @property
    def is_phantom(self) -> bool:
        """Whether the images are drawn by a program."""
        return self.source == PHANTOM

    @property
    def line(self) -> str:
        """All of it on one line."""
        kind = (
            "phantom data: drawn by a program, not radiographs" if self.is_phantom else self.source
        )
        parts = (
            kind,
            f"data version {self.version}" if self.version else "",
            f"of {self.day}" if self.day and self.version else self.day,
        )
        model = f"model {self.model}" if self.model else ""
        return " · ".join(filter(None, (parts[0], " ".join(filter(None, parts[1:])), model)))


def read(root: Path, *, predictor: Path | None = None) -> Origin:
    """The origin of what the stages of the checkout at `root` write.

    Args:
        root: the checkout.
        predictor: the folder of the predictor that scored, where one did.
    """
    source = _json(root / "data/source.json").get("source", "")
    try:
        version = read_data_version(root / "data.dvc")[:_DIGITS]
    except BadInput:  # not tracked yet
        version = ""
    description = _json(predictor / "predictor.json") if predictor else {}
    model = str(description.get("model_sha256", ""))[:_DIGITS]
    return Origin(str(source), version, _pulled_on(root / ".thorax/pulls.jsonl", source), model)


def read_data_version(path: Path) -> str:
    """The digest of the data version that `data.dvc` names; `BadInput` when it names none."""
    try:
        outs = yaml.safe_load(path.read_text(encoding="utf-8"))["outs"]
        return str(outs[0]["md5"]).removesuffix(".dir")
    except FileNotFoundError:
        raise BadInput(f"{path} is missing: pull data first (thorax pull)") from None
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        raise BadInput(f"{path} names no data version: pull data again") from None


def _pulled_on(log: Path, source: Any) -> str:
    """The day of the last pull from `source` that changed the data; empty when none is known."""
    if not log.is_file():
        return ""
    day = ""
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("source") == source and entry.get("changed"):
            day = str(entry.get("time", ""))[:10]
    return day


def _json(path: Path) -> dict[str, Any]:
    content = artifacts.read_json(path) if path.is_file() else {}
    return content if isinstance(content, dict) else {}
