"""What comes before BentoML's own middleware: bounded metrics, and slow senders that harm nobody.

BentoML labels its metrics with the path as it was sent, so that every unknown path would make new
series; and it counts a request against `max_concurrency` from its first byte, so that clients that
send slowly would shut the others out. uvicorn waits for headers without an end. All three are
bounded here; what a body must hold is not decided here.
"""

import asyncio
from typing import Any

import bentoml
import uvicorn.config
from _bentoml_sdk import Service  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

OTHER = "/other"
"""The path that every unknown one becomes: it is answered with 404, and has one label."""

_BENTOML_LIMITS = {"TimeoutMiddleware", "MaxConcurrencyMiddleware"}


class GuardedService(Service[Any]):  # type: ignore[misc]
    """BentoML's service with these bounds around its application."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """BentoML's application, with known routes outermost and whole bodies before its limits."""
        settings = bentoml.use_arguments()
        PromptProtocol.head_within_s = settings.upload_grace_s
        uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:PromptProtocol"
        app: Starlette = super().to_asgi(is_main=is_main)
        stack = app.user_middleware
        names = [getattr(middleware.cls, "__name__", "") for middleware in stack]
        place = next((at for at, name in enumerate(names) if name in _BENTOML_LIMITS), 0)
        bounds = {
            "max_bytes": settings.max_upload_bytes,
            "max_buffered_bytes": settings.max_upload_bytes * settings.max_concurrency,
            "grace_s": settings.upload_grace_s,
            "bytes_per_s_min": settings.upload_bytes_per_s_min,
        }
        stack.insert(place, Middleware(WholeBody, **bounds))
        stack.insert(0, Middleware(KnownRoutes, known=known_routes(self)))
        return app

    @property
    def openapi_spec(self) -> Any:
        """BentoML's description, with every status that `/predict` can answer."""
        from serving.docs import with_every_status

        return with_every_status(super().openapi_spec)


def known_routes(service: Service[Any]) -> frozenset[str]:
    """The paths that have a metric of their own."""
    from serving.docs import ASSETS, PATHS

    system = {"/livez", "/healthz", "/readyz", "/metrics", "/schema.json", "/docs.json"}
    return frozenset(
        system | set(PATHS) | set(ASSETS) | {api.route for api in service.apis.values()}
    )


class KnownRoutes:
    """Hands on the known paths as they are, and every other one as `OTHER`."""

    def __init__(self, app: ASGIApp, *, known: frozenset[str]) -> None:
        self.app = app
        self.known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "lifespan" and scope["path"] not in self.known:
            scope = {**scope, "path": OTHER, "raw_path": OTHER.encode()}
        await self.app(scope, receive, send)


class WholeBody:
    """Hands a request on once its body is whole; one that comes too slowly is answered with 408.

    A body may take `grace_s`, and as much longer as its bytes so far need at `bytes_per_s_min`.
    Bodies in memory, of all requests together, are bounded too.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, max_buffered_bytes: int, grace_s: float,
        bytes_per_s_min: int,
    ) -> None:  # fmt: skip
        self.app = app
        self.max_bytes = max_bytes
        self.max_buffered_bytes = max_buffered_bytes
        self.grace_s = grace_s
        self.bytes_per_s_min = bytes_per_s_min
        self._buffered_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body = bytearray()
        try:
            refusal = await self._read(receive, body)
            if refusal is None:
                await self.app(scope, _replayed(bytes(body), receive), send)
            elif refusal.status_code != _GONE:
                await refusal(scope, receive, send)
        finally:
            self._buffered_bytes -= len(body)
        return None

    async def _read(self, receive: Receive, body: bytearray) -> JSONResponse | None:
        """Read the body into `body`; the answer where it cannot be read whole."""
        start = asyncio.get_running_loop().time()
        while True:
            until = start + self.grace_s + len(body) / self.bytes_per_s_min
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                return _refusal(408, "the request came too slowly: send it again, faster")
            if message["type"] == "http.disconnect":
                return _refusal(_GONE, "the client left")
            chunk = message.get("body", b"")
            body += chunk
            self._buffered_bytes += len(chunk)
            if len(body) > self.max_bytes:
                return _refusal(413, f"larger than {self.max_bytes:,} bytes")
            if self._buffered_bytes > self.max_buffered_bytes:
                return _refusal(429, "Too many requests")
            if not message.get("more_body", False):
                return None


class PromptProtocol(H11Protocol):
    """uvicorn's protocol, which closes connections on which no whole request head arrives."""

    head_within_s = 5.0
    """Seconds that a connection may take for it, or lie idle."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to look after the connection."""
        super().connection_made(transport)
        self.loop.call_later(self.head_within_s, self._close_idle, None)

    def _close_idle(self, before: Any) -> None:
        """Close it when no request has begun since `before`, the request at the last look."""
        if self.transport.is_closing():
            return
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is before:
            self.transport.close()
        else:
            self.loop.call_later(self.head_within_s, self._close_idle, self.cycle)


_GONE = 499  # nobody is there to be answered


def _refusal(status: int, reason: str) -> JSONResponse:
    content = {"error": reason, "warnings": []}
    return JSONResponse(content, status_code=status, headers={"Connection": "close"})


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands over the whole body first."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def hand_over() -> Message:
        return messages.pop() if messages else await receive()

    return hand_over
