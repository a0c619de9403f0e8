"""A small TCP proxy: what stands behind it can be cut off, be silent, or be one of several."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from types import TracebackType
from typing import Self

import httpx

from smartcourse.embedded.processes import free_port

Address = tuple[str, int]
CHUNK = 65_536


class Proxy:
    """Forwards what connects to `port` to the first of the addresses behind it that takes the connection.

    `cut()` ends every connection and refuses new ones, as a server that is down does; `fall_silent()` takes
    connections and bytes, and answers nothing, as a network that swallows packets does; `forward()` ends both.
    """

    def __init__(self, *behind: Address) -> None:
        self.behind = list(behind)
        self.port = free_port()
        self._silent = threading.Event()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.forward()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def forward(self) -> None:
        """Take connections, and pass on what they say; those that met silence are ended, as TCP would in the end."""
        if self._silent.is_set():
            self._silent.clear()
            self._end_connections()
        if self._listener is None:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
            self._listener = listener
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse connections, and end those that there are."""
        if self._listener is not None:
            # A thread that waits in accept() is woken by the shutdown, not by the close.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self._silent.clear()
        self._end_connections()

    def fall_silent(self) -> None:
        """Keep all connections, take new ones, and pass nothing on."""
        self._silent.set()

    def _end_connections(self) -> None:
        with self._lock:
            ended, self._open = self._open, set()
        for one in ended:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = self._connect()
        if server is None:
            client.close()
            return
        with client, server:
            with self._lock:
                self._open |= {client, server}
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()
            with self._lock:
                self._open -= {client, server}

    def _takers(self) -> list[Address]:
        """Return whom to try, the first one first."""
        return list(self.behind)

    def _connect(self) -> socket.socket | None:
        for address in self._takers():
            with contextlib.suppress(OSError):
                return socket.create_connection(address, timeout=2)
        return None

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        source.settimeout(None)
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if not self._silent.is_set():
                    target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


class Balancer(Proxy):
    """Gives connections to those behind it that say at /api/v1/ready that they are; it asks every `ASKS` seconds."""

    ASKS = 0.3

    def __enter__(self) -> Self:
        self._ready: list[Address] = list(self.behind)
        self._gone = threading.Event()
        self._asking = threading.Thread(target=self._ask, daemon=True)
        self._asking.start()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gone.set()
        self._asking.join()
        super().__exit__(kind, error, trace)

    def _takers(self) -> list[Address]:
        return random.sample(self._ready, len(self._ready))

    def _ask(self) -> None:
        while not self._gone.wait(self.ASKS):
            self._ready = [address for address in self.behind if self._is_ready(address)]

    def _is_ready(self, address: Address) -> bool:
        try:
            return httpx.get(f"http://{address[0]}:{address[1]}/api/v1/ready", timeout=2).is_success
        except httpx.TransportError:
            return False
