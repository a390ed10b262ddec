"""Makes `src/thorax/chest_reference.npz`, what the image checks know of chests.

    python -m benchmarks.chest_reference ../shared/nih data --write

Fitted on half of the patients of NIH's official train_val list that are in the folder (chosen by a
hash; the other half and the test list are kept for `image_checks.py`), each image as it is and with
six random changes of exposure, crop and position, and on a fifth of the phantoms in `data/`.

The file holds one weight per oriented edge (8 directions x 8 x 8 cells), the mean of the edges, and
64 directions in which they differ: averages over thousands of images, from which no image can be
drawn again. NIH states that the usage of ChestX-ray8's images is unrestricted (NIH Clinical Center,
https://nihcc.app.box.com/v/ChestXray-NIHCC; Wang et al., CVPR 2017).
"""

import argparse
import hashlib
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from thorax import appearance, artifacts, images

SEED, CHANGED, PHANTOM_STEP = 8, 6, 5
PENALTY = 2e-4
COMPONENTS = 64

Grey = NDArray[np.uint8]
Array = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("nih", type=Path, help="folder with images-512/ and subset.csv")
    parser.add_argument("data", type=Path, help="a data/ folder of phantoms")
    parser.add_argument("--write", action="store_true", help="replace chest_reference.npz")
    given = parser.parse_args()
    rng = np.random.default_rng(SEED)
    chests = [pixels(path) for path in tuning_files(given.nih)]
    changed = [change(chest, rng) for chest in chests for _ in range(CHANGED)]
    drawn = [change(image, rng) for image in phantoms(given.data)[::PHANTOM_STEP]]
    seen = edges(chests + changed + drawn)
    weights = fit_weights(seen)
    mean, components, typical_error = fit_space(seen, len(chests))
    scores = edges(chests) @ ways_of(weights).T
    print(f"{len(chests):,} chests, {len(changed):,} changed, {len(drawn):,} phantoms")
    print(f"seen upright: {(scores.argmax(axis=1) == 0).mean():.2%} of the chests fitted on")
    if given.write:
        path = Path(appearance.__file__).with_name("chest_reference.npz")
        with artifacts.atomic_file(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                weights=weights.astype(np.float32),
                mean=mean.astype(np.float32),
                components=components.astype(np.float16),
                typical_error=np.float32(typical_error),
            )


_Raw = argparse.RawDescriptionHelpFormatter


def tuning_files(nih: Path) -> list[Path]:
    """Files of the half that may be fitted on and tuned with."""
    return [path for path, tuning in files_with_half(nih) if tuning]


def files_with_half(nih: Path) -> list[tuple[Path, bool]]:
    """Every image file, and whether its patient is in the tuning half (never of the test list)."""
    subset = pd.read_csv(nih / "subset.csv")
    split = dict(zip(subset["image_index"].str[:-4], subset["official_split"], strict=True))
    files = sorted((nih / "images-512").iterdir())
    return [(file, split[file.stem] == "train_val" and _in_half(file.stem[:8])) for file in files]


def _in_half(patient: str) -> bool:
    return hashlib.sha256(f"pictures{patient}".encode()).digest()[0] % 2 == 0


def pixels(path: Path) -> Grey:
    return images.decode(path.read_bytes()).pixels


def phantoms(data: Path) -> list[Grey]:
    found = []
    for archive in sorted((data / "images").iterdir()):
        with tarfile.open(archive) as tar:
            files = (tar.extractfile(member) for member in tar)
            found += [images.decode(file.read()).pixels for file in files if file]
    return found


def change(image: Grey, rng: np.random.Generator) -> Grey:
    """Another exposure, crop, position and small tilt, at 256 px."""
    image = images.to_frame(image, 256)
    turn = cv2.getRotationMatrix2D((128, 128), rng.uniform(-8, 8), 1 / rng.uniform(0.8, 1.15))
    turn[:, 2] += rng.uniform(-16, 16, 2)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.5 else cv2.BORDER_CONSTANT
    moved = cv2.warpAffine(image, turn, (256, 256), flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(255 * (moved / 255.0) ** rng.uniform(0.6, 1.7), np.uint8)


def edges(found: list[Grey]) -> Array:
    """Oriented edges, float32 [N, 512]."""
    smalls = [appearance.shrink(image) for image in found]
    return appearance.edges_of(smalls).reshape(len(found), -1)


def ways_of(weights: Array) -> Array:
    """The weights of the sixteen ways, float32 [16, 512]."""
    cube = weights.reshape(appearance.ANGLES, appearance.CELLS, appearance.CELLS)
    return np.stack([way.show_edges(cube).ravel() for way in appearance.WAYS])


def fit_weights(seen: Array) -> Array:
    """Weights of a softmax over the sixteen ways that share them, with a quadratic penalty."""
    places = ways_of(np.arange(seen.shape[1]).astype(np.float32)).astype(np.intp)
    back = np.argsort(places, axis=1)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = seen @ weights[places].T.astype(np.float32)
        log_shares = log_softmax(logits.astype(np.float64), axis=1)
        wrong = np.exp(log_shares)
        wrong[:, 0] -= 1
        slopes = (wrong.T.astype(np.float32) @ seen) / len(seen)  # [16, 512]
        slope = np.take_along_axis(slopes, back, axis=1).sum(axis=0)
        total = -log_shares[:, 0].mean() + PENALTY * weights @ weights
        return float(total), slope + 2 * PENALTY * weights

    found = minimize(loss, np.zeros(seen.shape[1]), jac=True, method="L-BFGS-B",
                     options={"maxiter": 300})  # fmt: skip
    return np.asarray(found.x, np.float32)


def fit_space(seen: Array, chests: int) -> tuple[Array, Array, float]:
    """Mean, principal directions, and the mean squared distance of the first `chests` rows."""
    mean = seen.mean(axis=0)
    components = np.linalg.svd(seen - mean, full_matrices=False)[2][:COMPONENTS]
    centred = seen[:chests] - mean
    inside = centred @ components.T
    return mean, components, float(((centred**2).sum(1) - (inside**2).sum(1)).mean())


if __name__ == "__main__":
    main()
