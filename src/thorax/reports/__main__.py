"""The stage `reports`: `data/reports.csv` to `artifacts/reports/`, labels and how good they are."""

from thorax import artifacts, config, stage
from thorax.reports import quality, table
from thorax.reports.settings import ReportsConfig


def main() -> None:
    """Label every report, measure the labels, and say how many reports name each finding."""
    settings = config.load("reports", ReportsConfig)
    data = artifacts.root() / "data"
    reports = table.read_reports(data / "reports.csv")
    truth, origin = quality.truth_of(reports, data)
    with artifacts.atomic_folder(stage.output_folder("reports")) as folder:
        mined = table.mine_all(reports, folder / "labels.parquet", settings)
        labels = artifacts.read_table(folder / "labels.parquet", list(quality.JUDGED))
        measured = quality.measure(labels, truth, settings, measured_on=origin)
        artifacts.write_json(folder / "quality.json", measured)
    table.say_counts(mined)
    table.say_quality(measured)


if __name__ == "__main__":
    stage.run("reports", main)
