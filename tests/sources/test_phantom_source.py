"""What the phantom delivers: tables, images, and the promises that hold between them."""

import os
import re
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import psutil
import pytest

from thorax import images
from thorax.config import parse
from thorax.errors import BadInput
from thorax.findings import CHESTX_RAY8, FINDINGS
from thorax.sources import layout
from thorax.sources.phantom import png
from thorax.sources.phantom.drawing import draw
from thorax.sources.phantom.patients import studies
from thorax.sources.phantom.source import PhantomConfig, build

SMALL = PhantomConfig(patients=6, size_px=64)


@pytest.fixture(scope="module")
def default() -> layout.Content:
    """The default collection; its images are not drawn."""
    return build(PhantomConfig(), workers=1)


def test_the_same_settings_give_the_same_bytes_with_any_number_of_workers() -> None:
    assert list(build(SMALL, workers=1).images) == list(build(SMALL, workers=2).images)


def test_more_patients_leave_the_earlier_ones_as_they_are() -> None:
    more = SMALL.model_copy(update={"patients": 9})
    few, many = build(SMALL, workers=1), build(more, workers=1)
    assert list(few.images) == list(many.images)[: few.total]
    for name, table in few.tables.items():
        pd.testing.assert_frame_equal(table, many.tables[name].head(len(table)))


@pytest.mark.parametrize("size_px", [64, 300])
def test_the_printed_need_is_what_the_images_take(size_px: int) -> None:
    content = build(PhantomConfig(patients=2, size_px=size_px), workers=1)
    assert content.size_bytes == sum(len(image) for _, image in content.images)


def test_another_seed_gives_other_images() -> None:
    other = SMALL.model_copy(update={"seed": 9})
    assert not set(build(SMALL, workers=1).images) & set(build(other, workers=1).images)


def test_images_come_in_the_order_of_the_entries_and_are_what_was_drawn() -> None:
    content = build(SMALL, workers=2)
    delivered = list(content.images)
    assert [name for name, _ in delivered] == list(content.tables["entries"].image)
    assert len(delivered) == content.total
    prevalence, doubt = SMALL.prevalence, SMALL.doubt_share
    drawn = [
        draw(study, seed=SMALL.seed, size_px=SMALL.size_px)
        for patient in range(1, SMALL.patients + 1)
        for study in studies(SMALL.seed, patient, prevalence, doubt)
    ]
    for (_, content_bytes), pixels in zip(delivered, drawn, strict=True):
        decoded = images.decode(content_bytes)
        assert (decoded.channels, decoded.bit_depth) == (1, 8)
        np.testing.assert_array_equal(decoded.pixels, pixels)


def test_a_reader_that_stops_early_leaves_no_process_behind() -> None:
    content = build(SMALL, workers=2)
    next(content.images)
    content.images.close()  # type: ignore[attr-defined]
    with pytest.raises(StopIteration):
        next(content.images)


def test_drawing_processes_die_with_a_killed_reader(tmp_path: Path) -> None:
    script = tmp_path / "reader.py"
    script.write_text(READER)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()  # drawing has begun
        workers = psutil.Process(reader.pid).children(recursive=True)
        reader.kill()
    assert workers
    gone, alive = psutil.wait_procs(workers, timeout=20)
    assert len(gone) + sum(not _runs(worker) for worker in alive) == len(workers)


def test_a_drawing_process_whose_reader_died_before_it_began_ends_at_once() -> None:
    code = f"from thorax.locks import die_with_parent; die_with_parent({os.getppid()})"
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


READER = """
import time
from thorax.sources.phantom.source import PhantomConfig, build

if __name__ == "__main__":
    images = build(PhantomConfig(patients=40), workers=2).images
    next(images)
    print("drawing", flush=True)
    time.sleep(600)
"""


def test_every_table_has_the_columns_of_the_layout(default: layout.Content) -> None:
    assert {name: tuple(table.columns) for name, table in default.tables.items()} == layout.COLUMNS
    assert default.tables["adjudicated"].empty


def test_entries_give_no_labels_away(default: layout.Content) -> None:
    entries = default.tables["entries"]
    assert (entries.unknown == "|".join(FINDINGS)).all()
    assert (entries.findings == "").all() and (entries.uncertain == "").all()
    assert entries.image.is_unique
    assert entries.age_years.between(18, 95).all()
    assert set(entries.sex) == {"M", "F"} and set(entries["view"]) == {"PA", "AP"}


def test_a_patient_ages_in_order_and_keeps_the_sex(default: layout.Content) -> None:
    for _, studies_ in default.tables["entries"].groupby("patient"):
        assert list(studies_.follow_up) == list(range(len(studies_)))
        assert 1 <= len(studies_) <= 6
        assert studies_.age_years.is_monotonic_increasing
        assert studies_.sex.nunique() == 1


def test_every_finding_is_frequent_enough_to_be_judged(default: layout.Content) -> None:
    truth = default.tables["truth"]
    positives = truth[truth.label == 1].finding.value_counts()
    assert len(truth) == 14 * default.total
    assert 1_400 <= default.total <= 1_600
    assert (positives.reindex(FINDINGS) >= 60).all()
    sick = truth.groupby("image").label.max().mean()
    assert 0.4 < sick < 0.7


def test_boxes_lie_in_the_frame_and_only_on_true_findings(default: layout.Content) -> None:
    boxes = default.tables["boxes"]
    assert (boxes.frame_px == 256).all()
    assert (boxes[["x_px", "y_px"]] >= 0).all(axis=None) and (boxes[["w_px", "h_px"]] >= 2).all(
        axis=None
    )
    assert (boxes.x_px + boxes.w_px <= 256).all() and (boxes.y_px + boxes.h_px <= 256).all()
    truth = default.tables["truth"]
    true = set(map(tuple, truth.loc[truth.label == 1, ["image", "finding"]].to_numpy()))
    assert set(map(tuple, boxes[["image", "finding"]].to_numpy())) <= true
    assert set(boxes.finding) == set(CHESTX_RAY8)


def test_a_boxed_image_has_boxes_for_all_its_first_eight_findings(default: layout.Content) -> None:
    boxes, truth = default.tables["boxes"], default.tables["truth"]
    boxed = set(boxes.image)
    drawn = truth[(truth.label == 1) & truth.image.isin(boxed) & truth.finding.isin(CHESTX_RAY8)]
    assert set(zip(boxes.image, boxes.finding, strict=True)) == set(
        zip(drawn.image, drawn.finding, strict=True)
    )


def test_box_share_none_and_all() -> None:
    none = build(SMALL.model_copy(update={"boxed_share": 0.0}), workers=1).tables["boxes"]
    every = build(SMALL.model_copy(update={"boxed_share": 1.0}), workers=1).tables
    truth = every["truth"]
    expected = truth[(truth.label == 1) & truth.finding.isin(CHESTX_RAY8)].image
    assert none.empty
    assert set(every["boxes"].image) == set(expected)


def test_the_identity_names_every_setting_and_no_place_or_time() -> None:
    identity = build(SMALL, workers=1).identity
    assert identity["source"] == "phantom"
    assert {key: identity[key] for key in SMALL.model_dump()} == SMALL.model_dump()
    assert set(identity) == {"source", "generator", "licence", *SMALL.model_dump()}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sed": 1}, "did you mean 'seed'"),
        ({"prevalence": {"Mass": 0.1}}, "all fourteen"),
        ({"prevalence": dict.fromkeys(FINDINGS, 0.9)}, "between 0 and 0.5"),
        ({"templates": "third"}, "first"),
        ({"patients": 0}, "greater"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse(values, PhantomConfig, "params.yaml: sources.phantom")


@pytest.mark.parametrize("shape", [(1, 1), (3, 70_000), (300, 257)])
def test_png_round_trip_through_an_independent_decoder(shape: tuple[int, int]) -> None:
    pixels = np.arange(shape[0] * shape[1], dtype=np.uint32).astype(np.uint8).reshape(shape)
    read = cv2.imdecode(np.frombuffer(png.encode(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, pixels)


def test_png_data_is_stored_not_compressed() -> None:
    pixels = np.zeros((256, 256), np.uint8)
    content = png.encode(pixels)
    start = content.index(b"IDAT")
    (length,) = struct.unpack(">I", content[start - 4 : start])
    stream = content[start + 4 : start + 4 + length]
    assert stream[2] & 0b110 == 0  # block type 0: stored
    assert zlib.decompress(stream) == b"\0" * 256 * 257
    assert 0 < len(content) - 256 * 257 < 100


def test_the_drawing_does_not_ask_for_the_processors_own_mathematics() -> None:
    """exp, sine, powers and matrix products differ between processors; the code holds none."""
    code = "\n".join((Path(png.__file__).parent / name).read_text() for name in DRAWING_FILES)
    assert not FORBIDDEN.findall(code)


DRAWING_FILES = (
    "anatomy.py", "body.py", "devices.py", "dice.py", "drawing.py", "layer.py",
    "lesions.py", "lungs.py", "pleura.py", "shapes.py",
)  # fmt: skip
FORBIDDEN = re.compile(
    r"np\.(?:exp|log|sin|cos|tan|power|hypot|interp|dot|matmul|mean|linalg|fft|cbrt|random\.d)|cv2|scipy"
)
