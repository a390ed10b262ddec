"""Patients who were forgotten stay out of every pull, whatever the source and its archives."""

import tarfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.sources.conftest import NIH_STEMS, Checkout, Hospital, png, tar_gz
from thorax import artifacts
from thorax.errors import BadInput, Refused
from thorax.sources import fingerprint, removal, tombstones
from thorax.sources.config import SourcesConfig
from thorax.sources.phantom.source import PhantomConfig
from thorax.sources.pull import pull

DAY = date(2026, 11, 24)


def bury(hospital: Hospital, patient: str, source: str = "folder") -> tombstones.Tombstone:
    path = hospital.checkout / tombstones.FILE
    return tombstones.bury(path, patient, source=source, day=DAY, who="A Tester")


def names(data: Path) -> set[str]:
    found: set[str] = set()
    for archive in (data / "images").iterdir():
        with tarfile.open(archive) as tar:
            found.update(tar.getnames())
    return found


def test_a_tombstone_names_nobody_and_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / tombstones.FILE
    stone = tombstones.bury(path, "P4711", source="folder", day=DAY, who="A Tester")
    assert "4711" not in path.read_text()
    assert "2026-11-24" in path.read_text()
    stones = tombstones.read(path)
    assert tombstones.find(stones, "P4711", source="folder") == stone
    assert tombstones.find(stones, "P4711", source="nih") is None
    assert tombstones.find(stones, "P4712", source="folder") is None
    patients = ["P1", "P4711", "P4712"]
    assert tombstones.matching(stones, patients, source="folder") == {"P4711"}
    assert tombstones.matching(stones, patients, source="nih") == frozenset()


def test_a_second_tombstone_of_a_patient_is_the_first_one(tmp_path: Path) -> None:
    path = tmp_path / tombstones.FILE
    for patient in ("P1", "P2", "P1"):
        tombstones.bury(path, patient, source="folder", day=DAY, who="A Tester")
    assert len(tombstones.read(path)) == 2


def test_tombstones_of_two_branches_with_two_salts_both_count(tmp_path: Path) -> None:
    both = tmp_path / tombstones.FILE
    lines: list[str] = []
    for number in (1, 2):
        path = tmp_path / f"{number}.csv"
        tombstones.bury(path, f"P{number}", source="folder", day=DAY, who="A Tester")
        lines += path.read_text().splitlines()[1 if lines else 0 :]
    both.write_text("\n".join(lines) + "\n")
    stones = tombstones.read(both)
    assert len({stone.salt for stone in stones}) == 2
    assert tombstones.matching(stones, ["P1", "P2", "P3"], source="folder") == {"P1", "P2"}


def test_a_broken_file_of_tombstones_stops_a_pull(hospital: Hospital) -> None:
    (hospital.checkout / tombstones.FILE).write_text("who,when\nme,now\n")
    with pytest.raises(BadInput, match="column"):
        hospital.pull()


def test_the_first_pull_leaves_the_forgotten_out(hospital: Hospital) -> None:
    stone = bury(hospital, "P1")  # images 2 and 3
    hospital.pull()
    assert names(hospital.data) == {f"{number:03d}.png" for number in (0, 1, 4, 5, 6)}
    assert "P1" not in set(pd.read_csv(hospital.data / "entries.csv")["patient"])
    source = artifacts.read_json(hospital.data / "source.json")
    assert source["forgotten"] == [stone.patient_hash]


def test_data_that_still_hold_them_lose_them_by_the_next_pull(hospital: Hospital) -> None:
    hospital.pull()
    bury(hospital, "P1")
    assert hospital.pull().changed
    assert names(hospital.data) == {f"{number:03d}.png" for number in (0, 1, 4, 5, 6)}
    assert not hospital.pull().changed


def test_a_tombstone_of_another_source_changes_nothing(hospital: Hospital) -> None:
    hospital.pull()
    bury(hospital, "P1", source="nih")
    assert not hospital.pull().changed
    assert "forgotten" not in artifacts.read_json(hospital.data / "source.json")


def test_data_without_a_new_tombstone_are_not_current(hospital: Hospital) -> None:
    hospital.pull()
    ask = {"from_path": None, "data": hospital.data, "home": hospital.home}
    assert fingerprint.is_current(hospital.config(), **ask)
    bury(hospital, "P1")
    assert not fingerprint.is_current(hospital.config(), **ask)
    hospital.pull()
    assert fingerprint.is_current(hospital.config(), **ask)


def test_removal_gives_what_a_pull_would_keep(hospital: Hospital) -> None:
    hospital.pull()
    before = {path.name: path.read_bytes() for path in (hospital.data / "images").iterdir()}
    bury(hospital, "P1")
    stones = tombstones.read(hospital.checkout / tombstones.FILE)
    done = removal.remove(
        hospital.data, "P1", stones=stones, per_archive=3, home=hospital.home
    )  # fmt: skip
    assert done.gone.images == {"002.png", "003.png"}
    assert (len(done.packed_again), len(done.untouched)) == (2, 1)
    for name in done.untouched:
        assert (hospital.data / name).read_bytes() == before[Path(name).name]
    assert not set(done.new) & {f"images/{name}" for name in before}
    assert png(2) not in b"".join((hospital.data / name).read_bytes() for name in done.new)
    assert not hospital.pull().changed


def test_removal_of_somebody_who_is_not_there_changes_no_byte(hospital: Hospital) -> None:
    hospital.pull()
    before = {path: path.stat() for path in hospital.data.rglob("*")}
    done = removal.remove(hospital.data, "P99", stones=[], per_archive=3, home=hospital.home)
    assert not done.gone.patients
    assert {path: path.stat() for path in hospital.data.rglob("*")} == before


def test_removal_refuses_data_that_are_not_what_they_say(hospital: Hospital) -> None:
    hospital.pull()
    table = hospital.data / "entries.csv"
    table.write_text(table.read_text() + "x\n")
    with pytest.raises(BadInput, match="is not what its source"):
        removal.remove(hospital.data, "P1", stones=[], per_archive=3, home=hospital.home)


def test_the_last_patient_is_not_removed(hospital: Hospital) -> None:
    hospital.pull()
    for number in range(3):
        removal.remove(hospital.data, f"P{number}", stones=[], per_archive=3, home=hospital.home)
    with pytest.raises(Refused):
        removal.remove(hospital.data, "P3", stones=[], per_archive=3, home=hospital.home)


def test_a_phantom_that_was_forgotten_is_not_drawn_into_the_data_again(tmp_path: Path) -> None:
    config = SourcesConfig(
        name="phantom", images_per_archive=4, phantom=PhantomConfig(patients=4, size_px=64),
        workers=1,
    )  # fmt: skip
    data, home = tmp_path / "data", tmp_path / ".thorax"
    ask = {"source": None, "from_path": None, "data": data, "home": home}
    pull(config, **ask)
    tombstones.bury(
        tmp_path / tombstones.FILE, "00000002", source="phantom", day=DAY, who="A Tester"
    )
    stones = tombstones.read(tmp_path / tombstones.FILE)
    removal.remove(data, "00000002", stones=stones, per_archive=4, home=home)
    before = {path.name: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    assert not pull(config, **ask).changed
    assert {path.name: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before
    more = config.model_copy(update={"phantom": PhantomConfig(patients=5, size_px=64)})
    pull(more, **ask)
    patients = set(pd.read_csv(data / "entries.csv", dtype=str)["patient"])
    assert patients == {"00000001", "00000003", "00000004", "00000005"}
    assert not any(name.startswith("00000002") for name in names(data))


def test_a_published_archive_is_packed_again_without_them_and_the_other_kept(
    checkout: Checkout, nih_tables: Path, add_images: Callable[..., None], tmp_path: Path
) -> None:
    add_images(tmp_path / "loose")
    published = {
        name: tar_gz(nih_tables / name, tmp_path / "loose", stems)
        for name, stems in (
            ("images_001.tar.gz", NIH_STEMS[:3]),
            ("images_002.tar.gz", NIH_STEMS[3:]),
        )
    }
    checkout.pull(nih_tables)
    patient = checkout.table("entries")["patient"][0]
    path = tmp_path / tombstones.FILE
    tombstones.bury(path, patient, source="nih", day=DAY, who="A Tester")
    removal.remove(
        checkout.data, patient, stones=tombstones.read(path), per_archive=1000, home=checkout.home
    )
    images = checkout.data / "images"
    assert sorted(path.name for path in images.iterdir()) == ["0001.tar", "images_002.tar.gz"]
    assert (images / "images_002.tar.gz").read_bytes() == published["images_002.tar.gz"]
    assert names(checkout.data) == {"00000002_000.png"} | set(
        f"images/{stem}.png" for stem in NIH_STEMS[3:]
    )
    assert patient not in set(checkout.table("entries")["patient"])
    before = artifacts.sha256_file(images / "0001.tar")
    assert not checkout.pull(nih_tables).changed
    assert artifacts.sha256_file(images / "0001.tar") == before
