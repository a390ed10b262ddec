"""What a frame looks like: planted faults are seen, whole phantoms and films are left alone."""

from pathlib import Path

import cv2
import imagehash
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from thorax import appearance
from thorax.appearance import WAYS, Way
from thorax.dataset import frames
from thorax.sources.phantom import drawing, patients
from thorax.sources.phantom.source import PhantomConfig

NIH = Path(__file__).parents[2] / "shared" / "nih" / "images-512"

Grey = NDArray[np.uint8]


@pytest.fixture(scope="module")
def phantoms() -> list[Grey]:
    shares = PhantomConfig(patients=12).prevalence
    drawn = [patients.studies(77, patient, shares, 0.0)[0] for patient in range(1, 13)]
    return [drawing.draw(study, seed=77, size_px=128) for study in drawn]


def films(count: int = 60) -> list[Grey]:
    if not NIH.is_dir():
        pytest.skip("no NIH images beside the checkout")
    files = sorted(NIH.iterdir())
    return [
        np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), np.uint8)
        for file in files[:: len(files) // count]
    ]


def seen(image: Grey) -> appearance.Look:
    edges = appearance.edges_of([appearance.shrink(image)])
    return appearance.look(edges, appearance.reference())[0]


def png(levels: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", levels)[1].tobytes()


def measured(levels: NDArray[np.uint8]) -> frames.Measures:
    return frames.make([png(levels)], 64)[0][1]


def test_sixteen_ways_have_sixteen_names_and_the_first_is_upright() -> None:
    assert len({way.name for way in WAYS}) == 16
    assert WAYS[0] == Way(0, False, False)
    assert WAYS[0].name == "upright"
    assert Way(1, True, True).name == "turned 90 mirrored inverted"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_edges_change_as_the_image_does(way: Way) -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    shown = appearance.edges_of([way.show(image)])[0]
    np.testing.assert_allclose(shown, way.show_edges(appearance.edges_of([image])[0]), atol=1e-4)


def test_edges_do_not_depend_on_exposure() -> None:
    image = np.random.default_rng(0).integers(40, 80, (64, 64)).astype(np.uint8)
    np.testing.assert_allclose(
        appearance.edges_of([image]), appearance.edges_of([image * 2 + 20]), atol=1e-3
    )


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_phantoms_are_seen_as_they_are_shown(way: Way, phantoms: list[Grey]) -> None:
    assert [seen(way.show(image)).seen_as for image in phantoms] == [way.name] * len(phantoms)


@pytest.mark.real_data
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_real_films_are_mostly_seen_as_they_are_shown(way: Way) -> None:
    shown = [seen(way.show(film)).seen_as for film in films()]
    assert shown.count(way.name) >= 0.9 * len(shown)  # left and right differ least


def test_no_phantom_looks_strange_and_other_things_do(phantoms: list[Grey]) -> None:
    chests = [seen(image).strangeness for image in phantoms]
    ramp = np.tile(np.linspace(0, 255, 64), (64, 1)).astype(np.uint8)
    blobs = np.zeros((64, 64), np.uint8)
    cv2.circle(blobs, (20, 30), 14, 200, -1)
    for other in (ramp, ramp.T.copy(), blobs):
        assert seen(other).strangeness > 2 * max(chests)


def test_noise_fits_no_way_up(phantoms: list[Grey]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (128, 128), np.uint8)
    assert seen(noise).chest_score < min(seen(image).chest_score for image in phantoms)


def test_the_hash_is_that_of_imagehash(phantoms: list[Grey]) -> None:
    for image in phantoms:
        small = appearance.shrink(image)
        theirs = imagehash.phash(Image.fromarray(small), hash_size=16, highfreq_factor=4)
        assert appearance.perceptual_hash(small) == str(theirs)


def test_letters_are_counted_and_wires_are_not(phantoms: list[Grey]) -> None:
    film = cv2.resize(phantoms[0], (512, 512))
    written = film.copy()
    for line in range(5):
        place = (60, 60 + 22 * line)
        cv2.putText(written, "NAME 0123456 12:30", place, 0, 0.6, 255, 1, cv2.LINE_AA)
    wired = film.copy()
    cv2.line(wired, (80, 0), (140, 511), 255, 3)
    assert measured(written).text_share > 0.001
    assert measured(film).text_share < 0.0005
    assert measured(wired).text_share < 0.0005


def test_faint_letters_are_counted_and_noise_is_not(phantoms: list[Grey]) -> None:
    film = cv2.resize(phantoms[0], (512, 512)) // 2
    faint = film.astype(np.int16)
    mask = np.zeros_like(film)
    for line in range(4):
        cv2.putText(mask, "NAME 0123456 12:30", (60, 60 + 22 * line), 0, 0.5, 1, 1)
    faint += 24 * mask
    noise = np.random.default_rng(2).normal(0, 18, film.shape)
    noisy = (film + 60 + noise).clip(0, 255).astype(np.uint8)
    assert measured(faint.clip(0, 255).astype(np.uint8)).text_share > 0.001
    assert measured(noisy).text_share < 0.0005


def test_files_measured_together_are_measured_as_each_alone(phantoms: list[Grey]) -> None:
    written = cv2.resize(phantoms[1], (200, 300))
    cv2.putText(written, "NAME 0123", (10, 150), 0, 0.6, 255, 1)
    one_pixel, blank = np.full((1, 1), 7, np.uint8), np.full((9, 300), 90, np.uint8)
    contents = [png(image) for image in (*phantoms[:3], written, one_pixel, blank, phantoms[4])]
    contents.insert(2, b"no image")
    together = frames.make(contents, 64)
    alone = [frames.make([content], 64)[0] for content in contents]
    pd.testing.assert_frame_equal(
        *(pd.DataFrame([vars(measures) for _, measures in made]) for made in (together, alone)),
        rtol=1e-4,
    )
    for (frame, _), (its_frame, _) in zip(together, alone, strict=True):
        np.testing.assert_array_equal(frame, its_frame)
    assert [frame is None for frame, _ in together] == [number == 2 for number in range(8)]
    assert frames.make([], 64) == []


def test_levels_of_a_blank_a_black_and_a_white_image_show() -> None:
    half = np.repeat(np.array([[0], [255]], np.uint8), 50, axis=0).repeat(40, axis=1)
    blank = measured(np.full((100, 40), 90, np.uint8))
    assert (blank.mode_share, blank.level_range, blank.phash) == (1.0, 0.0, "")
    both = measured(half)
    assert both.low_share == pytest.approx(both.high_share) == pytest.approx(0.5)
    assert both.level_range == 255
    assert both.phash


def test_many_rows_tell_as_much_as_all(phantoms: list[Grey]) -> None:
    image = cv2.resize(phantoms[0], (1024, 1024))
    sampled = measured(image)
    assert sampled.mean_level == pytest.approx(image.mean(), abs=0.5)
    assert sampled.std_level == pytest.approx(image.std(), abs=0.5)


def test_an_image_with_transparency_is_measured_like_the_grey_one(phantoms: list[Grey]) -> None:
    grey = phantoms[0]
    clear = cv2.merge([grey, grey, grey, np.full_like(grey, 255)])
    one, other = measured(grey), measured(clear)
    assert (one.channels, other.channels) == (1, 4)
    assert one.frame_sha256 == other.frame_sha256
    assert (one.phash, one.seen_as) == (other.phash, other.seen_as)


def test_a_truncated_image_has_a_reason_and_no_measures(phantoms: list[Grey]) -> None:
    content = png(phantoms[0])
    [(frame, measures)] = frames.make([content[: len(content) // 2]], 64)
    assert frame is None
    assert "cut short" in measures.reason
    assert (measures.seen_as, measures.phash, measures.strangeness) == ("", "", None)
