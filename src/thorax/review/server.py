"""The page of a review on 127.0.0.1: plain HTTP, a random token in the address, nothing else.

Who does not know the token, or reaches the server by another name than the loopback's (a page that
points its own name here), gets 403. Serves one reader, and files of the queue alone.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from thorax.errors import BadInput
from thorax.review.session import Session

_HOST = "127.0.0.1"
_HERE = Path(__file__).parent
_FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_MOST_BYTES = 4096  # of a request's body
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; "
    "script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingHTTPServer):
    """Serves one session; `url` is what to open."""

    daemon_threads = True

    def __init__(self, session: Session, *, port: int = 0) -> None:
        try:
            super().__init__((_HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "they end at 65535"
            raise BadInput(f"port {port} cannot be used ({why}): name another") from None
        self.session = session
        self.token = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """The page's address with its token."""
        return f"http://{_HOST}:{self.server_port}/{self.token}/"


class _Refusal(Exception):
    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "thorax"
    sys_version = ""
    timeout = 60  # seconds that a silent connection is kept

    def do_GET(self) -> None:
        self._reply(self._get)

    def do_POST(self) -> None:
        self._reply(self._post)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the address holds the token."""

    def _reply(self, work: Callable[[str], tuple[bytes, str]]) -> None:
        try:
            content, kind = work(self._path())
            status = HTTPStatus.OK
        except _Refusal as refusal:
            content, kind, status = str(refusal).encode(), "text/plain", refusal.status
        except BadInput as error:
            content, kind = str(error).encode(), "text/plain; charset=utf-8"
            status = HTTPStatus.BAD_REQUEST
        if status != HTTPStatus.OK:
            self.close_connection = True  # the body of a refused request may be unread
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(content)))):
            self.send_header(name, value)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _path(self) -> str:
        """What follows the token, or a refusal."""
        host = self.headers.get("Host", "")
        if host not in (
            f"{_HOST}:{self.server.server_port}",
            f"localhost:{self.server.server_port}",
        ):
            raise _Refusal(HTTPStatus.FORBIDDEN, "this page is reached as 127.0.0.1 only")
        token, _, rest = self.path.partition("?")[0].lstrip("/").partition("/")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise _Refusal(HTTPStatus.FORBIDDEN, "open the address that thorax review printed")
        return rest

    def _get(self, path: str) -> tuple[bytes, str]:
        if path in _FILES:
            name, kind = _FILES[path]
            return (_HERE / name).read_bytes(), kind
        if path == "state":
            return _json(self.server.session.state())
        kind, _, number = path.partition("/")
        if kind in ("picture", "heatmap") and number.isdecimal():
            return self._file(kind, int(number)), "image/png"
        raise _Refusal(HTTPStatus.NOT_FOUND, "no such page")

    def _file(self, kind: str, number: int) -> bytes:
        session = self.server.session
        if number < len(session.items):
            file = session.picture(number) if kind == "picture" else session.heatmap(number)
            if file is not None and file.is_file():
                return file.read_bytes()
        raise _Refusal(HTTPStatus.NOT_FOUND, "no such picture")

    def _post(self, path: str) -> tuple[bytes, str]:
        if path == "undo":
            self._body()
            return _json(self.server.session.undo())
        if path == "answer":
            said = self._body()
            return _json(
                self.server.session.answer(
                    str(said.get("image")), str(said.get("finding")), str(said.get("answer"))
                )
            )
        raise _Refusal(HTTPStatus.NOT_FOUND, "no such page")

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a body of at most 4,096 bytes")
        try:
            said = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            raise _Refusal(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
        if not isinstance(said, dict):
            raise _Refusal(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
        return said


def _json(content: dict[str, Any]) -> tuple[bytes, str]:
    return json.dumps(content, allow_nan=False).encode(), "application/json"
