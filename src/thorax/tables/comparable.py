"""Whether a number of ours may stand beside the paper's: one plain sentence per table.

Looks at the source, at how many of the official test images (or boxes) were scored, and at the
first weights. Judges no number.
"""

from thorax.tables.published import BOXES, TEST_IMAGES
from thorax.tables.runs import Run

_UNPUBLISHED = (
    "roughly at best, since the paper's random split for this table was never published and did "
    "not keep patients together"
)
_NOTHING = "There is nothing of this run's yet that could be compared with the paper's."


def computed_on(run: Run) -> str:
    """On which images the classification was scored."""
    if not run.evaluation:
        return f"Nothing was computed: {run.reason}."
    evaluation = run.evaluation
    return (
        f"{evaluation['images']:,} {evaluation['split']} images of {evaluation['patients']:,} "
        f"patients, {_source(run)}."
    )


def boxes_computed_on(run: Run) -> str:
    """On which boxes the localization was scored."""
    if not run.localization:
        return "Nothing was computed: artifacts/localization is missing."
    scored = run.localization
    return (
        f"{scored['boxes']:,} true boxes on {scored['images']:,} {scored['split']} images of "
        f"{scored['patients']:,} patients, {_source(run)}."
    )


def classification(run: Run, *, split_published: bool) -> str:
    """Whether our AUCs may be compared with the paper's."""
    if not run.evaluation:
        return _NOTHING
    images = run.evaluation["images"]
    if reason := _other_images(run, f"{images:,} of the {TEST_IMAGES:,}", images == TEST_IMAGES):
        return f"May not be compared with the paper's: {reason}{_weights(run)}."
    if not split_published:
        return f"May be compared {_UNPUBLISHED}{_weights(run)}."
    return f"May be compared with the paper's: the same official test images{_weights(run)}."


def localization(run: Run) -> str:
    """Whether our Acc and AFP may be compared with the paper's."""
    if not run.localization:
        return _NOTHING
    boxes = run.localization["boxes"]
    if run.source.get("source") == "nih" and boxes != BOXES:
        reason = f"only {boxes:,} of the {BOXES} published boxes were scored"
        return f"May not be compared with the paper's: {reason}{_weights(run)}."
    if reason := _other_images(run, "", True):
        return f"May not be compared with the paper's: {reason}{_weights(run)}."
    return f"May be compared with the paper's: the same {BOXES} boxes{_weights(run)}."


def counts(run: Run, images: int, published: int) -> str:
    """Whether our label counts may be compared with the paper's."""
    if reason := _other_images(run, f"{images:,} of the {published:,}", images == published):
        return f"May not be compared with the paper's: {reason}."
    return "May be compared with the paper's: the same images; NIH has since mended some labels."


def _other_images(run: Run, share: str, whole: bool) -> str:
    """Why the images are not the paper's; empty when they are."""
    source = run.source.get("source", "")
    if source == "phantom":
        return "these are phantoms drawn by a program, not radiographs"
    if source != "nih":
        return f"these images come from {source or 'an unknown source'}, not from NIH"
    return "" if whole else f"only {share} images are here"


def _weights(run: Run) -> str:
    if not run.model or run.pretrained or run.source.get("source") == "phantom":
        return ""
    return ", and this run's first weights were not pretrained on ImageNet as the paper's were"


def _source(run: Run) -> str:
    source = run.source.get("source", "unknown")
    names = {"phantom": "drawn by a program (phantom)", "nih": "NIH ChestX-ray14"}
    return names.get(source, f"source {source}")
