"""The way out: what `/predict` answers, in the project's words and units."""

from collections.abc import Iterable

from pydantic import BaseModel, Field

from thorax.images import Decoded, ImageWarning
from thorax.inference.boxes import boxes_of
from thorax.inference.predictor import Prediction, Predictor

NOTICE = "For research and evaluation; not a medical device."


class FindingAnswer(BaseModel):
    """One finding."""

    finding: str = Field(description="Name as in ChestX-ray14.")
    probability: float = Field(description="Calibrated probability, 0 to 1.")
    threshold: float | None = Field(
        description="Operating point chosen on validation images; null where none could be chosen."
    )
    flagged: bool | None = Field(
        description="Whether the probability reaches the threshold; null without a threshold."
    )


class BoxAnswer(BaseModel):
    """Where a flagged finding shows, in the square frame that the model sees."""

    finding: str
    x_px: float
    y_px: float
    w_px: float
    h_px: float
    frame_px: int = Field(description="Side of the square frame; the image is stretched to it.")
    score: float
    method: str


class WarningAnswer(BaseModel):
    """Something about the image that whoever reads the scores should know."""

    code: str = Field(description="For programs, such as mirrored or mostly-black.")
    text: str = Field(description="For people.")


class Answer(BaseModel):
    """What the model says about one image."""

    model: str = Field(description="Tag of the bento that answered.")
    trained_on: str = Field(description="The images that the model learned from.")
    notice: str = NOTICE
    warnings: list[WarningAnswer] = Field(description="Empty when nothing was noticed.")
    width_px: int = Field(description="Width of the image as sent.")
    height_px: int = Field(description="Height of the image as sent.")
    findings: list[FindingAnswer]
    boxes: list[BoxAnswer]


class ErrorAnswer(BaseModel):
    """Why there are no scores."""

    error: str = Field(description="What is wrong, and what to do.")
    warnings: list[WarningAnswer] = Field(
        default=[], description="What the image was refused for, one by one."
    )


def compose(
    prediction: Prediction,
    predictor: Predictor,
    *,
    decoded: Decoded,
    model: str,
    warnings: Iterable[ImageWarning] = (),
) -> Answer:
    """The answer for the first image of `prediction`."""
    probabilities = prediction.probabilities[0]  # [F]
    findings = [
        _finding(finding, float(probability), predictor.thresholds[finding])
        for finding, probability in zip(predictor.findings, probabilities, strict=True)
    ]
    height_px, width_px = decoded.pixels.shape
    return Answer(
        model=model,
        trained_on=predictor.description.trained_on.text,
        warnings=warn(warnings),
        width_px=width_px,
        height_px=height_px,
        findings=findings,
        boxes=[
            BoxAnswer.model_validate(vars(box))
            for finding, heatmap in zip(findings, prediction.heatmaps[0], strict=True)
            if finding.flagged
            for box in boxes_of(
                heatmap,
                prediction.pixels[0],
                predictor.description.boxes,
                finding=finding.finding,
                frame_px=predictor.frame_px,
                score=finding.probability,
            )
        ],
    )


def warn(warnings: Iterable[ImageWarning]) -> list[WarningAnswer]:
    """Warnings as they are answered."""
    return [WarningAnswer(code=each.code, text=each.text) for each in warnings]


def _finding(finding: str, probability: float, threshold: float | None) -> FindingAnswer:
    flagged = None if threshold is None else probability >= threshold
    return FindingAnswer(
        finding=finding, probability=probability, threshold=threshold, flagged=flagged
    )
