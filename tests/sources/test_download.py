import base64
import hashlib
import os
from pathlib import Path

import pytest

from tests.sources.http_server import Site, serve
from thorax.errors import BadInput, NetworkError
from thorax.sources.checksums import Checksum, crc32c
from thorax.sources.download import fetch
from thorax.sources.transfer import Download, DownloadConfig

CONFIG = DownloadConfig(parallel=3, timeout_s=5, attempts=3, backoff_s=0.01)
CONTENT = os.urandom(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def site():
    with serve(Site(files={"/a": CONTENT}, tags={"/a": '"one"'})) as site:
        yield site


def _download(site: Site, folder: Path, *, md5: str | None = MD5, path: str = "/a") -> Download:
    checksum = Checksum("md5", md5) if md5 else None
    return Download(site.url + path, folder / path[1:], len(CONTENT), checksum)


def test_many_files_arrive_whole_and_a_second_run_asks_for_nothing(site, tmp_path):
    site.files = {f"/{name}": os.urandom(1000 + name) for name in range(20)}
    downloads = [
        Download(site.url + path, tmp_path / path[1:], len(content), None)
        for path, content in site.files.items()
    ]
    assert fetch(downloads, CONFIG, purpose="test") == 20
    assert all(one.path.read_bytes() == site.files[f"/{one.path.name}"] for one in downloads)
    asked = len(site.asked)
    assert fetch(downloads, CONFIG, purpose="test") == 0
    assert len(site.asked) == asked == 20


def test_a_cut_connection_is_resumed_where_it_broke(site, tmp_path):
    site.cut_after["/a"] = [100_000, 50_000]
    fetch([_download(site, tmp_path)], CONFIG, purpose="test")
    assert (tmp_path / "a").read_bytes() == CONTENT
    ranges = [asked for _, asked in site.asked]
    assert ranges[0] is None
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in ranges[1:]]
    assert starts == [100_000, 150_000]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_broken_run_received_is_continued_by_the_next_one(site, tmp_path):
    once = CONFIG.model_copy(update={"attempts": 1})
    site.cut_after["/a"] = [120_000, 0]
    with pytest.raises(NetworkError, match="120,000 of 300,000 bytes are kept"):
        fetch([_download(site, tmp_path)], once, purpose="test")
    fetch([_download(site, tmp_path)], CONFIG, purpose="test")
    assert site.asked[-1] == ("/a", "bytes=120000-")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_begins_anew(site, tmp_path):
    (tmp_path / "a.part").write_bytes(b"old" * 1000)
    (tmp_path / "a.part.etag").write_text('"zero"')
    fetch([_download(site, tmp_path, md5=None)], CONFIG, purpose="test")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_all_again(site, tmp_path):
    site.ignores_ranges = True
    site.cut_after["/a"] = [100_000]
    fetch([_download(site, tmp_path)], CONFIG, purpose="test")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_part_of_unknown_origin_is_not_continued_without_checksum(site, tmp_path):
    site.tags.clear()
    (tmp_path / "a.part").write_bytes(b"x" * 1000)
    fetch([_download(site, tmp_path, md5=None)], CONFIG, purpose="test")
    assert site.asked == [("/a", None)]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_begins_anew(site, tmp_path):
    (tmp_path / "a.part").write_bytes(b"x" * (len(CONTENT) + 5))
    fetch([_download(site, tmp_path)], CONFIG, purpose="test")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_wrong_checksum_deletes_the_part_and_says_what_was_found(site, tmp_path):
    wrong = "0" * 32
    with pytest.raises(BadInput, match=rf"a from .*expected md5 {wrong}, found {MD5}"):
        fetch([_download(site, tmp_path, md5=wrong)], CONFIG, purpose="test")
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(site, tmp_path):
    site.answers["/a"] = [503, 429]
    fetch([_download(site, tmp_path)], CONFIG, purpose="test")
    assert len(site.asked) == 3
    with pytest.raises(BadInput, match="404"):
        fetch([_download(site, tmp_path, path="/none")], CONFIG, purpose="test")
    assert [path for path, _ in site.asked].count("/none") == 1


def test_a_server_that_stays_busy_or_away_is_a_network_error(site, tmp_path):
    site.answers["/a"] = [503] * CONFIG.attempts
    with pytest.raises(NetworkError, match="the server answers 503, 3 times without a byte"):
        fetch([_download(site, tmp_path)], CONFIG, purpose="test")
    away = Download("http://127.0.0.1:1/a", tmp_path / "a", len(CONTENT))
    with pytest.raises(NetworkError, match="ConnectError"):
        fetch([away], CONFIG, purpose="test")


def test_one_failing_file_ends_the_run_and_keeps_what_was_fetched(site, tmp_path):
    one_at_a_time = CONFIG.model_copy(update={"parallel": 1})
    downloads = [_download(site, tmp_path), _download(site, tmp_path, path="/none")]
    with pytest.raises(BadInput, match="/none"):
        fetch(downloads, one_at_a_time, purpose="test")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_too_little_space_is_said_before_anything_is_asked(site, tmp_path):
    with pytest.raises(BadInput, match=r"needs 300 kB .* 299 kB are free"):
        fetch([_download(site, tmp_path)], CONFIG, purpose="test", free=lambda _: 299_000)
    assert site.asked == []


def test_an_empty_file_arrives(site, tmp_path):
    site.files["/empty"] = b""
    fetch([Download(f"{site.url}/empty", tmp_path / "empty", 0)], CONFIG, purpose="test")
    assert (tmp_path / "empty").read_bytes() == b""


def test_crc32c_is_that_of_rfc_3720(tmp_path):
    digits = b"123456789"
    assert crc32c(digits) == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(digits[4:], crc32c(digits[:4])) == 0xE3069283
    path = tmp_path / "digits"
    path.write_bytes(digits)
    listed = base64.b64encode(bytes.fromhex("e3069283")).decode()
    checksum = Checksum.from_base64("crc32c", listed)
    assert checksum.of_file(path) == checksum.digest == checksum.of_bytes(digits)
