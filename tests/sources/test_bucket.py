import base64
import hashlib
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gcp_storage_emulator.server import create_server

from tests.sources.conftest import NIH_STEMS, png
from tests.sources.http_server import Site, serve
from thorax.errors import BadInput, NetworkError
from thorax.sources import gcs
from thorax.sources.config import SourcesConfig
from thorax.sources.nih.config import NihConfig
from thorax.sources.pull import PullResult, pull

BUCKET = "xray"
IMAGES = {f"png/{stem}.png": png(seed) for seed, stem in enumerate(NIH_STEMS)}


def _pull(folder: Path, url: str, tables: Path | None, **nih: object) -> PullResult:
    settings = NihConfig.model_validate(
        {
            "via": "bucket",
            "bucket": BUCKET,
            "bucket_url": url,
            "tables": str(tables) if tables else None,
            "download": {"backoff_s": 0.01, "attempts": 2},
            **nih,
        }
    )
    config = SourcesConfig(name="nih", nih=settings)
    return pull(config, source=None, from_path=None, data=folder / "data", home=folder / ".thorax")


@pytest.fixture
def emulator() -> Iterator[str]:
    """An emulated Cloud Storage with NIH's images in a bucket; yields where it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    url = f"http://127.0.0.1:{port}"
    for name, content in IMAGES.items():
        _upload(url, name, content)
    yield url
    server.stop()


def _upload(url: str, name: str, content: bytes) -> None:
    query = {"uploadType": "media", "name": name}
    answer = httpx.post(f"{url}/upload/storage/v1/b/{BUCKET}/o", params=query, content=content)
    answer.raise_for_status()


def test_a_bucket_is_pulled_and_grows(emulator: str, nih_tables: Path, tmp_path: Path) -> None:
    result = _pull(tmp_path, emulator, nih_tables)
    assert (result.images, result.entries, result.new_images) == (5, 5, 5)
    assert not _pull(tmp_path, emulator, nih_tables).changed
    _upload(emulator, "png/00000099_000.png", png(99))
    result = _pull(tmp_path, emulator, nih_tables)
    assert (result.images, result.new_images, result.archives) == (6, 1, 2)


def test_tables_in_the_bucket_come_before_those_of_the_folder(
    emulator: str, nih_tables: Path, tmp_path: Path
) -> None:
    for table in nih_tables.iterdir():
        _upload(emulator, f"png/{table.name}", table.read_bytes())
    assert _pull(tmp_path, emulator, None).entries == 5


class FakeCloud:
    """The bucket on a local server: lists in pages, may ask for a paying, signed-in reader."""

    def __init__(self, site: Site, *, payer: str | None = None) -> None:
        self.site, self.payer = site, payer
        self.page_names: list[int] = []
        site.routes[f"/storage/v1/b/{BUCKET}/o"] = self.list
        for name, content in IMAGES.items():
            path = f"/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}"
            site.routes[path] = self.media(content)
        site.routes["/token"] = lambda _query, _headers: (
            200,
            b'{"access_token": "ticket", "expires_in": 3600, "token_type": "Bearer"}',
        )

    def list(self, query: dict[str, str], headers: Mapping[str, str]) -> tuple[int, bytes]:
        if refusal := self.refuse(query, headers):
            return refusal
        start, count = int(query.get("pageToken", 0)), int(query["maxResults"])
        names = [name for name in sorted(IMAGES) if name.startswith(query["prefix"])]
        page = names[start : start + count]
        self.page_names.append(len(page))
        more = {"nextPageToken": str(start + count)} if start + count < len(names) else {}
        return 200, json.dumps({"items": [self.item(name) for name in page], **more}).encode()

    def item(self, name: str) -> dict[str, str]:
        md5 = base64.b64encode(hashlib.md5(IMAGES[name]).digest()).decode()
        return {"name": name, "size": str(len(IMAGES[name])), "md5Hash": md5}

    def media(self, content: bytes) -> Callable[..., tuple[int, bytes]]:
        return lambda query, headers: self.refuse(query, headers) or (200, content)

    def refuse(self, query: dict[str, str], headers: Mapping[str, str]) -> tuple[int, bytes] | None:
        if self.payer is None:
            return None
        if (
            query.get("userProject") == self.payer
            and headers.get("authorization") == "Bearer ticket"
        ):
            return None
        message = "Bucket is a requester pays bucket but no user project provided."
        return 400, json.dumps({"error": {"message": message}}).encode()

    def fetched(self) -> int:
        return sum("alt=media" in path for path, _ in self.site.asked)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site()) as site:
        yield site


def test_a_listing_of_several_pages_is_read_whole_and_nothing_is_fetched_twice(
    site: Site, nih_tables: Path, tmp_path: Path
) -> None:
    cloud = FakeCloud(site)
    assert _pull(tmp_path, site.url, nih_tables, page_names=2).images == 5
    assert cloud.page_names == [2, 2, 1]
    assert cloud.fetched() == 5
    assert not _pull(tmp_path, site.url, nih_tables, page_names=2).changed
    assert cloud.fetched() == 5


def test_a_bucket_that_asks_for_a_payer_says_what_to_set(
    site: Site, nih_tables: Path, tmp_path: Path
) -> None:
    FakeCloud(site, payer="clinic")
    with pytest.raises(
        BadInput, match=r"requester pays bucket.*name your project in sources\.nih\.project"
    ):
        _pull(tmp_path, site.url, nih_tables)


def test_a_project_pays_with_the_machine_s_credentials(
    site: Site, nih_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = FakeCloud(site, payer="clinic")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(_service_account(tmp_path, site.url)))
    assert _pull(tmp_path, site.url, nih_tables, project="clinic").images == 5
    assert cloud.fetched() == 5
    with pytest.raises(BadInput, match="May your account bill project 'other'"):
        _pull(tmp_path, site.url, nih_tables, project="other")


def test_a_project_without_credentials_says_how_to_sign_in(
    site: Site, nih_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(BadInput, match="this machine has no Google credentials"):
        _pull(tmp_path, site.url, nih_tables, project="clinic")


def test_a_listing_that_stays_away_is_a_network_error(
    site: Site, nih_tables: Path, tmp_path: Path
) -> None:
    with pytest.raises(NetworkError, match=r"ConnectError.*pull again later"):
        _pull(tmp_path, "http://127.0.0.1:1", nih_tables)
    site.routes[f"/storage/v1/b/{BUCKET}/o"] = lambda _query, _headers: (503, b"")
    with pytest.raises(NetworkError, match="the server answers 503, 4 times"):
        _pull(tmp_path, site.url, nih_tables)


def test_a_sign_in_that_stays_away_is_a_network_error(
    site: Site, nih_tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeCloud(site, payer="clinic")
    account = _service_account(tmp_path, "http://127.0.0.1:1")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
    with pytest.raises(NetworkError, match="Google's sign-in does not answer"):
        _pull(tmp_path, site.url, nih_tables, project="clinic")


def test_a_bucket_without_images_is_an_error(site: Site, nih_tables: Path, tmp_path: Path) -> None:
    FakeCloud(site)
    with pytest.raises(BadInput, match=r"gs://xray/dicom/ lists no image"):
        _pull(tmp_path, site.url, nih_tables, prefix="dicom/")


def test_parts_put_together_are_checked_by_crc32c() -> None:
    item = {
        "name": "png/x.png",
        "size": "9",
        "crc32c": base64.b64encode(b"\xe3\x06\x92\x83").decode(),
    }
    checksum = gcs.checksum(item)
    assert checksum is not None
    assert checksum.of_bytes(b"123456789") == checksum.digest
    assert gcs.checksum({"name": "png/x.png"}) is None


def _service_account(folder: Path, url: str) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "account.json"
    account = {
        "type": "service_account",
        "project_id": "clinic",
        "private_key_id": os.urandom(4).hex(),
        "private_key": key.decode(),
        "client_email": "reader@clinic.example",
        "token_uri": f"{url}/token",
    }
    path.write_text(json.dumps(account))
    return path
