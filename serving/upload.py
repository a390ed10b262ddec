"""The way in: one PNG or JPEG file in the field `image` of a multipart request.

BentoML's own reading of file fields fetches whatever address a client writes into one, and spills
uploads to disk; here an address is refused, and a patient's image stays in memory. What cannot be
accepted becomes a `Received` with a status and a reason, not an exception: it is the client's
mistake, and the log is not the place for it. The file is decoded here, while others are served.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import bentoml
from bentoml.validators import ContentType
from pydantic import Field
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from serving.decoding import Decoders
from thorax.errors import UnreadableImage
from thorax.images import Decoded

FIELD = "image"
_HOW = f"send one PNG or JPEG file in the multipart field {FIELD!r}"


@dataclass(frozen=True)
class Received:
    """What came in: the file's bytes, or the HTTP status and the reason why there are none.

    Attributes:
        content: the file's bytes.
        status: HTTP status of the answer.
        reason: why there is no image.
        decoded: the image, once it was decoded.
    """

    content: bytes = b""
    status: int = 200
    reason: str = ""
    decoded: Decoded | None = None


class Upload(bentoml.IODescriptor):  # type: ignore[misc]
    """The request of `/predict`: its schema, and how its bytes are read."""

    max_bytes: ClassVar[int]

    image: Annotated[Path, ContentType("image/*")] = Field(
        description="A chest X-ray, PNG or JPEG."
    )

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> "Upload":
        """Read the request's file into `image` as a `Received`, with what BentoML passes."""
        received = await receive(request, max_bytes=cls.max_bytes)
        if not received.reason:
            received = await _decode(received.content)
        upload: Upload = cls.model_construct(image=received)
        return upload


@cache
def _decoders() -> Decoders:
    return Decoders()  # on first use: they belong to the loop that serves


async def _decode(content: bytes) -> Received:
    try:
        return Received(decoded=await _decoders().decode(content))
    except UnreadableImage as error:
        return Received(status=400, reason=str(error))


class _TooLarge(Exception):
    pass


async def receive(request: Request, *, max_bytes: int) -> Received:
    """The one file of a multipart request of at most `max_bytes` bytes, or why there is none."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return Received(status=415, reason=_HOW)
    try:
        return await _parse(request, max_bytes)
    except _TooLarge:
        return Received(status=413, reason=f"larger than {max_bytes:,} bytes")
    except MultiPartException as error:
        return Received(status=400, reason=f"{error.message} ({_HOW})")


async def _parse(request: Request, max_bytes: int) -> Received:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _TooLarge
    parser = MultiPartParser(
        request.headers, _bounded(request, max_bytes), max_files=1, max_fields=0, max_part_size=0
    )
    parser.spool_max_size = max_bytes + 1  # in memory, whatever its size
    form = await parser.parse()
    try:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            return Received(status=400, reason=_HOW)
        return Received(await file.read())
    finally:
        await form.close()


async def _bounded(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > max_bytes:
            raise _TooLarge
        yield chunk
