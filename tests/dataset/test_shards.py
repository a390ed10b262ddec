"""The pixel cache: what is decoded once, by whom, and what happens when a builder dies."""

import io
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from thorax import artifacts, images
from thorax.dataset import archive, pixels, shards
from thorax.errors import BadInput

Pack = Callable[[Path, str, list[tuple[str, bytes]]], None]

REPOSITORY = Path(__file__).parents[2]


def png(levels: np.ndarray) -> bytes:
    return cv2.imencode(".png", levels)[1].tobytes()


@pytest.fixture
def checkout(tiny_checkout: Path) -> Path:
    return tiny_checkout


def built(root: Path, size_px: int = 32, processes: int | None = None) -> list[shards.Shard]:
    return shards.ensure(archive.listed(root / "data"), size_px, processes=processes)


def test_frames_are_what_the_decoder_and_the_resizer_give(checkout: Path) -> None:
    for shard in built(checkout):
        files = dict(archive.members(archive.Archive("", checkout / "data" / shard.archive, "")))
        frames = shard.pixels()
        assert frames.shape == (len(files), 32, 32)
        for row in shard.index().itertuples():
            expected = images.to_frame(images.decode(files[str(row.image)]).pixels, 32)
            np.testing.assert_array_equal(frames[row.row], expected)


def test_any_number_of_processes_gives_the_same_bytes(checkout: Path) -> None:
    digests = set()
    for processes in (0, 2):
        shutil.rmtree(shards.shards_home(), ignore_errors=True)
        for shard in built(checkout, processes=processes):
            digests.add(
                (shard, *(artifacts.sha256_file(p) for p in sorted(shard.folder.iterdir())))
            )
    assert len(digests) == 2  # two archives, each once


def test_a_shard_that_is_there_is_not_built_again(checkout: Path) -> None:
    before = [shard.folder.stat().st_ino for shard in built(checkout)]
    assert [shard.folder.stat().st_ino for shard in built(checkout)] == before


def test_another_size_is_another_shard(checkout: Path) -> None:
    assert {s.name for s in built(checkout, 32)}.isdisjoint({s.name for s in built(checkout, 16)})


@pytest.mark.parametrize("spoil", ["pixels.npy", "index.parquet", "shard.json"])
def test_a_shard_that_lost_a_file_is_built_again(checkout: Path, spoil: str) -> None:
    first = built(checkout)[0]
    (first.folder / spoil).unlink()
    assert built(checkout)[0] == first
    assert (first.folder / spoil).is_file()


def test_a_shard_that_was_cut_short_is_built_again(checkout: Path) -> None:
    first = built(checkout)[0]
    os.truncate(first.folder / "pixels.npy", 200)
    assert built(checkout)[0].pixels().shape == (first.images, 32, 32)


def test_tar_gz_reads_as_tar_does(checkout: Path, pack: Pack) -> None:
    data = checkout / "data"
    plain = archive.listed(data)[0]
    files = list(archive.members(plain))
    pack(data, "0009.tar.gz", [(f"images/{name}", content) for name, content in files])
    zipped = archive.listed(data)[-1]
    assert list(archive.members(zipped)) == files
    one, other = shards.ensure([zipped, plain], 32)
    assert one.pixels_sha256 == other.pixels_sha256


def bad_files() -> dict[str, tuple[bytes, str]]:
    grey = np.full((40, 50), 90, np.uint8)
    whole = png(grey)
    return {
        "truncated.png": (whole[: len(whole) // 2], "cut short"),
        "empty.png": (b"", "empty"),
        "text.png": (b"not an image", "neither PNG nor JPEG"),
    }


def test_unreadable_files_get_a_reason_and_no_row(checkout: Path, pack: Pack) -> None:
    good = png(np.full((40, 50), 90, np.uint8))
    files = [(name, content) for name, (content, _) in bad_files().items()]
    pack(checkout / "data", "0003.tar", [("a.png", good), *files, ("z.png", good)])
    shard = built(checkout)[-1]
    index = shard.index().set_index("image")
    assert shard.images == 2
    assert index.loc[["a.png", "z.png"], "row"].tolist() == [0, 1]
    for name, (content, reason) in bad_files().items():
        assert index.loc[name, "row"] == -1
        assert reason in index.loc[name, "reason"]
        assert pd.isna(index.loc[name, "width_px"])
        assert index.loc[name, "sha256"] == artifacts.sha256_bytes(content)


def test_colour_and_16_bit_files_are_read_and_measured(checkout: Path, pack: Pack) -> None:
    rgba = np.dstack([np.full((8, 16), 120, np.uint8)] * 3 + [np.full((8, 16), 255, np.uint8)])
    deep = np.full((8, 16), 2048, np.uint16)
    black_and_white = np.repeat(np.array([[0], [255]], np.uint8), 10, axis=1)
    files = [("rgba.png", png(rgba)), ("deep.png", png(deep)), ("bw.png", png(black_and_white))]
    pack(checkout / "data", "0003.tar", files)
    index = built(checkout)[-1].index().set_index("image")
    rows = index[["width_px", "height_px", "channels", "bit_depth", "mean_level", "std_level"]]
    assert rows.loc["rgba.png"].tolist() == [16, 8, 4, 8, 120, 0]
    assert rows.loc["deep.png"].tolist() == [16, 8, 1, 16, 128, 0]
    assert rows.loc["bw.png"].tolist() == [10, 2, 1, 8, 127.5, 127.5]
    assert index.loc["bw.png", ["low_share", "high_share"]].tolist() == [0.5, 0.5]


class Zeros(io.RawIOBase):
    """So many zeros, of which only a piece exists at a time."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        size = self.left if size < 0 else min(size, self.left)
        self.left -= size
        return bytes(size)


def test_a_huge_member_is_passed_over_in_little_memory(checkout: Path, pack: Pack) -> None:
    good = png(np.full((40, 50), 90, np.uint8))
    pack(checkout / "data", "0003.tar.gz", [("a.png", good)])
    path = checkout / "data/images/0003.tar.gz"
    size = 2**29
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in (("a.png", good), ("bomb.png", None), ("z.png", good)):
            member = tarfile.TarInfo(name)
            member.size = size if content is None else len(content)
            tar.addfile(member, Zeros(size) if content is None else io.BytesIO(content))
    bombed = archive.Archive("images/0003.tar.gz", path, artifacts.sha256_file(path), 3)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [shard] = shards.ensure([bombed], 32)
    index = shard.index().set_index("image")
    assert index["row"].to_dict() == {"a.png": 0, "bomb.png": -1, "z.png": 1}
    assert "536,870,912 bytes" in index.loc["bomb.png", "reason"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_a_huge_header_of_a_member_is_refused(checkout: Path) -> None:
    path = checkout / "data/images/0003.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        member = tarfile.TarInfo("././@LongLink")
        member.type, member.size = tarfile.GNUTYPE_LONGNAME, 2**24
        tar.addfile(member, Zeros(2**24))
    long = archive.Archive("images/0003.tar.gz", path, artifacts.sha256_file(path), 1)
    with pytest.raises(BadInput, match=r"0003\.tar\.gz is no whole tar"):
        shards.ensure([long], 32)


def test_an_archive_with_other_bytes_than_listed_is_refused(checkout: Path) -> None:
    path = checkout / "data" / "images" / "0002.tar"
    path.write_bytes(path.read_bytes()[:-512] + b"x" * 512)
    with pytest.raises(BadInput, match=r"0002\.tar has other bytes"):
        built(checkout)


def test_an_archive_that_is_cut_short_is_refused(checkout: Path) -> None:
    path = checkout / "data" / "images" / "0001.tar"
    path.write_bytes(path.read_bytes()[:3_000])
    cut = archive.Archive("images/0001.tar", path, artifacts.sha256_file(path))
    with pytest.raises(BadInput, match=r"0001\.tar is no whole tar"):
        shards.ensure([cut], 32)
    assert not list(shards.shards_home().glob("*-32-v*/"))


def test_a_missing_archive_is_named(checkout: Path) -> None:
    (checkout / "data" / "images" / "0001.tar").unlink()
    with pytest.raises(BadInput, match=r"0001\.tar is missing"):
        archive.listed(checkout / "data")


def test_two_builders_of_one_shard_do_not_collide(checkout: Path) -> None:
    both = [_start_builder(checkout) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert not list(shards.shards_home().glob(".*"))
    built(checkout)


def test_a_killed_builder_leaves_nothing_that_counts(checkout: Path, pack: Pack) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1024, 1024), np.uint8)
    pack(checkout / "data", "0003.tar", [(f"{n}.png", png(noise)) for n in range(60)])
    builder = _start_builder(checkout)
    _wait_until(lambda: bool(list(shards.shards_home().glob(f".{_name(checkout)}.*"))))
    _wait_until(lambda: bool(_children(builder.pid)))
    workers = _children(builder.pid)
    builder.send_signal(signal.SIGKILL)
    builder.wait(10)
    _wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert not (shards.shards_home() / _name(checkout)).exists()
    shard = built(checkout)[-1]
    assert shard.images == 60
    assert not list(shards.shards_home().glob(".*"))


def _name(root: Path) -> str:
    return shards.shard_name(archive.listed(root / "data")[-1], 32)


def _start_builder(root: Path) -> subprocess.Popen[bytes]:
    code = (
        "from thorax import artifacts\n"
        "from thorax.dataset import archive, shards\n"
        "if __name__ == '__main__':\n"
        "    shards.ensure(archive.listed(artifacts.root() / 'data'), 32, processes=1)\n"
    )
    script = root / "build.py"
    script.write_text(code)
    environment = {**os.environ, "THORAX_ROOT": str(root), "PYTHONPATH": str(REPOSITORY / "src")}
    return subprocess.Popen([sys.executable, str(script)], env=environment)


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it did not happen within 30 s"
        time.sleep(0.01)


def opened(root: Path) -> tuple[pixels.Pixels, pd.DataFrame]:
    found = built(root)
    artifacts.write_json(root / "pixels.json", pixels.to_json(32, found))
    index = pd.concat([shard.index().assign(shard=shard.name) for shard in found])
    return pixels.Pixels.open(root / "pixels.json", root / "data"), index


def test_gather_keeps_the_order_of_the_rows_across_shards(checkout: Path) -> None:
    source, index = opened(checkout)
    rows = index.sample(frac=1, random_state=0)
    together = source.gather(rows)
    assert together.shape == (40, 32, 32)
    for place in range(len(rows)):
        np.testing.assert_array_equal(together[place], source.gather(rows.iloc[[place]])[0])


def test_gather_refuses_an_unreadable_image(checkout: Path) -> None:
    source, index = opened(checkout)
    with pytest.raises(ValueError, match="1 of the rows"):
        source.gather(index.head(2).assign(row=[0, -1]))


def test_a_missing_shard_is_rebuilt_on_opening(checkout: Path) -> None:
    source, index = opened(checkout)
    before = source.gather(index)
    shutil.rmtree(shards.shards_home())
    again = pixels.Pixels.open(checkout / "pixels.json", checkout / "data")
    np.testing.assert_array_equal(again.gather(index), before)


def test_pixels_travel_to_another_process_without_their_frames(checkout: Path) -> None:
    source, index = opened(checkout)
    before = source.gather(index)
    content = pickle.dumps(source)
    assert len(content) < 2_000
    np.testing.assert_array_equal(pickle.loads(content).gather(index), before)


def test_pixels_that_come_out_otherwise_are_refused(checkout: Path) -> None:
    opened(checkout)
    about = artifacts.read_json(checkout / "pixels.json")
    about["shards"][0]["pixels_sha256"] = "0" * 64
    artifacts.write_json(checkout / "pixels.json", about)
    with pytest.raises(BadInput, match=r"0001\.tar came out other"):
        pixels.Pixels.open(checkout / "pixels.json", checkout / "data")


def test_without_shard_and_archive_the_way_back_is_named(checkout: Path) -> None:
    opened(checkout)
    shutil.rmtree(shards.shards_home())
    (checkout / "data" / "images" / "0001.tar").unlink()
    with pytest.raises(BadInput, match="pull the data"):
        pixels.Pixels.open(checkout / "pixels.json", checkout / "data")
