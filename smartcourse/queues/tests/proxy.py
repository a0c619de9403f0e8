"""A TCP proxy in front of a broker: lets everything through, nothing (as if unplugged), or ends all connections."""

from __future__ import annotations

import contextlib
import socket
import threading


class Proxy:
    """Listens on a port of its own and forwards to `target`; `silence()` is a network that swallows packets."""

    def __init__(self, host: str, target_port: int, *, port: int = 0) -> None:
        self.target = (host, target_port)
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def silence(self) -> None:
        """Swallow what is sent from now on, and accept connections without a word."""
        self._open.clear()

    def heal(self) -> None:
        """Forward again; connections that were silent are ended, as a broker that comes back ends them."""
        self.cut()
        self._open.set()

    def cut(self) -> None:
        """End all connections."""
        taken, self._sockets = self._sockets, []
        for one in taken:
            end(one)

    def close(self) -> None:
        """End the proxy."""
        end(self._listener)
        self._acceptor.join()
        self._open.set()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            if self._open.is_set():
                server = socket.create_connection(self.target)
                self._sockets.append(server)
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self._open.is_set():
                    sink.sendall(data)
        end(source)
        end(sink)


def end(one: socket.socket) -> None:
    # Without the shutdown, who waits in recv() or accept() would go on waiting.
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
