"""The localization stage: detected boxes against true ones -> artifacts/localization/."""

from thorax import artifacts, config, stage
from thorax.localization import boxed
from thorax.localization.settings import LocalizationConfig
from thorax.localization.summary import Summary, summarise
from thorax.progress import say


def localize() -> None:
    """Read both kinds of boxes, score them, and write metrics.json."""
    settings = config.load("localization", LocalizationConfig)
    boxes = boxed.read(
        artifacts.root() / "data" / "boxes.csv",
        stage.output_folder("inference") / "boxes.parquet",
        stage.output_folder("dataset") / "manifest.parquet",
        split=settings.split,
    )
    summary = summarise(boxes, settings)
    with artifacts.atomic_folder(stage.output_folder("localization")) as folder:
        artifacts.write_json(folder / "metrics.json", summary)
    for method in settings.methods:
        say(report(summary, method))


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


if __name__ == "__main__":
    stage.run("localization", localize)
