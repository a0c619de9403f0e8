"""Which addresses of the network may be called on a stranger's word: those that everybody can reach, no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Global unicast is all that the Internet routes of IPv6 (RFC 4291 §2.4). That leaves out, whatever a Python of some
# age thinks of them: loopback, link-local, site-local, unique local, multicast, and IPv4 in its deprecated disguise.
GLOBAL_UNICAST = IPv6Network("2000::/3")
# IPv4 behind a translator (RFC 6052), which is as public as what it stands for.
NAT64 = IPv6Network("64:ff9b::/96")
# In IANA's registries of special addresses, but not in the tables of every Python: protocol assignments, 6to4 relays,
# documentation.
NEVER = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))


def networks(words: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks that these words name (`127.0.0.1/32`).

    Raises:
        ValueError: one is no network.
    """
    return tuple(ip_network(word) for word in words)


def literal(host: str) -> Address | None:
    """Return the address that the host of a URL is, or None where it is a name."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def may_be_called(address: Address, *, allowed: Sequence[Network] = ()) -> bool:
    """Return whether everybody can reach this address, or whether it lies in a network that is allowed all the same.

    An address that carries another one is as public as the least public of them.
    """
    if any(address.version == network.version and address in network for network in allowed):
        return True
    return _is_public(address) and all(_is_public(inner) for inner in _carried_by(address))


def _is_public(address: Address) -> bool:
    if any(address.version == network.version and address in network for network in NEVER):
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped or address in NAT64:
            # Only a form of the address inside, which is asked by itself.
            return True
        if address not in GLOBAL_UNICAST or address.scope_id:
            return False
        if address.sixtofour:
            return True
    # `is_global` knows the registries of IANA, shared address space (100.64.0.0/10) among them, but not multicast.
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _carried_by(address: Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses in an IPv6 one: mapped, translated (NAT64), 6to4, Teredo (server and client), ISATAP."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in NAT64:
        yield last
    # RFC 5214 §6.1: the interface is 0000:5efe or 0200:5efe, then the IPv4 address.
    if (int(address) >> 32) & 0xFDFF_FFFF == 0x5EFE:
        yield last
