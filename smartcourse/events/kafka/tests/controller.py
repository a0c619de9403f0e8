"""A controller that knows one deed: creating topics, which librdkafka's mock cluster does not.

It speaks as little of the protocol as the client needs for that, in the oldest versions that it accepts
(kafka.apache.org/protocol: ApiVersions 0, Metadata 1, CreateTopics 4).
"""

from __future__ import annotations

import socketserver
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

METADATA, API_VERSIONS, CREATE_TOPICS = 3, 18, 19
UNSUPPORTED_VERSION, POLICY_VIOLATION = 35, 44
NODE = 1


@dataclass(frozen=True)
class Created:
    """A topic as it was asked for."""

    name: str
    partitions: int
    copies: int
    settings: dict[str, str]


class Words:
    """Reads a request from its front."""

    def __init__(self, request: bytes) -> None:
        self._rest = request

    def number(self, form: str) -> int:
        size = struct.calcsize(form)
        [value] = struct.unpack(form, self._rest[:size])
        self._rest = self._rest[size:]
        return int(value)

    def text(self) -> str:
        length = max(self.number(">h"), 0)
        value, self._rest = self._rest[:length], self._rest[length:]
        return value.decode()

    def times(self) -> range:
        return range(max(self.number(">i"), 0))


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


class Controller:
    """One broker on a port of its own, which creates every topic but the `forbidden` ones."""

    def __init__(self, *, forbidden: tuple[str, ...] = ()) -> None:
        self.created: list[Created] = []
        self._forbidden = forbidden
        controller = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while size := self.rfile.read(4):
                    answer = controller.answer(Words(self.rfile.read(*struct.unpack(">i", size))))
                    self.wfile.write(struct.pack(">i", len(answer)) + answer)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def answer(self, request: Words) -> bytes:
        deed, version, correlation = request.number(">h"), request.number(">h"), request.number(">i")
        request.text()
        answers = {
            METADATA: self._metadata,
            API_VERSIONS: lambda _: self._api_versions(version),
            CREATE_TOPICS: self._create,
        }
        return struct.pack(">i", correlation) + answers[deed](request)

    def _api_versions(self, version: int) -> bytes:
        # To a newer version one answers in the oldest; the client then asks in that one (KIP-511).
        known = ((METADATA, 1, 1), (API_VERSIONS, 0, 0), (CREATE_TOPICS, 4, 4))
        head = struct.pack(">hi", UNSUPPORTED_VERSION if version else 0, len(known))
        return head + b"".join(struct.pack(">hhh", *each) for each in known)

    def _metadata(self, request: Words) -> bytes:
        host, port = self.servers.split(":")
        broker = struct.pack(">ii", 1, NODE) + text(host) + struct.pack(">ih", int(port), -1)
        topics = b"".join(
            struct.pack(">h", 0) + text(topic.name) + struct.pack(">bi", 0, topic.partitions)
            + b"".join(struct.pack(">hiiii", 0, each, NODE, 0, 0) for each in range(topic.partitions))
            for topic in self.created
        )  # fmt: skip
        return broker + struct.pack(">ii", NODE, len(self.created)) + topics

    def _create(self, request: Words) -> bytes:
        verdicts = []
        asked = request.times()
        for _ in asked:
            name, partitions, copies = request.text(), request.number(">i"), request.number(">h")
            assert not request.times(), "nobody assigns partitions by hand"
            settings = {request.text(): request.text() for _ in request.times()}
            if name in self._forbidden:
                verdicts.append(text(name) + struct.pack(">h", POLICY_VIOLATION) + text("not with us"))
            else:
                self.created.append(Created(name, partitions, copies, settings))
                verdicts.append(text(name) + struct.pack(">hh", 0, -1))
        return struct.pack(">ii", 0, len(verdicts)) + b"".join(verdicts)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
