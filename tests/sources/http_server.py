"""A real HTTP server on this machine that speaks ranges and misbehaves on demand."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

Route = Callable[[dict[str, str], Mapping[str, str]], tuple[int, bytes]]


@dataclass
class Site:
    """What the server has, how it misbehaves, and what it was asked.

    Attributes:
        files: path -> content.
        tags: path -> ETag; none is sent where it is missing.
        cut_after: path -> lengths in bytes; each request uses one up and is cut after so many.
        answers: path -> status codes that are answered first, one to a request.
        routes: path without query -> what answers (query, headers) with a status and a body.
        ignores_ranges: answer every range with the whole file.
        asked: (path, Range header) of every request, in order.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    answers: dict[str, list[int]] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    ignores_ranges: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    """Serve `site` while the `with` block runs; `site.url` says where."""

    class Handler(_Handler):
        pass

    Handler.site = site
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        path, site = self.path, self.site
        asked = self.headers.get("Range")
        if urlsplit(path).path in site.routes:
            return self._answer_route()
        site.asked.append((path, asked))
        if site.answers.get(path):
            return self._only_status(site.answers[path].pop(0))
        if path not in site.files:
            return self._only_status(404)
        content, tag = site.files[path], site.tags.get(path)
        start = self._start(asked, tag)
        if start >= len(content) > 0:
            return self._only_status(416)
        self.send_response(206 if start else 200)
        if tag:
            self.send_header("ETag", tag)
        if start:
            last = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self._send(path, content[start:])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer_route()

    def _answer_route(self) -> None:
        self.site.asked.append((self.path, None))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        status, body = self.site.routes[parts.path](query, dict(self.headers))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _start(self, asked: str | None, tag: str | None) -> int:
        condition = self.headers.get("If-Range")
        if asked is None or self.site.ignores_ranges or (condition and condition != tag):
            return 0
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        return int(match[1]) if match else 0

    def _send(self, path: str, content: bytes) -> None:
        lengths = self.site.cut_after.get(path)
        if lengths:
            self.wfile.write(content[: lengths.pop(0)])
            self.wfile.flush()
            self.connection.shutdown(2)
            self.close_connection = True
        else:
            self.wfile.write(content)

    def _only_status(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format, args  # the tests' output stays readable
