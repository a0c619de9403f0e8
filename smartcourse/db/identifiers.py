"""Public identifiers."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """Return a new UUIDv7 (RFC 9562 §5.7): ordered by time, so that indexes grow at one end only."""
    return UUID(int=_uuid7().int)
