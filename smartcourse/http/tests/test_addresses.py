"""Which addresses may be called."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcourse.http.addresses import literal, may_be_called, networks

PUBLIC = [
    "93.184.216.34", "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e", "::ffff:8.8.8.8",
    "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip
REFUSED = [
    # Private, loopback, unspecified, link-local (and the address that clouds tell their secrets at), shared
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3",
    "169.254.169.254", "100.64.0.1", "100.127.255.254",
    # Multicast, reserved, broadcast, documentation, measuring, protocol assignments, 6to4 relays
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1",
    "198.18.0.1", "192.0.0.8", "192.88.99.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "3fff::1",
    # The same in disguise: mapped, compatible, NAT64, local NAT64, 6to4, Teredo, ISATAP
    "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1",
    "64:ff9b::7f00:1", "64:ff9b:1::808:808", "2002:a00:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:808:808::f5ff:fffe", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1",
]  # fmt: skip


class TestMayBeCalled:
    @pytest.mark.parametrize("word", PUBLIC)
    def test_lets_public_ones_through(self, word: str) -> None:
        assert may_be_called(ip_address(word))

    @pytest.mark.parametrize("word", REFUSED)
    def test_refuses_all_others_in_every_disguise(self, word: str) -> None:
        assert not may_be_called(ip_address(word))

    @given(st.ip_addresses(v=4, network="10.0.0.0/8"))
    def test_refuses_a_private_address_in_each_form(self, inner: object) -> None:
        number = int(ip_address(str(inner)))
        forms = (number | 0xFFFF << 32, 0x2002 << 112 | number << 80, 0x64_FF9B << 96 | number)
        assert not any(may_be_called(ip_address(form.to_bytes(16, "big"))) for form in forms)

    def test_lets_through_what_is_allowed_and_its_neighbour_not(self) -> None:
        allowed = networks(["127.0.0.1/32", "fd00::/8"])
        assert may_be_called(ip_address("127.0.0.1"), allowed=allowed)
        assert may_be_called(ip_address("fd00::7"), allowed=allowed)
        assert not may_be_called(ip_address("127.0.0.2"), allowed=allowed)
        assert not may_be_called(ip_address("::1"), allowed=allowed)


class TestLiteral:
    @pytest.mark.parametrize(
        ("host", "address"),
        [("10.0.0.1", "10.0.0.1"), ("[::1]", "::1"), ("::1", "::1"), ("example.org", None), ("0x7f.1", None)],
    )
    def test_tells_addresses_from_names(self, host: str, address: str | None) -> None:
        assert str(literal(host) or "") == (address or "")
