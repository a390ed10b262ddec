"""The overlay: weak heat leaves the film as it is, strong heat and boxes show where they should."""

import cv2
import numpy as np

from thorax.findings import FINDINGS
from thorax.inference.boxes import Box
from thorax.inference.colours import COLOURS
from thorax.inference.overlay import Layers, overlay

GREY = np.full((64, 64), 90, np.uint8)


def drawn(layers: Layers, size_px: int = 256) -> np.ndarray:
    png = overlay(GREY, layers, size_px=size_px)
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def box(x: float, y: float, side: float) -> Box:
    return Box("Mass", x, y, side, side, 1024, 0.9, "paper")


def changed(picture: np.ndarray) -> np.ndarray:
    return (picture != 90).any(axis=2)


def test_no_layers_give_the_film_itself() -> None:
    picture = drawn(Layers())
    assert picture.shape == (256, 256, 3)
    assert not changed(picture).any()


def test_heat_tints_its_place_and_leaves_the_rest() -> None:
    heatmap = np.zeros((8, 8), np.float32)
    heatmap[6, 1] = 1.0
    picture = drawn(Layers(heatmap=heatmap))
    assert changed(picture)[208, 48]
    assert not changed(picture)[:128, 128:].any()


def test_the_same_heat_has_the_same_colour_whatever_the_scale_of_the_heatmap() -> None:
    heatmap = np.zeros((8, 8), np.float32)
    heatmap[6, 1] = 1.0
    strong = drawn(Layers(heatmap=heatmap, probability=0.9))
    assert (strong == drawn(Layers(heatmap=50 * heatmap, probability=0.9))).all()
    weak = drawn(Layers(heatmap=heatmap, probability=0.1))
    differences = [np.abs(each.astype(int) - 90).sum() for each in (weak, strong)]
    assert 0 < differences[0] < differences[1] / 2


def test_a_finding_at_probability_0_00_has_no_heat_and_the_legend_says_so() -> None:
    heatmap = np.eye(8, dtype=np.float32)
    assert not changed(drawn(Layers(heatmap=heatmap, probability=0.004))).any()
    none, some = (
        drawn(Layers(heatmap=heatmap, probability=p, caption="Mass"))[256:] for p in (0.004, 0.4)
    )
    assert none.shape == some.shape and (none != some).any()


def test_boxes_of_two_findings_have_two_colours() -> None:
    other = Box("Nodule", 256, 256, 512, 512, 1024, 0.9, "paper")
    first, second = (drawn(Layers(predicted=[each])) for each in (box(256, 256, 512), other))
    assert tuple(first[64, 64]) != tuple(second[64, 64])
    assert len(set(COLOURS.values())) == len(FINDINGS) and set(COLOURS) == set(FINDINGS)


def test_a_flat_heatmap_tints_nothing() -> None:
    assert not changed(drawn(Layers(heatmap=np.ones((8, 8), np.float32)))).any()


def test_boxes_are_drawn_at_their_place_in_the_frame() -> None:
    rows, columns = np.nonzero(changed(drawn(Layers(predicted=[box(256, 512, 256)]))))
    # a smoothed line covers one pixel more to either side
    assert (columns.min(), columns.max()) == (64 - 1, 128 + 1)
    assert (rows.min(), rows.max()) == (128 - 1, 192 + 1)


def test_true_boxes_are_dashed_and_of_another_colour() -> None:
    solid = drawn(Layers(predicted=[box(256, 256, 512)]))
    dashed = drawn(Layers(true=[box(256, 256, 512)]))
    assert 0 < changed(dashed).sum() < 0.8 * changed(solid).sum()
    assert tuple(solid[64, 64]) != tuple(dashed[64, 64])


def test_a_box_that_touches_the_frame_is_whole() -> None:
    picture = drawn(Layers(predicted=[box(0, 0, 1024)]))
    assert changed(picture)[[0, -1]].all()
    assert changed(picture)[:, [0, -1]].all()


def test_a_caption_stands_below_the_film() -> None:
    picture = drawn(Layers(predicted=[box(0, 0, 10)], caption="Mass 0.90"))
    assert picture.shape[0] > 256
    strip = picture[256:]
    assert len(np.unique(strip.reshape(-1, 3), axis=0)) > 2


def test_the_same_layers_give_the_same_bytes() -> None:
    layers = Layers(heatmap=np.eye(8, dtype=np.float32), true=[box(10, 10, 99)], caption="Mass")
    assert overlay(GREY, layers) == overlay(GREY, layers)
