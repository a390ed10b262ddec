"""The localization stage: detected boxes against true ones -> artifacts/localization/."""

from thorax import artifacts, config, stage
from thorax.localization import boxed
from thorax.localization.settings import LocalizationConfig
from thorax.localization.summary import Summary, summarise
from thorax.progress import say
from thorax.schemas.estimate import Estimate


def localize() -> None:
    """Read true boxes, detected ones and peaks, score them, and write metrics.json."""
    settings = config.load("localization", LocalizationConfig)
    boxes = boxed.read(
        artifacts.root() / "data" / "boxes.csv",
        stage.output_folder("inference"),
        stage.output_folder("dataset") / "manifest.parquet",
        split=settings.split,
    )
    summary = summarise(boxes, settings)
    with artifacts.atomic_folder(stage.output_folder("localization")) as folder:
        artifacts.write_json(folder / "metrics.json", summary)
    for method in settings.methods:
        say(report(summary, method))
    say(pointing_report(summary))


def report(summary: Summary, method: str) -> str:
    """The result of one method in one line."""
    if summary["reason"]:
        return f"localization: nothing to score, {summary['reason']}"
    mean = summary["methods"][method]["mean"]
    accs = ", ".join(
        f"{cell['acc_score']:.3f} at T(IoU) {threshold}" for threshold, cell in mean["iou"].items()
    )
    return (
        f"localization, method {method}: mean Acc {accs}; {summary['boxes']:,} true boxes on "
        f"{summary['images']:,} images"
    )


def pointing_report(summary: Summary) -> str:
    """The result of the pointing game in one line."""
    played = summary["pointing"]
    pooled, mean = played["pooled"], played["mean"]
    if not pooled["tries"]:
        return "localization: no pointing game, no image has a true box"
    share = Estimate.read(pooled, "pointing").text()
    return (
        f"localization, pointing game: {share} of "
        f"{pooled['tries']:,} points lie in a true box, "
        f"mean over {mean['findings']} findings {mean['pointing_score']:.3f}"
    )


if __name__ == "__main__":
    stage.run("localization", localize)
