"""The stage `validation`: judges every table before training; a refusal is an output.

Run as `python -m validation` in the root of the checkout. Writes `verdict.json`, `statistics.json`
(what the next data version is compared with) and `docs/`.
"""

from thorax import artifacts, config, stage
from thorax.progress import say
from validation import inputs, page, runner, verdict
from validation.settings import ValidationConfig


def main() -> None:
    """Check every table, write the verdict, the statistics and Data Docs, and say what failed."""
    settings = config.load("validation", ValidationConfig)
    given = inputs.read(artifacts.root())
    tables = inputs.suites(given, settings)
    with artifacts.atomic_folder(stage.output_folder("validation")) as folder:
        if inputs.are_whole(given):
            now = inputs.count(given)
            tables += inputs.derived(given, now, settings)
            artifacts.write_json(folder / "statistics.json", now)
        outcomes = runner.run(tables, folder / "docs", rows_named=settings.rows_named)
        judged = verdict.judge(outcomes, settings.waivers)
        artifacts.write_json(folder / "verdict.json", judged)
        page.write(folder / "docs", judged, page.read_version(artifacts.root()), settings.page)
    for line in verdict.lines(judged):
        say(line)


if __name__ == "__main__":
    stage.run("validation", main)
