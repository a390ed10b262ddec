"""The obvious baseline on real images, and how far the product's predictions lie above it.

The baseline: torchvision's ResNet-18 with one input channel, from scratch at 128 px, binary cross
entropy, AdamW, a cosine, 18 epochs, all images of the official train_val list, mirrored, turned and
shifted at random, the last epoch's weights. `--plain` changes no images; then the network learns
them by heart (docs/log.md). With `--bfloat16` the convolutions run in bfloat16, which processors
with AMX do twice as fast. `train` writes its predictions for the images of the official test list
that are in the folder. `compare` takes predictions of the product (`predictions.parquet` of the
inference stage, one per seed) and of the baseline, and gives the paired interval of the difference
in mean AUC; patients are drawn with replacement.

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/baseline_resnet18.py train --nih FOLDER
    PYTHONPATH=src python benchmarks/baseline_resnet18.py compare --nih FOLDER \\
        --baseline baseline-1.parquet A.parquet B.parquet C.parquet
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from torchvision.models import resnet18

from thorax import artifacts, images
from thorax.dataset.augment import AugmentConfig, augment
from thorax.evaluation import intervals, metrics
from thorax.findings import FINDINGS
from thorax.progress import track

SIZE_PX, EPOCHS, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY = 128, 18, 32, 0.001, 0.01
CHANGES = AugmentConfig(
    rotation_degrees=7, translation_share=0.05, scale_share=0.1,
    brightness_levels=0, contrast_share=0, mirror_probability=0.5,
)  # fmt: skip
UNCHANGED = AugmentConfig(
    rotation_degrees=0, translation_share=0, scale_share=0, brightness_levels=0, contrast_share=0
)
POSITIVES_MIN = 20  # in the test images: findings with fewer are left out of the first mean
REPLICATES, CONFIDENCE, BOOTSTRAP_SEED = 1_000, 0.95, 8


@dataclass(frozen=True)
class Listed:
    """Images of one official list: names [N], files [N], patients [N], targets int8 [N, F]."""

    images: list[str]
    files: list[Path]
    patients: NDArray[np.int64]
    targets: NDArray[np.int8]


def main() -> None:
    arguments = read_arguments()
    arguments.work(arguments)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    modes = parser.add_subparsers(required=True)
    train = modes.add_parser("train", help="train the baseline and write its predictions")
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--epochs", type=int, default=EPOCHS)
    train.add_argument("--out", type=Path, default=Path("baseline.parquet"))
    train.add_argument("--bfloat16", action="store_true")
    train.add_argument("--plain", action="store_true", help="without augmentation")
    train.set_defaults(work=run_training)
    compare = modes.add_parser("compare", help="the paired interval of the difference")
    compare.add_argument("predictions", type=Path, nargs="+", help="one file per seed")
    compare.add_argument("--baseline", type=Path, required=True)
    compare.set_defaults(work=run_comparison)
    for mode in (train, compare):
        mode.add_argument("--nih", type=Path, required=True, help="tables, lists and images")
    return parser.parse_args()


def run_training(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    training, test = listed(arguments.nih, "train_val"), listed(arguments.nih, "test")
    learned, tested = pixels(training), pixels(test)
    mean, std = learned.mean(), learned.std()
    started_s, cpu_s = time.monotonic(), time.process_time()
    network = train(
        learned,
        torch.from_numpy(training.targets).float(),
        levels=(float(mean), float(std)),
        changes=UNCHANGED if arguments.plain else CHANGES,
        epochs=arguments.epochs,
        bfloat16=arguments.bfloat16,
    )
    print(f"{time.monotonic() - started_s:.0f} s, {time.process_time() - cpu_s:.0f} CPU s")
    logits = score(network, (tested - mean) / std)
    artifacts.write_table(arguments.out, long_table(test, logits))
    print_means("baseline", test, logits)


def run_comparison(arguments: argparse.Namespace) -> None:
    test = listed(arguments.nih, "test")
    baseline = read_logits(arguments.baseline, test)
    print_means("baseline", test, baseline)
    lows = []
    for path in arguments.predictions:
        logits = read_logits(path, test)
        print_means(str(path), test, logits)
        low = print_difference(test, logits, baseline)
        lows.append(low)
    print(f"median lower end of {len(lows)}: {np.median(lows):+.3f}")


def train(
    inputs: torch.Tensor, targets: torch.Tensor, *, levels: tuple[float, float],
    changes: AugmentConfig, epochs: int, bfloat16: bool,
) -> nn.Module:  # fmt: skip
    """Inputs [N, 1, H, W] in grey levels, whose mean and deviation `levels` are; targets [N, F]."""
    mean, std = levels
    chance = torch.Generator().manual_seed(torch.initial_seed())
    network = resnet18(num_classes=len(FINDINGS))
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = epochs * (len(inputs) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for epoch in track(range(epochs), "baseline epochs", epochs):
        losses = []
        for rows in torch.randperm(len(inputs))[: steps // epochs * BATCH_SIZE].split(BATCH_SIZE):
            pixels = (augment(inputs[rows], changes, chance) - mean) / std
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                logits = network(pixels)
            loss = functional.binary_cross_entropy_with_logits(logits.float(), targets[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    return network.eval()


@torch.inference_mode()
def score(network: nn.Module, inputs: torch.Tensor) -> NDArray[np.float32]:
    """Logits [N, F]."""
    return np.asarray(torch.cat([network(part) for part in inputs.split(64)]))


def listed(folder: Path, name: str) -> Listed:
    """The images of the official list `train_val` or `test` that lie in the folder."""
    entries = pd.read_csv(find(folder, "Data_Entry_2017*.csv")).set_index("Image Index")
    wanted = find_list(folder, f"{name}_list.txt")
    files = {path.stem: path for path in sorted(folder.glob("images*/*"), reverse=True)}
    here = [image for image in wanted if Path(image).stem in files]
    labels = entries.loc[here, "Finding Labels"].str.split("|")
    targets = np.array([[finding in row for finding in FINDINGS] for row in labels], np.int8)
    patients = entries.loc[here, "Patient ID"].to_numpy(np.int64)
    return Listed(here, [files[Path(image).stem] for image in here], patients, targets)


def find_list(folder: Path, name: str) -> list[str]:
    return list(pd.read_csv(find(folder, name), header=None)[0])


def find(folder: Path, pattern: str) -> Path:
    found = sorted([*folder.glob(pattern), *folder.glob(f"{pattern}.gz")])
    if not found:
        raise SystemExit(f"{folder} holds no {pattern}: name the folder of NIH's tables and images")
    return found[-1]


def pixels(part: Listed) -> torch.Tensor:
    """Grey levels 0 to 255, float32 [N, 1, H, W]."""
    frames = [
        images.to_frame(images.decode(file.read_bytes()).pixels, SIZE_PX)
        for file in track(part.files, "decoded images", len(part.files))
    ]
    return torch.from_numpy(np.stack(frames))[:, None].float()


def long_table(part: Listed, logits: NDArray[np.float32]) -> pd.DataFrame:
    """One row per image and finding, as `artifacts/inference/predictions.parquet`."""
    return pd.DataFrame(
        {
            "image": np.repeat(part.images, len(FINDINGS)),
            "finding": np.tile(FINDINGS, len(part.images)),
            "logit": logits.ravel(),
        }
    )


def read_logits(path: Path, part: Listed) -> NDArray[np.float32]:
    """Logits [N, F] of the listed images; names are matched without their suffix."""
    table = pd.read_parquet(path, columns=["image", "finding", "logit"])
    table["image"] = table["image"].astype(str).map(lambda name: Path(name).stem)
    wide = table.pivot(index="image", columns="finding", values="logit")
    return np.asarray(
        wide.loc[[Path(image).stem for image in part.images], list(FINDINGS)], np.float32
    )


def columns(test: Listed) -> dict[str, NDArray[np.bool_]]:
    """The findings [F] of each mean: those with enough positives, all, and ChestX-ray8's."""
    enough = test.targets.sum(axis=0) >= POSITIVES_MIN
    first = np.arange(len(FINDINGS)) < 8
    return {f"{enough.sum()}": enough, "14": np.ones_like(enough), "first 8": first}


def print_means(name: str, test: Listed, logits: NDArray[np.float32]) -> None:
    areas = metrics.auc(test.targets, logits)
    means = [f"{title}: {np.nanmean(areas[chosen]):.4f}" for title, chosen in columns(test).items()]
    print(f"{name}: mean AUC over {', over '.join(means)}")


def print_difference(
    test: Listed, logits: NDArray[np.float32], baseline: NDArray[np.float32]
) -> float:
    """Print the paired interval over the findings with enough positives; returns its lower end."""
    chosen = next(iter(columns(test).values()))
    draws = intervals.resample(test.patients, replicates=REPLICATES, seed=BOOTSTRAP_SEED)
    both = [metrics.auc(test.targets, scores)[chosen] for scores in (logits, baseline)]
    replicates = intervals.auc_difference_replicates(
        test.targets[:, chosen], logits[:, chosen], baseline[:, chosen], draws
    )
    means = intervals.mean_replicates(replicates)
    interval = intervals.percentile(means, confidence=CONFIDENCE, min_share=0.5)
    difference = float(np.mean(both[0] - both[1]))
    print(f"  minus baseline: {difference:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})")
    return interval.low


if __name__ == "__main__":
    main()
