"""What accounts holds of a person."""

from __future__ import annotations

from datetime import datetime

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from accounts import services
from smartcourse.db.personal import Holding, Person, Texts, declare

SECRET = "a secret, or the hash of one"  # noqa: S105 - a reason, and none itself
OURS = "how we keep the row, and nothing about the person"
ANOTHERS = "of another person, whose record it is"
NAMELESS = "leads to a row in which nobody is any more"
ANSWERED_FOR = "that it was asked for, by whom and why, is what we answer for"


def leave(person: Person, at: datetime) -> None:
    """Forget the person where no row names them: places that knew an address of theirs, the cache."""
    for address in person.addresses:
        services.forget_places(email=address)
    services.doubt_user(user_id=person.id)


declare(
    "accounts",
    Holding(
        model="accounts.User",
        person="id",
        told=(
            "id",
            "email",
            "full_name",
            "phone",
            "birth_date",
            "is_active",
            "is_staff",
            "is_superuser",
            "is_verified",
            "last_login",
            "created_at",
            "updated_at",
            "signed_out_at",
            "erased_at",
        ),
        untold={"password": SECRET},
        erased={
            "email": Concat(Value("erased-"), Cast("id", CharField()), Value("@erased.invalid")),
            "full_name": "Erased person",
            "phone": "",
            "birth_date": None,
            "password": "!",
            "last_login": None,
            "signed_out_at": None,
            "is_verified": False,
        },
        kept={"id": "others' records point to it, and nobody is behind it"},
    ),
    Holding(
        model="accounts.User_groups",
        person="user",
        called="roles",
        told=("group__name",),
        deleted=True,
        untold=dict.fromkeys(("id", "user", "group"), OURS),
    ),
    Holding(
        model="accounts.User_user_permissions",
        person="user",
        called="permissions",
        told=("permission__codename",),
        deleted=True,
        untold=dict.fromkeys(("id", "user", "permission"), OURS),
    ),
    Holding(
        model="accounts.InstructorProfile",
        person="user",
        told=("user", "headline", "bio", "total_students"),
        deleted=True,
    ),
    Holding(
        model="accounts.InstructorApplication",
        person="user",
        told=("id", "user", "statement", "status", "decided_at", "reason", "created_at", "updated_at"),
        untold={"decided_by": "who of staff it was"},
        deleted=True,
    ),
    Holding(
        model="accounts.InstructorApplication",
        person="decided_by",
        called="decided_applications",
        told=("id", "status", "decided_at", "reason"),
        kept={"decided_by": NAMELESS} | dict.fromkeys(("statement", "reason", "status", "user"), ANOTHERS),
    ),
    Holding(
        model="accounts.Session",
        person="user",
        told=(
            "id",
            "user",
            "user_agent",
            "address",
            "created_at",
            "last_used_at",
            "expires_at",
            "revoked_at",
        ),
        untold=dict.fromkeys(("updated_at", "is_told"), OURS),
        deleted=True,
    ),
    Holding(
        model="accounts.RefreshToken",
        person="session__user",
        untold={
            "digest": SECRET,
            **dict.fromkeys(
                ("id", "session", "created_at", "updated_at", "expires_at", "used_at"),
                "told with the session",
            ),
        },
        deleted=True,
    ),
    Holding(
        model="accounts.ApiKey",
        person="user",
        told=(
            "id",
            "user",
            "name",
            "scopes",
            "created_at",
            "updated_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        ),
        untold={"prefix": "the beginning of a secret", "digest": SECRET},
        deleted=True,
    ),
    Holding(
        model="accounts.SignInAttempts",
        person="user",
        told=("failures", "last_at", "locked_until", "succeeded_at"),
        untold={"id": OURS, "user": OURS, **dict.fromkeys(("account", "place"), SECRET)},
        deleted=True,
    ),
    Holding(
        model="accounts.EmailChange",
        person="user",
        told=(
            "id",
            "user",
            "old_email",
            "new_email",
            "requested_at",
            "confirmed_at",
            "cancelled_at",
            "created_at",
            "updated_at",
        ),
        deleted=True,
    ),
    Holding(
        model="accounts.SecondFactor",
        person="user",
        told=("id", "user", "method", "confirmed_at", "last_used_at", "created_at", "updated_at"),
        untold={"secret": SECRET, "last_step": OURS},
        deleted=True,
    ),
    Holding(
        model="accounts.RecoveryCode",
        person="user",
        told=("id", "user", "used_at", "created_at", "updated_at"),
        untold={"digest": SECRET},
        deleted=True,
    ),
    Holding(
        model="accounts.MailedCode",
        person="user",
        told=("id", "user", "requested_at", "expires_at", "used_at", "created_at", "updated_at"),
        deleted=True,
    ),
    Holding(
        model="accounts.SignInChallenge",
        person="user",
        told=("id", "user", "expires_at", "used_at", "created_at", "updated_at"),
        untold={"digest": SECRET, "password_tag": SECRET},
        deleted=True,
    ),
    Holding(
        model="accounts.PrivacyRequest",
        person="user",
        told=(
            "id",
            "user",
            "kind",
            "status",
            "due_at",
            "created_at",
            "updated_at",
            "finished_at",
            "expires_at",
            "counts",
        ),
        untold={
            "requested_by": "who of staff it was",
            "reason": "what staff wrote down for themselves",
            "workflow_id": OURS,
            "archive": "an earlier export, with the same in it",
        },
        kept=dict.fromkeys(("user", "requested_by", "workflow_id"), NAMELESS)
        | dict.fromkeys(("reason", "counts", "kind", "status"), ANSWERED_FOR),
    ),
    Holding(
        model="accounts.PrivacyRequest",
        rows=services.exports_of,
        files=("archive",),
        erased={"archive": ""},
    ),
    texts=(Texts(model="accounts.MailRequest", columns=("email",)),),
    impersonal={
        "auth.Group": "the names of roles",
        "auth.Group_permissions": "what roles may do",
        "auth.Permission": "what may be done at all",
        "sessions.Session": "sealed; those of a person end when the account closes (end_browser_sessions)",
    },
    erase=leave,
)
