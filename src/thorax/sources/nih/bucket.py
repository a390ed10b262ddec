"""NIH's images one by one from the public Google Cloud bucket.

Source: https://cloud.google.com/healthcare-api/docs/resources/public-datasets/nih-chest
What an earlier pull packed is recognised by the md5 of the listing and not fetched again.
"""

from pathlib import Path, PurePosixPath
from typing import Any

from thorax.errors import BadInput
from thorax.progress import say
from thorax.sources import gcs
from thorax.sources.download import client
from thorax.sources.download import fetch as fetch_files
from thorax.sources.listing import is_image
from thorax.sources.nih.config import NihConfig
from thorax.sources.request import Request
from thorax.sources.transfer import Download

_TABLES = (".csv", ".txt", ".gz")


def fetch(config: NihConfig, request: Request) -> tuple[dict[str, Path | None], Path]:
    """Fetch the listed images and tables.

    Returns:
        file name -> where it lies, None for what is packed already; and the folder of the tables.
    """
    folder = request.home / "downloads" / "nih"
    with client(config.download) as http:
        bucket = gcs.Bucket(http, url=config.bucket_url, name=config.bucket, project=config.project)
        listed = [
            item
            for item in bucket.list(config.prefix, page_names=config.page_names)
            if _wanted(item)
        ]
        if not any(is_image(item["name"]) for item in listed):
            raise BadInput(f"gs://{config.bucket}/{config.prefix} lists no image")
        say(f"gs://{config.bucket}/{config.prefix}: {len(listed):,} files")
        missing = [item for item in listed if not _is_packed(item, request)]
        downloads = [
            Download(
                bucket.media_url(item["name"]),
                folder / _name(item),
                int(item["size"]),
                gcs.checksum(item),
            )
            for item in missing
        ]
        fetch_files(
            downloads,
            config.download,
            purpose="fetching NIH's images",
            headers=bucket.headers,
            free=request.free,
        )
    fetched = {one.path.name: one.path for one in downloads}
    names = [_name(item) for item in listed if is_image(item["name"])]
    return {name: fetched.get(name) for name in sorted(names)}, folder


def _wanted(item: dict[str, Any]) -> bool:
    return is_image(item["name"]) or item["name"].lower().endswith(_TABLES)


def _name(item: dict[str, Any]) -> str:
    return PurePosixPath(item["name"]).name


def _is_packed(item: dict[str, Any], request: Request) -> bool:
    checksum = gcs.checksum(item)
    if checksum is None or not request.packed.has(_name(item), int(item["size"])):
        return False
    return checksum.of_bytes(request.packed.read(_name(item)) or b"") == checksum.digest
