"""Facts about people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from smartcourse.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class UserRegistered(Fact):
    """Somebody made an account."""

    type: ClassVar[str] = "user.registered"
    aggregate: ClassVar[str] = "user"

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserVerified(Fact):
    """Somebody showed that the e-mail address is theirs."""

    type: ClassVar[str] = "user.verified"
    aggregate: ClassVar[str] = "user"

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class UserRoleChanged(Fact):
    """Somebody was given a role, or lost one."""

    type: ClassVar[str] = "user.role_changed"
    aggregate: ClassVar[str] = "user"

    user_id: UUID
    role: str
    granted: bool
