"""The settings of the NIH ChestX-ray14 source."""

from typing import Literal

from pydantic import Field

from thorax.config import Config
from thorax.sources.transfer import DownloadConfig


class NihConfig(Config):
    """Where NIH's images and tables are fetched when a pull names no folder that has them."""

    images: str | None = None
    """Where a folder has several sets of the same images, the sub-folder to take ("archives" for
    the tar files); None takes the set with the most images."""
    via: Literal["archives", "bucket"] = "archives"
    """Fetch NIH's 12 archives, or the single files of the public Google Cloud bucket."""
    tables: str | None = None
    """The folder with NIH's tables, for a fetch: neither place is sure to have them."""
    archives: str | None = None
    """A CSV with the archives to fetch (name, path, bytes, md5); None is NIH's list of 12."""
    archives_url: str = "https://nihcc.box.com/shared/static"
    """Where the archives' paths start; a mirror may stand here."""
    bucket: str = "gcs-public-data--healthcare-nih-chest-xray"
    """The Google Cloud bucket."""
    prefix: str = "png/"
    """The start of the images' names in the bucket."""
    bucket_url: str = "https://storage.googleapis.com"
    """Where the Cloud Storage JSON API answers."""
    project: str | None = None
    """The Google Cloud project that pays for reading the bucket (it is "requester pays"); None asks
    without signing in."""
    page_names: int = Field(default=1000, ge=1, le=1000)
    """Names to one page of the bucket's listing."""
    download: DownloadConfig = DownloadConfig()
    """How files are fetched."""
