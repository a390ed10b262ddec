"""NIH ChestX-ray14: 112,120 frontal chest X-rays of 30,805 patients (Wang et al., CVPR 2017).

From a folder that has them already, from NIH's 12 archives, or from the public Google Cloud bucket.
NIH states that the usage of the data set is unrestricted, and asks for a link to its download site,
an acknowledgement of the NIH Clinical Center, and a citation of the paper.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from thorax.errors import BadInput
from thorax.sources.layout import Archive, Content
from thorax.sources.listing import list_all, read_image
from thorax.sources.nih import archives, bucket, tables
from thorax.sources.nih.config import NihConfig
from thorax.sources.nih.files import ImageSets
from thorax.sources.packing import Packed
from thorax.sources.request import Request

_LICENCE = (
    "unrestricted; link https://nihcc.app.box.com/v/ChestXray-NIHCC, acknowledge the NIH Clinical "
    "Center, cite Wang et al., CVPR 2017 (arXiv 1705.02315)"
)


def build(config: NihConfig, request: Request) -> Content:
    """The images that the named folder or the configured place has, with NIH's tables."""
    folder = request.folder()
    if folder is not None:
        return _from_folder(config, folder, request)
    if config.via == "archives":
        table_folder = _tables_folder(config)
        return _from_archives(table_folder, archives.fetch(config, request), request)
    files, place = bucket.fetch(config, request)
    table_folder = place if tables.find(place, tables.ENTRIES) else _tables_folder(config)
    return _content(table_folder, list(files), files=files, kept=[], request=request)


def origin(config: NihConfig) -> str:
    """The host that a fetch asks."""
    url = config.archives_url if config.via == "archives" else config.bucket_url
    return urlsplit(url).netloc


def _from_folder(config: NihConfig, folder: Path, request: Request) -> Content:
    chosen = ImageSets(folder, request.home)
    loose, kept = chosen.choose(config.images)
    names = [path.name for path in loose.values()]
    names += [name for archive in kept for name in chosen.archives[archive.path]]
    files: dict[str, Path | None] = {path.name: path for path in loose.values()}
    return _content(folder, names, files=files, kept=kept, request=request)


def _from_archives(table_folder: Path, kept: list[Archive], request: Request) -> Content:
    listed = list_all([(archive.path, archive.sha256 or "") for archive in kept], request.home)
    names = [name for archive in kept for name in listed[archive.path]]
    return _content(table_folder, names, files={}, kept=kept, request=request)


def _content(
    table_folder: Path,
    names: list[str],
    *,
    files: dict[str, Path | None],
    kept: list[Archive],
    request: Request,
) -> Content:
    """The content of `names`: loose `files` (None where packed already) and `kept` archives."""
    images = {tables.stem_of(name): name for name in names}
    if len(images) < len(names):
        raise BadInput(
            f"{len(names) - len(images):,} images are there twice, by their names without suffix"
        )
    rows, labels = tables.read(table_folder, images)
    with_row = set(rows["entries"]["image"])
    wanted = {name: files[name] for name in sorted(files) if name in with_row}
    sizes = {name: path.stat().st_size for name, path in wanted.items() if path is not None}
    return Content(
        identity={
            "source": "nih",
            "release": "ChestX-ray14",
            "label_table": labels,
            "licence": _LICENCE,
        },
        tables=rows,
        images=_read(wanted, request.packed),
        total=len(wanted),
        archives=kept,
        size_bytes=sum(size for name, size in sizes.items() if not request.packed.has(name, size)),
    )


def _read(files: dict[str, Path | None], packed: Packed) -> Iterator[tuple[str, bytes]]:
    for name, path in files.items():
        yield name, read_image(path) if path is not None else packed.read(name) or b""


def _tables_folder(config: NihConfig) -> Path:
    """The folder that the settings name, looked into before gigabytes are fetched."""
    folder = Path(config.tables or ".").expanduser().absolute()
    if config.tables is not None and folder.is_dir() and tables.find(folder, tables.ENTRIES):
        return folder
    wrong = "is not set" if config.tables is None else f"names {folder}, which has none"
    raise BadInput(
        f"NIH's tables are not fetched with its images, and sources.nih.tables {wrong}: get "
        f"{tables.ENTRIES[0]}, {tables.BOXES} and {' and '.join(tables.LISTS)} from "
        "https://nihcc.app.box.com/v/ChestXray-NIHCC, and set sources.nih.tables in params.yaml to "
        "their folder, for example `tables: ~/nih-tables` under `nih:`"
    )
