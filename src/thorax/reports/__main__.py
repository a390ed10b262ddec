"""The stage `reports`: `data/reports.csv` to `artifacts/reports/labels.parquet`."""

from thorax import artifacts, config, stage
from thorax.reports import table
from thorax.reports.settings import ReportsConfig


def main() -> None:
    """Label every report, and say how many reports name each finding."""
    settings = config.load("reports", ReportsConfig)
    reports = table.read_reports(artifacts.root() / "data" / "reports.csv")
    labels = table.label_all(reports, settings)
    with artifacts.atomic_folder(stage.output_folder("reports")) as folder:
        artifacts.write_table(folder / "labels.parquet", labels)
    table.say_counts(labels)


if __name__ == "__main__":
    stage.run("reports", main)
