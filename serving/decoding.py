"""Uploads are decoded in processes of their own, each bounded in time and memory.

Decoders are C code that reads what strangers send. What one of them needs too long for, or dies of,
costs the client its answer and the service nothing: the process is started again, and others are
served meanwhile. Run as a module this file is such a process: files in, levels out, on its pipes.
"""

import asyncio
import inspect
import json
import os
import resource
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np

from serving.lifetime import end_with_parent
from thorax.errors import UnreadableImage
from thorax.images import Decoded, ImageWarning, decode

DECODE_WITHIN_S = 20.0
"""Seconds for one image; the costliest that is accepted takes 2 to 3 on a slow core."""
PROCESSES = 2
MEMORY_BYTES = 2 * 2**30
"""Address space of one process."""

_SIZE = struct.Struct(">Q")


class Decoders:
    """A few decoding processes, started when first needed; one image at a time each."""

    def __init__(self, processes: int = PROCESSES, within_s: float = DECODE_WITHIN_S) -> None:
        self._within_s = within_s
        self._free: asyncio.LifoQueue[Process | None] = asyncio.LifoQueue()
        for _ in range(processes):
            self._free.put_nowait(None)

    async def decode(self, content: bytes) -> Decoded:
        """The `Decoded` of an image file's bytes.

        Raises:
            UnreadableImage: as `thorax.images.decode`, or it took too long or too much memory.
        """
        async with self._process() as process:
            head, levels = await asyncio.wait_for(_ask(process, content), self._within_s)
        if "reason" in head:
            raise UnreadableImage(head["reason"])
        return _decoded(head, levels)

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[Process]:
        process = await self._free.get()
        try:
            if process is None or process.returncode is not None:
                process = None
                process = await _start()
            yield process
        except BaseException as error:  # its pipes hold half an answer
            if process is not None and process.returncode is None:
                process.kill()
            process = None
            if isinstance(error, TimeoutError):
                reason = f"it took more than {self._within_s:g} s to decode"
                raise UnreadableImage(reason) from None
            if isinstance(error, (asyncio.IncompleteReadError, ConnectionError)):
                raise UnreadableImage("the decoder failed on it") from None
            raise
        finally:
            self._free.put_nowait(process)


async def _start() -> Process:
    ours, thorax = Path(__file__), Path(inspect.getfile(decode))
    paths = [path.resolve().parents[1] for path in (ours, thorax)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "serving.decoding", stdin=PIPE, stdout=PIPE, env=environment,
        limit=2**20,
    )  # fmt: skip


async def _ask(process: Process, content: bytes) -> tuple[dict[str, Any], bytes]:
    assert process.stdin and process.stdout
    process.stdin.write(_SIZE.pack(len(content)))
    process.stdin.write(content)
    await process.stdin.drain()
    head = await process.stdout.readexactly(_SIZE.unpack(await process.stdout.readexactly(8))[0])
    levels = await process.stdout.readexactly(_SIZE.unpack(await process.stdout.readexactly(8))[0])
    return json.loads(head), levels


def _decoded(head: dict[str, Any], levels: bytes) -> Decoded:
    pixels = np.frombuffer(levels, np.uint8).reshape(head["shape"])
    warnings = tuple(ImageWarning(*each) for each in head["warnings"])
    return Decoded(pixels, head["channels"], head["bit_depth"], warnings)


def _answer(content: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        decoded = decode(content)
    except UnreadableImage as error:
        return {"reason": str(error)}, b""
    except (MemoryError, RecursionError):
        return {"reason": "it takes too much memory to decode"}, b""
    head = {
        "shape": decoded.pixels.shape,
        "channels": decoded.channels,
        "bit_depth": decoded.bit_depth,
        "warnings": [(each.code, each.text) for each in decoded.warnings],
    }
    return head, decoded.pixels.tobytes()


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    while len(size := requests.read(8)) == 8:
        head, levels = _answer(requests.read(_SIZE.unpack(size)[0]))
        for part in (json.dumps(head).encode(), levels):
            answers.write(_SIZE.pack(len(part)))
            answers.write(part)
        answers.flush()


def main() -> None:
    """Decode what comes on standard input until it ends."""
    end_with_parent()
    cv2.setNumThreads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    _serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
