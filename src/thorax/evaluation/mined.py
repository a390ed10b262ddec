"""How far the labels can be trusted that a model was trained and is scored on.

Taken over from the stage `reports`, which measured its labels where the source brings a truth
(`artifacts/reports/quality.json`): an AUC means the less the more of its labels are wrong. Measures
nothing itself.
"""

from pathlib import Path
from typing import Any

from thorax import artifacts
from thorax.schemas.estimate import Estimate

_TAKEN = ("measured_on", "reports", "confidence", "findings", "micro", "micro_without_uncertain")


def read(path: Path) -> dict[str, Any]:
    """What was measured, per finding and in total; None for an undefined value.

    Without the file, or without any report of known truth, `findings` is empty and `measured_on`
    says why.
    """
    if not path.exists():
        return {"measured_on": "no report was labelled", "reports": 0, "findings": {}}
    quality = artifacts.read_json(path)
    taken = {name: quality[name] for name in _TAKEN}
    return taken if taken["reports"] else {**taken, "findings": {}}


def markdown(quality: dict[str, Any]) -> list[str]:
    """A table of precision and recall per finding, or one line that says why there is none."""
    title = ["", "## The labels themselves", ""]
    if not quality["findings"]:
        return [*title, f"Mined from reports, or given; not measured: {quality['measured_on']}."]
    rows = {**quality["findings"], "**all**": quality["micro"]}
    rows["**all, without what is uncertain**"] = quality["micro_without_uncertain"]
    return [
        *title,
        f"Mined from {quality['reports']:,} reports, measured against {quality['measured_on']}. A "
        "hedged mention counts as absent, which costs recall; in the last row it is left out, as "
        "training leaves it out (`dataset.uncertain: ignore`).",
        "",
        f"| finding | positive | precision | {quality['confidence']:.0%} interval | recall "
        "| interval | F1 | interval |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        *(_row(name.replace("_", " "), entry) for name, entry in rows.items()),
    ]


def _row(name: str, entry: dict[str, Any]) -> str:
    cells = [name, f"{entry['positives']:,}"]
    for score in ("precision", "recall", "f1"):
        estimate = Estimate.read(entry, score, value=score)
        cells += [estimate.value_text(), estimate.interval_text()]
    return "| " + " | ".join(cells) + " |"
