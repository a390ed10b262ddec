"""Stage `training`: the verdict, then the network, then its best weights in `artifacts/training/`.

Writes `weights.safetensors`, `model.json` and `history.json`. Resumes from its state when it was
killed. Draws no boxes and computes no test metric: those stages come later.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from thorax import artifacts, config, stage
from thorax.dataset import manifest
from thorax.dataset.pixels import Pixels
from thorax.findings import FINDINGS
from thorax.model import checkpoint, ensemble, weights
from thorax.model.classifier import check_size
from thorax.model.ensemble import Network
from thorax.training import examples, loop, precision, state, verdict
from thorax.training.device import device_of, make_deterministic
from thorax.training.settings import TrainingConfig
from thorax.training.state import Progress


def main(clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Train as `params.yaml: training` says."""
    root = artifacts.root()
    verdict.require_yes(root / "artifacts/validation/verdict.json", now=clock())
    settings = config.load("training", TrainingConfig)
    data = read_data()
    make_deterministic(settings)
    model, first = build(settings, data)
    folder = stage.state_folder("training")
    folder.mkdir(parents=True, exist_ok=True)
    state.prune(folder, keep=settings.keep_states)
    numbers = precision.choose(
        settings, data.pixels.size_px, device_of(settings), artifacts.shared_home()
    )
    progress = loop.Loop(
        model, data, settings=settings, folder=folder, precision=numbers, initial_weights=first
    ).run()
    write(progress, settings, data.pixels.size_px)


def read_data() -> loop.Data:
    """The images of both splits, and where their pixels are."""
    root = artifacts.root()
    path = root / "artifacts/dataset/manifest.parquet"
    table = manifest.read(path)
    training = examples.of_split(table, "train", where=path)
    validation = examples.of_split(table, "validation", where=path)
    pixels = Pixels.open(root / "artifacts/dataset/pixels.json", root / "data")
    return loop.Data(pixels, training, validation)


def build(settings: TrainingConfig, data: loop.Data) -> tuple[Network, str]:
    """The network with its first weights, and where those came from."""
    check_size(settings.model, data.pixels.size_px)
    examples.warn_of_missing(data.training)
    model = ensemble.build(settings.model, findings=len(FINDINGS))
    ensemble.initialise(model, settings.model, weights=settings.weights)
    ensemble.set_normalisation(model, *examples.level_statistics(data.training))
    return model, weights.name(settings.weights)


def write(progress: Progress, settings: TrainingConfig, size_px: int) -> None:
    """Write the best epoch's weights and the history."""
    with artifacts.atomic_folder(stage.output_folder("training")) as folder:
        checkpoint.write(
            folder,
            progress.best,
            settings=settings.model,
            findings=FINDINGS,
            size_px=size_px,
            initial_weights=progress.initial_weights,
        )
        history = {
            "best_epoch": progress.best_epoch,
            "precision": progress.precision,
            "epochs": progress.history,
        }
        artifacts.write_json(folder / "history.json", history)


if __name__ == "__main__":
    stage.run("training", main)
