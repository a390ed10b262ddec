"""A proxy on loopback that writes down what it is asked for, and refuses it with a 503."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Proxy:
    """Where it listens, and the first line of every request that came."""

    url: str
    requests: list[str] = field(default_factory=list)

    def variables(self) -> dict[str, str]:
        """The environment that sends everything through it, with no exception for loopback."""
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return {spelling: self.url for name in names for spelling in (name, name.lower())}


@contextmanager
def refusing_proxy(log: Path | None = None) -> Iterator[Proxy]:
    """Run the proxy for the `with` block; `log` also gets a line per request."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline().decode("latin-1").strip()
            proxy.requests.append(line)
            if log:
                with log.open("a") as file:
                    file.write(f"{line}\n")
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
