import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.conftest import NIH_STEMS, Checkout, tar_gz, write_rows
from tests.sources.http_server import Site, serve
from thorax.errors import BadInput
from thorax.sources.nih import archives
from thorax.sources.tables import read_rows

Add = Callable[..., None]


def test_the_list_of_nih_s_archives_is_whole() -> None:
    rows = read_rows(Path(archives.__file__).with_name("archives.csv"))
    assert [row["name"] for row in rows] == [
        f"images_{number:03d}.tar.gz" for number in range(1, 13)
    ]
    assert all(len(row["md5"]) == 32 for row in rows)
    assert len({row["md5"] for row in rows}) == len({row["path"] for row in rows}) == 12
    assert round(sum(int(row["bytes"]) for row in rows) / 1e9) == 45


class Mirror:
    """Two archives on a local server, with the list that names them."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        rows = []
        for name, stems in (
            ("images_001.tar.gz", NIH_STEMS[:2]),
            ("images_002.tar.gz", NIH_STEMS[2:]),
        ):
            content = tar_gz(folder / name, folder, stems)
            site.files[f"/{name}"] = content
            rows.append((name, name, len(content), hashlib.md5(content).hexdigest()))
        self.list = folder / "list.csv"
        write_rows(self.list, ("name", "path", "bytes", "md5"), rows)

    def settings(self, tables: Path) -> dict[str, object]:
        quick = {"backoff_s": 0.01, "attempts": 2}
        return {
            "via": "archives",
            "archives": str(self.list),
            "archives_url": self.site.url,
            "tables": str(tables),
            "download": quick,
        }


@pytest.fixture
def mirror(tmp_path: Path, add_images: Add):
    add_images(tmp_path / "mirror")
    with serve(Site()) as site:
        yield Mirror(site, tmp_path / "mirror")


def test_archives_are_fetched_once_and_kept(
    checkout: Checkout, mirror: Mirror, nih_tables: Path
) -> None:
    mirror.site.cut_after["/images_001.tar.gz"] = [200]
    result = checkout.pull(**mirror.settings(nih_tables))
    assert (result.changed, result.images, result.archives) == (True, 5, 2)
    for path, content in mirror.site.files.items():
        assert (checkout.data / "images" / path[1:]).read_bytes() == content
    assert not (checkout.home / "downloads/nih").exists()
    asked = len(mirror.site.asked)
    assert not checkout.pull(**mirror.settings(nih_tables)).changed
    assert len(mirror.site.asked) == asked


def test_an_archive_with_a_wrong_checksum_leaves_no_data(
    checkout: Checkout, mirror: Mirror, nih_tables: Path
) -> None:
    content = mirror.site.files["/images_002.tar.gz"]
    mirror.site.files["/images_002.tar.gz"] = os.urandom(len(content))
    with pytest.raises(BadInput, match=r"images_002\.tar\.gz from .*expected md5 .*, found "):
        checkout.pull(**mirror.settings(nih_tables))
    assert not checkout.data.exists()
    mirror.site.files["/images_002.tar.gz"] = content
    assert checkout.pull(**mirror.settings(nih_tables)).images == 5
    assert [path for path, _ in mirror.site.asked].count("/images_001.tar.gz") == 1


def test_a_fetch_without_tables_says_what_to_set(
    checkout: Checkout, mirror: Mirror, nih_tables: Path
) -> None:
    settings = mirror.settings(nih_tables)
    what_to_set = r"set sources\.nih\.tables in params\.yaml .*, for example `tables: ~/nih-tables`"
    with pytest.raises(BadInput, match=rf"sources\.nih\.tables is not set: .*{what_to_set}"):
        checkout.pull(**{**settings, "tables": None})
    with pytest.raises(BadInput, match=rf"names /nowhere, which has none: .*{what_to_set}"):
        checkout.pull(**{**settings, "tables": "/nowhere"})
    (nih_tables / "Data_Entry_2017_v2020.csv").unlink()
    with pytest.raises(BadInput, match=rf"names {nih_tables}, which has none: .*{what_to_set}"):
        checkout.pull(**settings)
    assert mirror.site.asked == []
