"""Signs what a certificate says, so that anybody can check it with our public keys and without asking us.

Ed25519 (RFC 8032) over canonical JSON (RFC 8785). A key is known by the thumbprint of its public half (RFC 7638), so
an id can neither be mistyped nor given twice.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings


@dataclass(frozen=True)
class Signature:
    """The very text that was signed, the signature (base64url), and the id of the key that made it."""

    payload: str
    value: str
    key_id: str


def canonical(words: Mapping[str, str]) -> str:
    """Return the words as the one JSON text that RFC 8785 has for them.

    The RFC's hard part is how numbers are written; there are none. Of texts under ASCII names it asks for sorted names,
    no spaces, and the shortest escapes, which is what Python writes.
    """
    return json.dumps(dict(words), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(words: Mapping[str, str]) -> Signature:
    """Sign the words with this installation's key; the same words and key give the same signature."""
    payload, key = canonical(words), _private_key()
    public = key.public_key().public_bytes_raw()
    return Signature(payload, _encoded(key.sign(payload.encode())), key_id_of(public))


def verifies(signature: Signature) -> bool:
    """Return whether one of our keys, today's or an earlier one, made the signature."""
    public = _public_keys().get(signature.key_id)
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            _decoded(signature.value), signature.payload.encode()
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def key_set() -> list[dict[str, str]]:
    """Return the public keys, today's first, as JSON Web Keys (RFC 7517, RFC 8037)."""
    return [
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id, "x": _encoded(public)}
        for key_id, public in _public_keys().items()
    ]


def key_id_of(public: bytes) -> str:
    """Return the thumbprint of a public key (RFC 7638): the SHA-256 of its required members, base64url."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _encoded(public)}
    return _encoded(hashlib.sha256(canonical(members).encode()).digest())


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(b64decode(settings.CERTIFICATE_SIGNING_KEY))


def _public_keys() -> dict[str, bytes]:
    today = _private_key().public_key().public_bytes_raw()
    earlier = (_decoded(key) for key in settings.CERTIFICATE_VERIFY_KEYS)
    return {key_id_of(public): public for public in (today, *earlier)}


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
