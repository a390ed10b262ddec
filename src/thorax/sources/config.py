"""The settings of every source: `params.yaml: sources:`."""

from pydantic import Field

from thorax.config import Config
from thorax.sources.folder_config import FolderConfig
from thorax.sources.nih.config import NihConfig
from thorax.sources.openi import OpeniConfig
from thorax.sources.phantom.source import PhantomConfig


class SourcesConfig(Config):
    """Which source a pull asks, and each source's own settings."""

    name: str = "phantom"
    """The source that a pull asks when it is not told another."""
    images_per_archive: int = Field(default=1000, ge=1)
    """Loose images to one archive of `data/images/`."""
    workers: int = Field(default=0, ge=0)
    """Processes that draw or read images at once; 0 is one to a processor."""
    phantom: PhantomConfig = PhantomConfig()
    """The drawn chests."""
    nih: NihConfig = NihConfig()
    """NIH ChestX-ray14."""
    openi: OpeniConfig = OpeniConfig()
    """The OpenI reports."""
    folder: FolderConfig | None = None
    """A folder of images with a table; no default, since its columns must be named."""
