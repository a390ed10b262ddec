"""The results that stand beside the paper's: the present run, and the runs of experiments.

The present run is what lies in `artifacts/` and `data/`. An experiment's run is a folder
`.thorax/experiments/EXPERIMENT/RUN/result/` with the same files under plain names and a `run.json`.
Reads; runs nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thorax import artifacts, config
from thorax.errors import BadInput

NETWORKS = {
    "alexnet": "AlexNet",
    "googlenet": "GoogLeNet",
    "vgg16": "VGG-16",
    "resnet10": "ResNet-10",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "densenet121": "DenseNet-121",
    "efficientnet_b0": "EfficientNet-B0",
    "convnext_tiny": "ConvNeXt-Tiny",
    "mobilenet_v3_large": "MobileNetV3-Large",
}
_ORDER = "run the pipeline first: make retrain"


@dataclass(frozen=True)
class Run:
    """One trained and scored model.

    Attributes:
        name: "this run", or the experiment's name of it.
        reason: why it has no results; empty when it has.
        evaluation, localization: their metrics.json; empty when missing.
        model: training's model.json; empty when missing.
        source: data/source.json; empty when missing.
        params: the settings it ran with.
        budget: the name of the budget on which an experiment ran it; empty for the present run.
    """

    name: str
    reason: str
    evaluation: dict[str, Any]
    localization: dict[str, Any]
    model: dict[str, Any]
    source: dict[str, Any]
    params: dict[str, Any]
    budget: str = ""

    @property
    def label(self) -> str:
        """Network, loss and pooling in words."""
        settings = self.network
        if not settings:
            return self.name
        network = NETWORKS.get(settings["backbone"], settings["backbone"])
        loss = str(self.params.get("training", {}).get("loss", "")).upper()
        return ", ".join(part for part in (network, loss, pooling_label(settings)) if part)

    @property
    def network(self) -> dict[str, Any]:
        """What the network is made of: the model's own words, or the settings'."""
        settings = self.model.get("settings") or self.params.get("training", {}).get("model", {})
        return dict(settings)

    @property
    def recipe(self) -> str:
        """Budget, image size, epochs and first weights in words."""
        training = self.params.get("training", {})
        size_px = self.model.get("size_px", "?")
        weights = "ImageNet weights" if self.pretrained else "no pretraining"
        return f"budget `{self.budget}`: {size_px} px, {training.get('epochs')} epochs, {weights}"

    @property
    def pretrained(self) -> bool:
        """Whether its first weights came from ImageNet."""
        return str(self.model.get("initial_weights", "none")).startswith("imagenet")


def pooling_label(settings: dict[str, Any]) -> str:
    """`LSE r = 10`, `LSE-LBA, r from 10`, `average pooling` or `max pooling`."""
    pooling = str(settings.get("pooling", ""))
    if pooling.startswith("lse"):
        r = f"{float(settings.get('lse_r', 0)):g}"
        return f"LSE-LBA, r from {r}" if pooling == "lse-lba" else f"LSE r = {r}"
    return f"{pooling} pooling" if pooling else ""


def present() -> Run:
    """What the stages of this checkout wrote last."""
    root = artifacts.root()
    folder = root / "artifacts"
    evaluation = _read(folder / "evaluation/metrics.json")
    return Run(
        name="this run",
        reason="" if evaluation else f"artifacts/evaluation is missing; {_ORDER}",
        evaluation=evaluation,
        localization=_read(folder / "localization/metrics.json"),
        model=_read(folder / "training/model.json"),
        source=_read(root / "data/source.json"),
        params=config.read_params(root / "params.yaml"),
    )


def of_experiment(experiment: str) -> dict[str, Run]:
    """The runs of an experiment by name; empty when it was never run."""
    folder = artifacts.home() / "experiments" / experiment
    results = sorted(folder.glob("*/result/run.json"))
    return {file.parent.parent.name: _experiment_run(file.parent) for file in results}


def not_run(experiment: str, name: str) -> Run:
    """A run that is missing, with the command that makes it."""
    reason = f"not run here: thorax experiment {experiment}"
    return Run(name, reason, {}, {}, {}, {}, {})


def _experiment_run(result: Path) -> Run:
    about = _read(result / "run.json")
    evaluation = _read(result / "evaluation.json")
    said = about.get("reason") or about.get("status") or "no evaluation.json"
    params = result / "params.yaml"
    return Run(
        name=str(about.get("run") or result.parent.name),
        reason="" if evaluation else f"{about.get('run') or result.parent.name}: {said}",
        evaluation=evaluation,
        localization=_read(result / "localization.json"),
        model=_read(result / "training.json"),
        source=_read(result / "source.json"),
        params=config.read_params(params) if params.exists() else {},
        budget=str(about.get("budget") or ""),
    )


def _read(path: Path) -> dict[str, Any]:
    """A JSON object, or nothing where the file is missing; a broken one is a `BadInput`."""
    if not path.exists():
        return {}
    content = artifacts.read_json(path)
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds no JSON object: run what writes it again")
    return content
