import os
from pathlib import Path

import pytest

from tests.sources.conftest import Hospital, png, write_rows
from thorax.errors import BadInput
from thorax.sources.config import SourcesConfig
from thorax.sources.fingerprint import is_current
from thorax.sources.phantom.source import PhantomConfig
from thorax.sources.pull import pull


def _current(hospital: Hospital, config: SourcesConfig, from_path: Path | None = None) -> bool:
    return is_current(config, from_path=from_path, data=hospital.data, home=hospital.home)


def test_a_source_is_current_until_an_image_comes(hospital: Hospital) -> None:
    assert not _current(hospital, hospital.config())
    hospital.pull()
    assert _current(hospital, hospital.config())
    hospital.add(50)
    assert not _current(hospital, hospital.config())


def test_an_image_that_comes_during_a_pull_is_not_taken_for_seen(hospital: Hospital) -> None:
    def free_bytes(_: Path) -> int:
        (hospital.folder / "900.png").write_bytes(png(900))  # after the listing, before the packing
        return 1 << 40

    assert hospital.pull(free=free_bytes).images == 7
    assert not _current(hospital, hospital.config())


@pytest.mark.parametrize("name", ["table", "boxes"])
def test_a_table_outside_the_folder_of_images_is_looked_at(
    hospital: Hospital, tmp_path: Path, name: str
) -> None:
    table = (hospital.folder / "entries.csv").rename(tmp_path / "table.csv")
    header = ("image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px")
    boxes = tmp_path / "boxes.csv"
    write_rows(boxes, header, [("000.png", "Mass", 1, 2, 3, 4, 16)])
    config = hospital.config(table=str(table), boxes="../boxes.csv")
    hospital.pull(config=config)
    assert _current(hospital, config)
    os.utime({"table": table, "boxes": boxes}[name], (1, 1))
    assert not _current(hospital, config)


def test_a_link_to_nowhere_is_passed_over(hospital: Hospital) -> None:
    (hospital.folder / "gone.png").symlink_to("nowhere.png")
    hospital.pull()
    assert _current(hospital, hospital.config())


def test_a_folder_named_for_the_phantom_is_refused(hospital: Hospital) -> None:
    config = SourcesConfig(name="phantom", phantom=PhantomConfig(patients=1, size_px=64))
    pull(config, source=None, from_path=None, data=hospital.data, home=hospital.home)
    assert _current(hospital, config)
    with pytest.raises(BadInput, match="the phantom is drawn, not read: leave --from out, or name"):
        _current(hospital, config, hospital.folder)
