"""The numbers of the release stage, and of the service it packs: `params.yaml: release`."""

from pydantic import Field

from thorax.config import Config


class ServingConfig(Config):
    """How the service runs. They travel in the bento as its arguments, so they are set here."""

    workers: int = Field(default=1, ge=1)
    """Processes that answer requests; each holds its own copy of the model."""
    threads: int = Field(default=2, ge=1)
    """Threads of the ONNX runtime in each worker."""
    max_upload_bytes: int = Field(default=32 * 1024 * 1024, ge=1024)
    """Largest request body in bytes; a larger one is answered with 413."""
    max_concurrency: int = Field(default=16, ge=1)
    """Requests in flight over all workers; one more is answered with 429."""
    timeout_s: float = Field(default=60, gt=0)
    """Seconds after which a request is given up with 504."""
    upload_grace_s: float = Field(default=5, gt=0)
    """Seconds that a request's head may take, and its body unless it keeps up the rate below."""
    upload_bytes_per_s_min: int = Field(default=100_000, ge=1)
    """Bytes a second that a larger body must reach on average; a slower one is answered with 408
    and does not count against `max_concurrency` before it is whole."""


class ReleaseConfig(Config):
    """How the bento is packed, and how many stay."""

    compression: int = Field(default=0, ge=0, le=9)
    """xz preset of the archive; on weights 0 is three times as fast as 1 and no larger."""
    python_version: str = "3.11"
    """Python of the container image that `bentoml containerize` makes of the bento."""
    kept: int = Field(default=3, ge=1)
    """Releases that stay under `.thorax/releases/`, newest first; the last one is served."""
    serving: ServingConfig = ServingConfig()
    """How the service in it runs."""
