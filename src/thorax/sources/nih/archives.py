"""NIH's 12 archives, fetched as they are published.

`archives.csv` beside this file: names, Box paths and md5 from NIH's own download page and FAQ
(https://nihcc.app.box.com/v/ChestXray-NIHCC), sizes as its server states them.
"""

from pathlib import Path

from thorax import artifacts
from thorax.sources.checksums import Checksum
from thorax.sources.download import fetch as fetch_files
from thorax.sources.layout import Archive
from thorax.sources.nih.config import NihConfig
from thorax.sources.request import Request
from thorax.sources.tables import number, read_rows
from thorax.sources.transfer import Download

_PUBLISHED = Path(__file__).with_name("archives.csv")


def fetch(config: NihConfig, request: Request) -> list[Archive]:
    """The archives, each where it lies; those that `data/` has already are not fetched again."""
    downloads = _downloads(config, request.home / "downloads" / "nih")
    have = {one.path: one for one in downloads}
    kept: dict[Path, Path] = {}
    for path, one in have.items():
        held = request.data / "images" / path.name
        if Download(one.url, held, one.size_bytes, one.checksum).is_there():
            kept[path] = held
    missing = [one for one in downloads if one.path not in kept]
    fetch_files(missing, config.download, purpose="fetching NIH's archives", free=request.free)
    paths = [kept.get(one.path, one.path) for one in downloads]
    return [Archive(path, artifacts.sha256_file(path)) for path in paths]


def _downloads(config: NihConfig, folder: Path) -> list[Download]:
    table = Path(config.archives).expanduser() if config.archives else _PUBLISHED
    base = config.archives_url.rstrip("/")
    return [
        Download(
            f"{base}/{row['path']}",
            folder / row["name"],
            int(number(row["bytes"], row.where, "bytes", most=1e13)),
            Checksum("md5", row["md5"]),
        )
        for row in read_rows(table, need=("name", "path", "bytes", "md5"))
    ]
