"""Every section of `params.yaml` and the model that validates it, checked before work begins."""

import importlib
from pathlib import Path
from typing import Final

from thorax import config
from thorax.config import Config
from thorax.errors import BadInput

SECTIONS: Final = {
    "sources": ("thorax.sources.config", "SourcesConfig"),
    "reports": ("thorax.reports.settings", "ReportsConfig"),
    "dataset": ("thorax.dataset.settings", "DatasetConfig"),
    "validation": ("validation.settings", "ValidationConfig"),
    "validation_predictions": ("validation.predictions", "PredictionsConfig"),
    "training": ("thorax.training.settings", "TrainingConfig"),
    "label_noise": ("thorax.label_noise.settings", "LabelNoiseConfig"),
    "inference": ("thorax.inference.settings", "InferenceConfig"),
    "localization": ("thorax.localization.settings", "LocalizationConfig"),
    "evaluation": ("thorax.evaluation.settings", "EvaluationConfig"),
    "gate": ("thorax.gate.settings", "GateConfig"),
    "release": ("thorax.release.settings", "ReleaseConfig"),
    "review": ("thorax.review.settings", "ReviewConfig"),
    "retraining": ("flows.retraining", "RetrainingConfig"),
    "schedule": ("flows.schedule_settings", "ScheduleConfig"),
}


def model_of(section: str) -> type[Config]:
    """The model that validates a section."""
    module, name = SECTIONS[section]
    model: type[Config] = getattr(importlib.import_module(module), name)
    return model


def check(path: Path) -> None:
    """Load every section of `path`; the first mistake is a `BadInput` that names it."""
    unknown = sorted(set(config.read_params(path)) - {"preset", *SECTIONS})
    if unknown:
        raise BadInput(f"{path}: unknown section {unknown[0]!r}; known are {', '.join(SECTIONS)}")
    for section in SECTIONS:
        config.load(section, model_of(section), path)
