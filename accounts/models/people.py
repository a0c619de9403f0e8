"""People, and the roles they have."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Self

import idna
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models.functions import Lower

from smartcourse.db.encryption import EncryptedDateField, EncryptedTextField
from smartcourse.db.models import Entity

# RFC 5321 §4.5.3.1.3, without the angle brackets.
LONGEST_ADDRESS = 254


class Role(models.TextChoices):
    """What a person may be; held as Django groups of these names, lowest first."""

    STUDENT = "student"
    INSTRUCTOR = "instructor"
    STAFF = "staff"
    ADMIN = "admin"


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> Self:
        """People whose account is not deactivated."""
        return self.filter(is_active=True)

    def reachable(self) -> Self:
        """People who were not erased: behind the rows of the others nobody is any more."""
        return self.filter(erased_at=None)

    def with_role(self, role: Role) -> Self:
        """People who have that role."""
        return self.filter(groups__name=role)

    def with_roles(self) -> Self:
        """The same people, their roles fetched along."""
        return self.prefetch_related("groups")

    def visible_to(self, user: Any) -> Self:
        """Everybody for staff, else oneself."""
        return self.reachable() if user.is_staff else self.filter(pk=user.pk)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]  # a class made at runtime
    """Finds people by e-mail without regard to case."""

    def get_by_natural_key(self, username: str | None) -> User:
        user: User = self.get(email=normalise_email(username or ""))
        return user


def normalise_email(email: str) -> str:
    """Return the address as it is stored: trimmed, in lower case, an international domain as DNS has it.

    Such a domain has two spellings, `bücher.example` and `xn--bcher-kva.example`, and both are one address. Django's
    mail spells the first by the rules of 2003, for which “ß” is “ss”: it would go to somebody else's domain.

    Source: RFC 5891, UTS #46 (non-transitional).
    """
    local, at, domain = email.strip().lower().rpartition("@")
    # What is no domain stays as it is; where an address is given, `validate_address` refuses it.
    with contextlib.suppress(idna.IDNAError):
        if not domain.isascii():
            domain = idna.encode(domain, uts46=True).decode()
    return f"{local}{at}{domain}"


def validate_address(email: str) -> None:
    """Refuse an address whose domain cannot be one, or which is too long once it is normalised.

    Some letters (“İ”) are two in lower case, and DNS has its own spelling of most.

    Raises:
        ValidationError: it would not fit where addresses are stored, or no mail would come to it.
    """
    address = normalise_email(email)
    if len(address) > LONGEST_ADDRESS:
        raise ValidationError(f"An address has at most {LONGEST_ADDRESS} characters.", code="max_length")
    if not address.rpartition("@")[2].isascii():
        raise ValidationError("There can be no such domain.", code="invalid")


# What turns the direction of the text after it. Right-to-left names need none of these (Unicode UAX #9, 2.7).
DIRECTION_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
# Control characters, line and paragraph separators.
UNPRINTABLE = frozenset({"Cc", "Zl", "Zp"})


def validate_name(name: str) -> None:
    """Refuse a name that cannot be printed on one line, or has nothing in it to read.

    It goes into the headers of mails, where a line break would begin another header, and onto certificates, where a
    control of direction would turn the words around it.

    Raises:
        ValidationError: it holds such a character, or no letter.
    """
    if any(
        unicodedata.category(character) in UNPRINTABLE
        or unicodedata.bidirectional(character) in DIRECTION_CONTROLS
        for character in name
    ):
        raise ValidationError("A name is one line of text, without control characters.", code="invalid")
    if not any(character.isalpha() for character in name):
        raise ValidationError("A name has letters.", code="invalid")


class User(Entity, AbstractBaseUser, PermissionsMixin):
    """A person with an account; the e-mail address is the log-in.

    `is_staff` follows the roles staff and admin (`accounts.services.grant_role` keeps it so); instructors use the
    admin by their role, without being staff.
    """

    email = models.EmailField(max_length=254)
    full_name = models.CharField(max_length=255, validators=[MinLengthValidator(2), validate_name])
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_verified = models.BooleanField(default=False, help_text="The e-mail address was confirmed.")
    phone = EncryptedTextField(
        blank=True, default="", db_default="", help_text="In international form (ITU-T E.164)."
    )
    birth_date = EncryptedDateField(null=True, blank=True)
    signed_out_at = models.DateTimeField(
        null=True, editable=False, help_text="Whatever was signed in before, the admin site as well, is over."
    )
    erased_at = models.DateTimeField(
        null=True, editable=False, help_text="Since then nobody is behind this row."
    )

    objects: ClassVar[Any] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["email"], name="one_account_per_email"),
            # Addresses are stored in lower case, which makes the one above hold for any case.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="emails_are_lower_case"),
            # Whatever sets a flag again, nobody comes back through an account that was erased.
            models.CheckConstraint(
                condition=models.Q(erased_at=None)
                | models.Q(is_active=False, is_staff=False, is_superuser=False),
                name="erased_accounts_are_closed",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    def clean(self) -> None:
        super().clean()
        self.email = normalise_email(self.email)

    def get_full_name(self) -> str:
        return self.full_name

    @cached_property
    def roles(self) -> list[Role]:
        """The person's roles, highest first."""
        names = {group.name for group in self.groups.all()}
        return [role for role in reversed(Role) if role in names]

    @property
    def role(self) -> Role:
        """The highest of the person's roles."""
        return self.roles[0] if self.roles else Role.STUDENT

    @property
    def may_enter_backoffice(self) -> bool:
        """Whether the admin site lets the person in; asked by the site, which stands below this context."""
        return self.has_role(Role.INSTRUCTOR, Role.STAFF, Role.ADMIN)

    @property
    def must_have_second_factor(self) -> bool:
        """Whether the installation lets the person do nothing without one."""
        return settings.MFA_ENABLED and settings.MFA_REQUIRED_FOR_STAFF and self.is_staff

    @cached_property
    def owes_second_factor(self) -> bool:
        """Whether it does, and there is none yet; asked by API and admin site, which stand below this context."""
        return self.must_have_second_factor and not self.second_factors.confirmed().exists()

    def get_session_auth_hash(self) -> str:
        """Return what a session of the admin site must hold to go on: other words after each log-out everywhere."""
        return self._until_signed_out(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the same by the secrets that were used before."""
        return map(self._until_signed_out, super().get_session_auth_fallback_hash())

    def _until_signed_out(self, words: str) -> str:
        return f"{words} {self.signed_out_at.timestamp()}" if self.signed_out_at else words

    def has_role(self, *roles: Role) -> bool:
        """Return whether the person has one of these roles."""
        return self.is_active and any(role in roles for role in self.roles)

    def change(self, **changes: Any) -> None:
        """Take on what the person says of themselves."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.save(update_fields=[*changes, "updated_at"])

    def change_password(self, password: str) -> None:
        """From now on this is the password."""
        self.set_password(password)
        self.save(update_fields=["password", "updated_at"])

    def change_email(self, email: str) -> None:
        """From now on this is the address, and it was shown to be the person's own."""
        self.email, self.is_verified = email, True
        self.save(update_fields=["email", "is_verified", "updated_at"])

    def sign_out(self, at: datetime) -> None:
        """Nobody is signed in to the admin site as this person any more."""
        self.signed_out_at = at
        self.save(update_fields=["signed_out_at", "updated_at"])

    def verify(self) -> None:
        """The address is the person's own."""
        self.is_verified = True
        self.save(update_fields=["is_verified", "updated_at"])

    def set_active(self, *, active: bool) -> None:
        """Open or close the account to its owner."""
        self.is_active = active
        self.save(update_fields=["is_active", "updated_at"])

    def vacate(self, *, at: datetime) -> None:
        """From now on nobody is behind it; what it holds of them goes step by step."""
        self.set_unusable_password()
        self.is_active = self.is_staff = self.is_superuser = False
        self.erased_at = self.erased_at or at
        self.save(
            update_fields=["password", "is_active", "is_staff", "is_superuser", "erased_at", "updated_at"]
        )

    def follow_roles(self) -> None:
        """Bring `is_staff` in step with the roles, which were just changed."""
        self.__dict__.pop("roles", None)
        getattr(self, "_prefetched_objects_cache", {}).pop("groups", None)
        self.is_staff = Role.STAFF in self.roles or Role.ADMIN in self.roles
        self.save(update_fields=["is_staff", "updated_at"])

    def note_login(self, *, at: datetime) -> None:
        """The person signed in."""
        self.last_login = at
        self.save(update_fields=["last_login"])


class InstructorProfile(models.Model):
    """What learners read about a teacher."""

    user = models.OneToOneField(
        User, primary_key=True, on_delete=models.CASCADE, related_name="instructor_profile"
    )
    headline = models.CharField(max_length=160, blank=True)
    bio = models.TextField(blank=True)
    total_students = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"Profile of {self.user_id}"
