"""Real receivers of webhooks on 127.0.0.1, kind and unkind: what the outside world does with a request."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Behaviour = Callable[["Handler"], None]


@dataclass(frozen=True)
class Heard:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server's address, what it heard, and what it does next; `released` lets those go who keep a caller waiting."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    behaviour: Behaviour = field(default_factory=lambda: answering(204))
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        """The webhook-id of every request, in order."""
        return [heard.headers["webhook-id"] for heard in self.heard]


class Handler(BaseHTTPRequestHandler):
    """Keeps what it hears, and does what its receiver is told to."""

    receiver: Receiver

    def do_POST(self) -> None:
        receiver = self.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        receiver.heard.append(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        # Whoever is cut off finds a closed line; that is the test's success, not the server's error.
        with suppress(OSError):
            receiver.behaviour(self)
        self.close_connection = True

    do_GET = do_PUT = do_POST  # noqa: N815 - the names that the base class calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the method it overrides
        """Say nothing on stderr."""


def answering(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer at once with that status."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if status != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def silent(handler: Handler) -> None:
    """Say nothing until released."""
    handler.receiver.released.wait(60)


def dripping(*, headers: bool, every: float = 0.05) -> Behaviour:
    """Say a byte at a time, of the headers or of the body, until released or hung up on."""

    def drip(handler: Handler) -> None:
        start = b"HTTP/1.1 200 OK\r\n"
        handler.wfile.write(start + b"X-Slow: " if headers else start + b"Content-Length: 1000000\r\n\r\n")
        while not handler.receiver.released.wait(every):
            handler.wfile.write(b"z")
            handler.wfile.flush()

    return drip


def huge(size: int) -> Behaviour:
    """Answer 200 with that many bytes."""

    def pour(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        for _ in range(size // 65536):
            handler.wfile.write(b"x" * 65536)

    return pour


def garbage(handler: Handler) -> None:
    """Answer with what is no HTTP."""
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # More callers than five come at once.
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of callers that hung up."""


@contextmanager
def receiving(*, certificate: Path | None = None) -> Iterator[Receiver]:
    """Give a receiver that answers 204 until told otherwise; with a certificate (and its key, in PEM) by TLS."""
    receiver = Receiver()
    server = Server(("127.0.0.1", 0), type("Handler", (Handler,), {"receiver": receiver}))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
