"""The phantom: made-up patients with drawn chests and planted findings, the default data.

    build(PhantomConfig(seed=8), workers=2)  ->  layout.Content

The same settings give the same bytes on every machine. The truth is known, so mined labels, boxes
and models can be judged; nothing learned from it says anything about real patients.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, Final, Literal

import pandas as pd
from pydantic import Field, field_validator

from thorax.config import Config
from thorax.findings import CHESTX_RAY8, FINDINGS
from thorax.locks import die_with_parent
from thorax.sources import layout
from thorax.sources.phantom import drawing, png
from thorax.sources.phantom.dice import Dice
from thorax.sources.phantom.patients import Study, studies
from thorax.sources.phantom.wording import report

GENERATOR: Final = 6  # raised whenever the same settings give other bytes

_PREVALENCE: Final[Mapping[str, float]] = {
    "Atelectasis": 0.10,
    "Cardiomegaly": 0.075,
    "Effusion": 0.11,
    "Infiltration": 0.12,
    "Mass": 0.075,
    "Nodule": 0.085,
    "Pneumonia": 0.07,
    "Pneumothorax": 0.075,
    "Consolidation": 0.07,
    "Edema": 0.065,
    "Emphysema": 0.07,
    "Fibrosis": 0.07,
    "Pleural_Thickening": 0.07,
    "Hernia": 0.06,
}
_IN_FLIGHT = 8  # drawings waiting per worker


class PhantomConfig(Config):
    """What the phantom draws."""

    seed: int = Field(8, ge=0)
    """Of everything random."""
    patients: int = Field(700, ge=1)
    """How many patients, each with 1 to 6 studies, about 2.1; more leave earlier ones alone."""
    size_px: int = Field(256, ge=64, le=1024)
    """Width and height of an image, in pixels."""
    prevalence: dict[str, float] = Field(default_factory=lambda: dict(_PREVALENCE))
    """Share of images with each of the fourteen findings to aim at."""
    templates: Literal["first", "second"] = "second"
    """Which half of the report wordings is used; mining rules are written on the first."""
    doubt_share: float = Field(0.10, ge=0, le=1)
    """Share of studies whose report suspects a finding that is not drawn."""
    boxed_share: float = Field(0.5, ge=0, le=1)
    """Share of the images with one of the first eight findings whose lesions are boxed."""

    @field_validator("prevalence")
    @classmethod
    def _all_findings(cls, shares: dict[str, float]) -> dict[str, float]:
        if sorted(shares) != sorted(FINDINGS):
            raise ValueError("name all fourteen findings and nothing else")
        if not all(0 <= share <= 0.5 for share in shares.values()):
            raise ValueError("each share lies between 0 and 0.5")
        return shares


def build(config: PhantomConfig, *, workers: int) -> layout.Content:
    """Tables at once, images as a generator in the order of `entries`.

    Args:
        config: what to draw.
        workers: processes that draw; they die with this one.
    """
    everyone = [
        study
        for patient in range(1, config.patients + 1)
        for study in studies(config.seed, patient, config.prevalence, config.doubt_share)
    ]
    return layout.Content(
        identity=identity(config),
        tables=_tables(config, everyone),
        images=_images(config, everyone, workers),
        total=len(everyone),
        size_bytes=len(everyone) * png.encoded_bytes(config.size_px, config.size_px),
    )


def identity(config: PhantomConfig) -> dict[str, Any]:
    """What the drawn content follows from: the generator's version and every setting."""
    licence = "CC0-1.0: drawn by a program; no patient stands behind it"
    return {"source": "phantom", "generator": GENERATOR, "licence": licence, **config.model_dump()}


def _tables(config: PhantomConfig, everyone: list[Study]) -> dict[str, pd.DataFrame]:
    rows: dict[str, list[dict[str, Any]]] = {
        "entries": [_entry(study) for study in everyone],
        "boxes": [box for study in everyone for box in _boxes(config, study)],
        "reports": [_report(config, study) for study in everyone],
        "truth": [row for study in everyone for row in _truth(study)],
        "adjudicated": [],
    }
    return {
        name: pd.DataFrame(rows[name], columns=list(columns))
        for name, columns in layout.COLUMNS.items()
    }


def _entry(study: Study) -> dict[str, Any]:
    return {
        "image": study.image,
        "patient": _patient(study),
        "follow_up": study.follow_up,
        "age_years": study.age_years,
        "sex": study.sex,
        "view": study.view,
        "findings": "",
        "uncertain": "",
        "unknown": "|".join(FINDINGS),
        "split": "",
    }


def _patient(study: Study) -> str:
    return f"{study.patient:08d}"


def _report(config: PhantomConfig, study: Study) -> dict[str, Any]:
    text = report(study, seed=config.seed, half=config.templates)
    name = study.image.removesuffix(".png")
    return {"report": name, "patient": _patient(study), "images": study.image, "text": text}


def _truth(study: Study) -> list[dict[str, Any]]:
    present = study.present
    return [
        {"image": study.image, "finding": finding, "label": int(finding in present)}
        for finding in FINDINGS
    ]


def _boxes(config: PhantomConfig, study: Study) -> list[dict[str, Any]]:
    wanted = Dice(config.seed, study.patient, "boxed", study.follow_up).chance(config.boxed_share)
    if not wanted or not set(study.present) & set(CHESTX_RAY8):
        return []
    found = drawing.boxes(study, seed=config.seed, size_px=config.size_px)
    return [
        {"image": study.image, **vars(box), "frame_px": config.size_px}
        for box in found
        if box.finding in CHESTX_RAY8
    ]


def _images(
    config: PhantomConfig, everyone: list[Study], workers: int
) -> Iterator[tuple[str, bytes]]:
    """Draw in `workers` processes, a few ahead of whoever reads, in the given order."""
    context = multiprocessing.get_context("spawn")  # direct children: they die with this process
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=die_with_parent, initargs=(os.getpid(),)
    ) as pool:
        waiting: deque[tuple[str, Future[bytes]]] = deque()
        try:
            for study in everyone:
                task = pool.submit(drawing.draw_png, study, config.seed, config.size_px)
                waiting.append((study.image, task))
                if len(waiting) >= workers * _IN_FLIGHT:
                    image, done = waiting.popleft()
                    yield image, done.result()
            while waiting:
                image, done = waiting.popleft()
                yield image, done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
