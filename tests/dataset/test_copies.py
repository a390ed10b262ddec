"""Copies of pictures: found whatever was done to them, and neighbours are no copies."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from thorax import images
from thorax.dataset import copies, frames, hashes
from thorax.dataset.pixels import Pixels
from thorax.dataset.settings import CopiesConfig
from thorax.sources.phantom import drawing, patients
from thorax.sources.phantom.source import PhantomConfig

Grey = NDArray[np.uint8]
SIZE_PX = 128


class Frames(Pixels):
    """Frames in memory in the place of shards."""

    def __init__(self, frames: NDArray[np.uint8]) -> None:
        super().__init__(SIZE_PX, [])
        self._open["s"] = frames


@pytest.fixture(scope="module")
def phantoms() -> dict[str, Grey]:
    """Two studies of each of eight patients."""
    shares = PhantomConfig(patients=60).prevalence
    found: dict[str, Grey] = {}
    for patient in range(1, 60):
        studies = patients.studies(5, patient, shares, 0.0)
        if len(studies) > 1 and len(found) < 16:
            for study in studies[:2]:
                found[study.image] = drawing.draw(study, seed=5, size_px=256)
    return found


def linked(pictures: dict[str, Grey], **columns: list[str]) -> pd.DataFrame:
    made = frames.make([images.encode_png(picture) for picture in pictures.values()], SIZE_PX)
    table = pd.DataFrame([vars(measures) for _, measures in made])
    names = list(pictures)
    table = table.assign(image=names, patient=[name[:8] for name in names], split="train")
    table = table.assign(**columns, shard="s", row=range(len(names)), readable=True)
    stack = np.stack([frame for frame, _ in made if frame is not None])
    return copies.find(table, Frames(stack), CopiesConfig())


def pairs(links: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(links["image"], links["other"], links["kind"], strict=True))


def jpeg(picture: Grey) -> Grey:
    content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


CHANGES = {
    "compressed again": jpeg,
    "resized": lambda picture: images.to_frame(picture, 170),
    "cut by half a percent": lambda picture: np.ascontiguousarray(picture[1:-1, 1:-1]),
    "cut by two percent": lambda picture: np.ascontiguousarray(picture[5:-5, 5:-5]),
    "cut by three percent": lambda picture: np.ascontiguousarray(picture[8:-8, 8:-8]),
    "brighter": lambda picture: cv2.convertScaleAbs(picture, alpha=0.9, beta=20),
}


def test_two_films_of_one_patient_are_no_copies(phantoms: dict[str, Grey]) -> None:
    assert pairs(linked(phantoms)) == []


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found(change: str, phantoms: dict[str, Grey]) -> None:
    name, picture = next(iter(phantoms.items()))
    found = linked({**phantoms, "99999999_000.png": CHANGES[change](picture)})
    assert pairs(found) == [(name, "99999999_000.png", "look")]
    assert found["likeness"].item() >= 0.95


def test_equal_files_and_equal_pixels_are_told_apart(phantoms: dict[str, Grey]) -> None:
    name, picture = next(iter(phantoms.items()))
    same = linked({**phantoms, "a.png": picture})
    assert pairs(same) == [(name, "a.png", "file")]
    clear = cv2.merge([picture, picture, picture, np.full_like(picture, 255)])
    assert pairs(linked({**phantoms, "a.png": clear})) == [(name, "a.png", "pixels")]


def test_a_group_is_a_chain_that_crosses_splits_and_patients(phantoms: dict[str, Grey]) -> None:
    picture = next(iter(phantoms.values()))
    found = linked(
        dict.fromkeys("abcd", picture), patient=["1", "2", "1", "3"],
        split=["train", "test", "train", "train"],
    )  # fmt: skip
    assert [(one, other) for one, other, _ in pairs(found)] == [("a", "c"), ("b", "a"), ("c", "d")]


def test_blank_images_are_no_copies_of_each_other() -> None:
    blanks = {f"{level}.png": np.full((64, 64), level, np.uint8) for level in (0, 0, 9, 200)}
    assert linked({**blanks, "also.png": np.zeros((64, 64), np.uint8)}).empty


def random_hashes(count: int, seed: int = 0) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(0, 2**63, (count, 4)).astype(np.uint64)


def flipped(row: NDArray[np.uint64], bits: NDArray[np.int64]) -> NDArray[np.uint64]:
    row = row.copy()
    for bit in bits:
        row[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return row


@pytest.mark.parametrize("bits_max", [0, 7, 15, 16, 31])
def test_the_search_finds_exactly_what_comparing_all_finds(bits_max: int) -> None:
    rng = np.random.default_rng(bits_max)
    base = random_hashes(300)
    near = [flipped(row, rng.choice(256, rng.integers(0, 40), replace=False)) for row in base[:120]]
    every = np.concatenate([base, near])
    distance = np.bitwise_count(every[:, None] ^ every[None]).sum(axis=2)
    first, second = np.nonzero(np.triu(distance <= bits_max, 1))
    found = hashes.near(every, bits_max)
    np.testing.assert_array_equal(found.first, first)
    np.testing.assert_array_equal(found.second, second)
    np.testing.assert_array_equal(found.bits, distance[first, second])
    assert found.complete
    assert len(first) > 0 or bits_max == 0


def test_hashes_that_are_all_alike_are_compared_one_by_one() -> None:
    rng = np.random.default_rng(3)
    one = random_hashes(1)[0]
    alike = np.stack([flipped(one, rng.choice(256, 8, replace=False)) for _ in range(200)])
    distance = np.bitwise_count(alike[:, None] ^ alike[None]).sum(axis=2)
    assert len(hashes.near(alike, 12).first) == (np.triu(distance <= 12, 1)).sum()


def test_the_search_stops_at_a_bound_and_says_so() -> None:
    rng = np.random.default_rng(3)
    one = random_hashes(1)[0]
    alike = np.stack([flipped(one, rng.choice(256, 8, replace=False)) for _ in range(100)])
    found = hashes.near(alike, 31, pairs_max=50)
    assert (len(found.first), found.complete) == (50, False)


def test_hashes_are_read_from_hexadecimal() -> None:
    read = hashes.parse(["0" * 64, "0" * 63 + "3"])
    assert np.bitwise_count(read[0] ^ read[1]).sum() == 2
    assert len(hashes.near(hashes.parse([]), 31).first) == 0


NIH = Path(__file__).parents[3] / "shared" / "nih" / "images-512"


@pytest.mark.real_data
def test_real_films_of_one_patient_are_told_from_copies() -> None:
    if not NIH.is_dir():
        pytest.skip("no NIH images beside the checkout")
    names = sorted(path.name for path in NIH.iterdir())[:80]
    films = {
        name: np.asarray(cv2.imread(str(NIH / name), cv2.IMREAD_GRAYSCALE), np.uint8)
        for name in names
    }
    assert pairs(linked(films)) == []
    changed = {f"z{name}": jpeg(film) for name, film in films.items()}
    found = linked({**films, **changed})
    assert [(one, other) for one, other, _ in pairs(found)] == [(n, f"z{n}") for n in names]
