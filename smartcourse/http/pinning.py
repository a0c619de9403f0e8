"""Calling an address that a stranger named: resolved once, checked, and connected to at exactly that address."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import ip_address

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationParseError
from urllib3.util import parse_url

from smartcourse.errors import RuleViolated, Unavailable
from smartcourse.http.addresses import Address, Network, literal, may_be_called

MAXIMUM_LENGTH = 2000
ANSWER_BYTES = 64 * 1024
# The services below 1024 were not made to be spoken HTTP to, and some of them believe what is on their line.
LOW_PORTS = (80, 443)
# Names that a machine or a network gives to itself (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`).
LOCAL_NAMES = re.compile(r"(^|\.)(localhost|local|localdomain|internal|intranet|lan|home\.arpa)$")
# The last part of a name is never a number: 2130706433, 0x7f.1 and 017700000001 are ways to write 127.0.0.1.
NUMERIC = re.compile(r"(^|\.)(0x[0-9a-f]*|[0-9]+)$")
NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*")
# Opening the connection and agreeing on TLS may each take this share; what is left of the time is the answer's.
SHARE_OF_CONNECTING = 0.4


class AddressRefused(RuleViolated):
    """The URL is not one that may be called."""

    code = "address_refused"
    message = "This address may not be called."


class NoAnswer(Unavailable):
    """Nothing, or nothing whole, came back in time."""

    code = "no_answer"
    message = "There was no answer."


@dataclass(frozen=True)
class Target:
    """A URL in its parts, as it is called."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        usual = self.port == (443 if self.scheme == "https" else 80)
        return self.host if usual else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers by lower-case name, and the body as far as it was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def target_of(url: str, *, https_only: bool = True, allowed: Sequence[Network] = ()) -> Target:
    """Return the parts of a URL that has the form of one that may be called; its name is not resolved here.

    Raises:
        AddressRefused: not http(s), a user, a fragment, a low port, a local name, an address that is not public.
    """
    if (
        len(url) > MAXIMUM_LENGTH
        or not url.isascii()
        or not url.isprintable()
        or set(url) & set(' \\"<>^`{|}')
    ):
        raise AddressRefused(
            "The address is not a URL of plain characters (a name like bücher.example is xn--…)."
        )
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise AddressRefused("The address is not a URL.") from None
    if parts.scheme not in {"https"} | ({"http"} if not https_only else set()):
        raise AddressRefused(
            "The address must begin with https://." if https_only else "Only http(s) is spoken."
        )
    if parts.auth is not None or parts.fragment is not None:
        raise AddressRefused("The address must hold no user, no password and no fragment.")
    port = parts.port if parts.port is not None else 443 if parts.scheme == "https" else 80
    if port not in LOW_PORTS and not 1024 <= port <= 65535:
        raise AddressRefused("The port must be 80, 443, or 1024 and above.")
    host = (parts.host or "").lower()
    _check_host(host, allowed)
    return Target(parts.scheme or "", host, port, parts.request_uri)


def _check_host(host: str, allowed: Sequence[Network]) -> None:
    if address := literal(host):
        if not may_be_called(address, allowed=allowed):
            raise AddressRefused("The address is not one of the public Internet.")
        return
    name = host.removesuffix(".")
    if NUMERIC.search(name) or LOCAL_NAMES.search(name) or not NAME.fullmatch(name):
        raise AddressRefused("The address must name a host of the public Internet.")


def resolve(target: Target, *, allowed: Sequence[Network] = (), timeout: float) -> Address:
    """Ask once which addresses the host has, and return the first; all of them must be public.

    Raises:
        AddressRefused: one of them is not.
        NoAnswer: the name is not known, or nobody said so in time.
    """
    found = _look_up(target, timeout) if (fixed := literal(target.host)) is None else [fixed]
    # Which of several is connected to is chance, or the choice of whoever answers for the name.
    if not all(may_be_called(address, allowed=allowed) for address in found):
        raise AddressRefused("The host has an address that is not one of the public Internet.")
    return found[0]


def _look_up(target: Target, timeout: float) -> list[Address]:
    """Return the addresses of the host; the system's resolver knows no deadline, so a thread waits for it."""
    found: list[Address] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(ip_address(answer[4][0]) for answer in answers)

    asking = threading.Thread(target=ask, name="resolver", daemon=True)
    asking.start()
    asking.join(timeout)
    if not (answered := list(found)):
        raise NoAnswer("The host's name has no address.")
    return answered


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    deadline: float,
    https_only: bool = True,
    allowed: Sequence[Network] = (),
) -> Answer:
    """POST the body to the URL and return the answer, whatever its status; redirects are not followed.

    It ends within `deadline` seconds, however slowly the other side drips, and reads 64 kB of the answer at most.

    Raises:
        AddressRefused: the URL, or what its name resolves to, may not be called.
        NoAnswer: not resolved, not connected, not trusted, or not answered in time.
    """
    ends_at = time.monotonic() + deadline
    target = target_of(url, https_only=https_only, allowed=allowed)
    address = resolve(target, allowed=allowed, timeout=deadline * SHARE_OF_CONNECTING)
    connection = _connection(target, address, timeout=(ends_at - time.monotonic()) * SHARE_OF_CONNECTING)
    try:
        connection.connect()
        with _cut_off(connection, at=ends_at) as was_cut:
            answer = _exchange(connection, target, body, headers)
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(f"The certificate is not trusted: {error.verify_message}.") from error
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise NoAnswer(_reason(error, late=time.monotonic() >= ends_at, deadline=deadline)) from error
    finally:
        connection.close()
    if was_cut.is_set():
        raise NoAnswer(f"No whole answer within {deadline:g} seconds.")
    return answer


def _connection(target: Target, address: Address, *, timeout: float) -> HTTPConnection:
    """Return a connection to that address; TLS asks for, and verifies, the name (RFC 6125)."""
    if target.scheme == "http":
        return HTTPConnection(str(address), target.port, timeout=timeout)
    return HTTPSConnection(
        str(address),
        target.port,
        timeout=timeout,
        server_hostname=target.host.removeprefix("[").removesuffix("]").removesuffix("."),
        ssl_context=ssl.create_default_context(),
    )


def _exchange(connection: HTTPConnection, target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
    # No proxy of the environment, no cookies, no unpacking (an answer of 64 kB stays one of 64 kB).
    everything = {**headers, "Host": target.host_header, "Accept-Encoding": "identity", "Connection": "close"}
    connection.request(
        "POST", target.path, body=body, headers=everything, preload_content=False, decode_content=False
    )
    with connection.getresponse() as response:
        told = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, told, response.read(ANSWER_BYTES))


@contextmanager
def _cut_off(connection: HTTPConnection, *, at: float) -> Iterator[threading.Event]:
    """Shut the connection down at that moment of the monotonic clock; the event says whether that came about.

    A socket's own timeout begins anew with every byte, which is what a server that drips lives by.
    """
    was_cut = threading.Event()
    # Kept here: once the headers are read, the connection lets go of a socket that is still being read from.
    line = connection.sock
    left = max(at - time.monotonic(), 0.001)
    connection.timeout = left

    def cut() -> None:
        was_cut.set()
        if line:
            # The plain method: an SSLSocket's own would take TLS away under the thread that is reading.
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)

    watch = threading.Timer(left, cut)
    watch.daemon = True
    watch.start()
    try:
        yield was_cut
    finally:
        watch.cancel()


def _reason(error: Exception, *, late: bool, deadline: float) -> str:
    cause = error.__cause__ or error
    if late:
        return f"No whole answer within {deadline:g} seconds."
    if isinstance(error, ConnectTimeoutError | TimeoutError):
        return "No connection in time."
    if isinstance(cause, ssl.SSLError):
        return "No secure connection could be made."
    if isinstance(cause, OSError) and cause.strerror:
        return f"No connection: {cause.strerror.lower()}."
    return f"No valid answer ({type(error).__name__})."
