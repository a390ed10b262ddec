"""The stage `validation`: judges entries, mined labels and manifest; a refusal is an output.

Run as `python -m validation` in the root of the checkout.
"""

from pathlib import Path

from thorax import artifacts, config, stage
from thorax.progress import say
from validation import entries, labels, manifest, page, runner, statistics, verdict
from validation.checks import Table
from validation.settings import ValidationConfig


def main() -> None:
    """Check every table, write the verdict and Data Docs, and say what failed."""
    settings = config.load("validation", ValidationConfig)
    tables = _tables(artifacts.root(), settings)
    with artifacts.atomic_folder(stage.output_folder("validation")) as folder:
        outcomes = runner.run(tables, folder / "docs", rows_named=settings.rows_named)
        judged = verdict.judge(outcomes, settings.waivers)
        artifacts.write_json(folder / "verdict.json", judged)
        page.write(folder / "docs", judged, page.read_version(artifacts.root()), settings.page)
    for line in verdict.lines(judged):
        say(line)


def _tables(root: Path, settings: ValidationConfig) -> list[Table]:
    given = entries.read(root / "data" / "entries.csv")
    reports = artifacts.read_csv(root / "data" / "reports.csv", ("report", "patient", "images"))
    mined = artifacts.read_table(root / "artifacts" / "reports" / "labels.parquet")
    images = artifacts.read_table(root / "artifacts" / "dataset" / "manifest.parquet")
    tables = [entries.table(given, settings), labels.table(mined), manifest.table(images, settings)]
    frames = ((entries, given), (labels, mined), (manifest, images))
    if all(set(suite.COLUMNS) <= set(frame.columns) for suite, frame in frames):
        tables += statistics.tables(given, reports, mined, images, settings)
    return tables  # a table without its columns is refused by its own first check


if __name__ == "__main__":
    stage.run("validation", main)
