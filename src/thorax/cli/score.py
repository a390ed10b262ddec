"""`thorax score`: images through the same Predictor that is served."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from thorax import artifacts
from thorax.cli import site_release
from thorax.errors import BadInput
from thorax.inference.predictor import Predictor
from thorax.inference.score import Scored, score_paths
from thorax.release import releases, serve

LAST: Final = "last"
"""The name of the release that is served: the last one that the gate blessed."""


def score(path: Path, *, output: Path, boxes: Path | None, model: str = LAST) -> None:
    """Score `path` into CSV or Parquet; images that are not scored are named and stop nothing."""
    outputs = [(file, _writer(file)) for file in (output, boxes) if file is not None]
    named = find_model(model)
    predictor = Predictor.load(named.folder)
    trained_on = predictor.description.trained_on.text
    scored = score_paths(predictor, [path])
    table = scored.table.assign(model=named.name, trained_on=trained_on)
    for (file, write), content in zip(outputs, (table, scored.boxes), strict=False):
        write(file, content)
    _print(scored, path, output)
    print(f"model: {named.name}; trained on: {trained_on}. Not a medical device.")


@dataclass(frozen=True)
class Model:
    """A predictor's folder, and what to call it in every row."""

    folder: Path
    name: str


def find_model(model: str) -> Model:
    """The predictor that `model` means: `last`, a tag, a .bento file, or a folder.

    Raises:
        BadInput: there is none.
        Refused: the last release is not signed with the trusted key.
    """
    if model != LAST:
        found = site_release.find(model, artifacts.home() / "evaluations/predictors")
        return Model(found.folder, found.name)
    manifest = serve.choose()
    if not manifest.exists():
        raise BadInput(
            "there is no blessed release yet: `make retrain` makes one; or name a model, such as "
            "--model artifacts/inference/predictor"
        )
    folder = serve.install(manifest)
    return Model(folder / "src/predictor", releases.read_manifest(manifest).tag)


def _writer(path: Path) -> Callable[[Path, pd.DataFrame], None]:
    """How a table is written to a file of that name."""
    writers: dict[str, Callable[[Path, pd.DataFrame], None]] = {
        ".csv": _write_csv, ".parquet": artifacts.write_table
    }  # fmt: skip
    if path.suffix.lower() not in writers:
        raise BadInput(f"{path}: the name must end in .csv or .parquet, which decides the format")
    return writers[path.suffix.lower()]


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    artifacts.write_text(path, table.to_csv(index=False))


def _print(scored: Scored, path: Path, output: Path) -> None:
    for name, texts in scored.warnings.items():
        print(f"warning: {name}: {'; '.join(texts)}", file=sys.stderr)
    for file in scored.unscored:
        print(f"not scored: {file.image}: {file.reason}", file=sys.stderr)
    images = scored.table["image"].nunique()
    if not images:
        raise BadInput(f"{path}: none of {len(scored.unscored):,} images could be scored")
    print(
        f"{images:,} images scored into {output}, {len(scored.unscored):,} not scored, "
        f"{len(scored.warnings):,} with warnings"
    )
