"""Calling an address that a stranger named, against real servers that mean well and ill."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from smartcourse.http.addresses import networks
from smartcourse.http.pinning import AddressRefused, Answer, NoAnswer, post, target_of
from smartcourse.testing.receivers import (
    Receiver,
    answering,
    dripping,
    garbage,
    huge,
    receiving,
    silent,
)

HERE = networks(["127.0.0.1/32"])
real_lookup = socket.getaddrinfo


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def call(url: str, *, deadline: float = 5, allowed: Any = HERE, **more: Any) -> Answer:
    return post(
        url, body=b"{}", headers={"X-Own": "1"}, deadline=deadline, https_only=False, allowed=allowed, **more
    )


class Names:
    """The outside world's resolver: what each name has as addresses, one answer after another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked: list[str] = []
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: str, port: int, *args: Any, **more: Any) -> Any:
        if host not in self.answers:
            assert host[0].isdigit() or ":" in host, f"{host} is looked up in the real world"
            return real_lookup(host, port, *args, **more)
        self.asked.append(host)
        said = self.answers[host].pop(0) if len(self.answers[host]) > 1 else self.answers[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (word, port)) for word in said.split()]


MALFORMED = [
    "", "example.org", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org:70/",
    "javascript:alert(1)", "http:///hook", "http://", "https://exa mple.org/", "https://example.org/\r\nX: y",
    "https://example.org\\@evil.example/", "https://bücher.example/", "https://user@example.org/",
    "https://user:password@example.org/", "https://:@example.org/", "https://example.org/#part",
    "https://example.org:22/", "https://example.org:0/", "https://example.org:70000/", "https://example.org:x/",
    "https://example.org/" + "a" * 2000, "https://example..org/", "https://-/", "https://[::1/",
]  # fmt: skip
INWARD = [
    "http://10.0.0.1/", "http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://0.0.0.0:8000/",
    "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/", "http://[fd00::1]/", "http://[64:ff9b::a00:1]/", "http://[2002:7f00:1::]/",
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0x0.0x0.0x1/", "http://017700000001/", "http://0177.0.0.1/",
    "http://127.1/", "http://127.0.0.1./", "http://0/",
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://a.localhost/", "http://printer.local/",
    "http://db.internal/", "http://postgres/", "http://metadata.google.internal/",
]  # fmt: skip


class TestForm:
    @pytest.mark.parametrize("url", MALFORMED)
    def test_refuses_what_is_no_plain_url(self, url: str) -> None:
        with pytest.raises(AddressRefused):
            target_of(url, https_only=False)

    @pytest.mark.parametrize("url", INWARD)
    def test_refuses_what_points_inwards_however_it_is_written(self, url: str) -> None:
        with pytest.raises(AddressRefused):
            target_of(url, https_only=False)
        with pytest.raises(AddressRefused):
            call(url, allowed=())

    def test_wants_https_where_it_is_told_to(self) -> None:
        with pytest.raises(AddressRefused, match="https://"):
            target_of("http://example.org/")

    @pytest.mark.parametrize(
        ("url", "host", "port", "path"),
        [
            ("https://example.org", "example.org", 443, "/"),
            ("https://EXAMPLE.org:8443/a?b=c", "example.org", 8443, "/a?b=c"),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
            ("https://8.8.8.8/x", "8.8.8.8", 443, "/x"),
            ("https://[2606:4700:4700::1111]/x", "[2606:4700:4700::1111]", 443, "/x"),
            ("https://123.example.org/", "123.example.org", 443, "/"),
        ],
    )
    def test_takes_the_rest_apart(self, url: str, host: str, port: int, path: str) -> None:
        target = target_of(url)
        assert (target.host, target.port, target.path) == (host, port, path)


class TestResolving:
    @pytest.mark.parametrize(
        "inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "8.8.8.8 10.0.0.1", "100.64.0.9"]
    )
    def test_refuses_a_name_with_any_address_that_is_not_public(
        self, inside: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Names(monkeypatch, evil_example=[inside])
        with pytest.raises(AddressRefused):
            call("http://evil.example/", allowed=())

    def test_asks_once_and_calls_what_it_checked(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The first answer passes the check (it stands for a public address); any later one would lead elsewhere.
        names = Names(monkeypatch, rebinding_example=["127.0.0.1", "127.0.0.2"])
        port = urlsplit(receiver.url).port
        assert call(f"http://rebinding.example:{port}/hook").status == 204
        assert names.asked == ["rebinding.example"]
        [heard] = receiver.heard
        assert heard.headers["host"] == f"rebinding.example:{port}"

    def test_is_not_fooled_by_a_name_that_changes_its_mind(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = Names(monkeypatch, rebinding_example=["192.0.2.1", "127.0.0.1"])
        port = urlsplit(receiver.url).port
        with pytest.raises((AddressRefused, NoAnswer)):
            call(f"http://rebinding.example:{port}/hook", allowed=networks(["192.0.2.1/32"]), deadline=0.5)
        assert names.asked == ["rebinding.example"]
        assert receiver.heard == []

    def test_says_when_a_name_is_not_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(NoAnswer, match="no address"):
            call("http://nowhere.example/")

    def test_does_not_wait_for_a_resolver_that_is_stuck(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [receiver.released.wait(30)][1:])
        started = time.monotonic()
        with pytest.raises(NoAnswer):
            call("http://stuck.example/", deadline=0.5)
        assert time.monotonic() - started < 2


class TestAnswer:
    def test_is_told_with_its_status_headers_and_body(self, receiver: Receiver) -> None:
        receiver.behaviour = answering(418, b"tea", Retry_After="7")
        answer = call(receiver.url)
        assert (answer.status, answer.body, answer.headers["retry-after"]) == (418, b"tea", "7")
        [heard] = receiver.heard
        assert (heard.path, heard.body, heard.headers["x-own"]) == ("/hook", b"{}", "1")

    def test_that_redirects_is_not_followed(self, receiver: Receiver) -> None:
        receiver.behaviour = answering(302, Location=receiver.url.replace("hook", "elsewhere"))
        assert call(receiver.url).status == 302
        assert [heard.path for heard in receiver.heard] == ["/hook"]

    def test_is_read_to_64_kb_and_cut(self, receiver: Receiver) -> None:
        receiver.behaviour = huge(50_000_000)
        started = time.monotonic()
        assert len(call(receiver.url).body) == 64 * 1024
        assert time.monotonic() - started < 3

    @pytest.mark.parametrize("behaviour", [silent, dripping(headers=True), dripping(headers=False)])
    def test_must_be_whole_in_time_however_it_drips(self, behaviour: Any, receiver: Receiver) -> None:
        receiver.behaviour = behaviour
        started = time.monotonic()
        with pytest.raises(NoAnswer, match=r"within 0\.6 seconds"):
            call(receiver.url, deadline=0.6)
        assert 0.5 < time.monotonic() - started < 2

    def test_may_take_most_of_the_time(self, receiver: Receiver) -> None:
        def late(handler: Any) -> None:
            receiver.released.wait(1.2)
            answering(200)(handler)

        receiver.behaviour = late
        assert call(receiver.url, deadline=2).status == 200

    def test_must_be_http(self, receiver: Receiver) -> None:
        receiver.behaviour = garbage
        with pytest.raises(NoAnswer, match="No valid answer"):
            call(receiver.url)

    def test_is_missing_where_nobody_listens(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        with pytest.raises(NoAnswer, match="No connection"):
            call(f"http://127.0.0.1:{port}/")

    def test_does_not_come_through_a_proxy_of_the_environment(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert call(receiver.url).status == 204


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for hooks.example, with its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example",
         "-keyout", "key.pem", "-out", "certificate.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_bytes((folder / "certificate.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return both


class TestTls:
    def reach(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, trusted: bool
    ) -> Answer:
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        Names(monkeypatch, hooks_example=["127.0.0.1"], other_example=["127.0.0.1"])
        with receiving(certificate=certificate) as receiver:
            return call(f"https://{name}:{urlsplit(receiver.url).port}/hook")

    def test_verifies_the_name_though_it_connects_to_the_address(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.reach(certificate, monkeypatch, "hooks.example", trusted=True).status == 204

    def test_refuses_a_certificate_of_another_name(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(NoAnswer, match=r"not trusted.*other\.example"):
            self.reach(certificate, monkeypatch, "other.example", trusted=True)

    def test_refuses_a_certificate_that_nobody_vouches_for(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(NoAnswer, match="not trusted"):
            self.reach(certificate, monkeypatch, "hooks.example", trusted=False)

    def test_does_not_wait_for_a_handshake_that_never_comes(self) -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            started = time.monotonic()
            with pytest.raises(NoAnswer):
                call(f"https://127.0.0.1:{listening.getsockname()[1]}/", deadline=0.6)
            assert time.monotonic() - started < 2
