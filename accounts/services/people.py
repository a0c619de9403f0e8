"""Deeds about people: registering, proving the address, changing words, passwords and roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from psycopg import Error as PostgresError

from accounts.events import UserRegistered, UserRoleChanged, UserVerified
from accounts.models import EmailChange, InstructorProfile, Role, User, normalise_email
from accounts.services.api_keys import revoke_api_keys_of
from accounts.services.lockout import SIGNED_IN, begin_attempt, forget_places
from accounts.services.sessions import end_all_sessions
from smartcourse.errors import Conflict, FieldError, NotAllowed, Unacceptable
from smartcourse.events.outbox import publish

VERIFICATION_SALT = "accounts.email-verification"


class EmailTaken(Conflict):
    """Somebody has an account with this address."""

    code = "duplicate"
    message = "There is an account with this e-mail address already."


class WeakPassword(Unacceptable):
    """The password does not pass the validators."""

    message = "The password is too weak."


class WrongPassword(Unacceptable):
    """The present password was not given right."""

    message = "The present password is wrong."


class InvalidVerification(Unacceptable):
    """The link to verify an address is wrong, too old, or for an address that has changed since."""

    code = "invalid_verification"
    message = "This link does not work any more. Please ask for a new one."


class NotOneself(NotAllowed):
    """Nobody changes their own roles or deactivates themselves."""

    message = "This cannot be done to one's own account."


class AccountErased(Conflict):
    """Nobody is behind the account any more, so nothing is given to it."""

    code = "invalid_state"
    message = "This account was erased."


@dataclass(frozen=True)
class MailAddress:
    """Where a person's mail goes."""

    email: str
    full_name: str


def register_user(*, email: str, password: str | None, full_name: str, at: datetime) -> User:
    """Make an account with the role student; without a password, nobody can log in to it.

    Raises:
        EmailTaken: the address has an account.
        WeakPassword: the password does not pass the validators.
    """
    user = User(email=normalise_email(email), full_name=full_name.strip())
    if password is not None:
        check_strength(password, user)
    user.set_password(password)
    with one_account_per_email():
        user.save()
        user.groups.add(Group.objects.get(name=Role.STUDENT))
        publish(UserRegistered(user_id=user.pk, occurred_at=at))
    return user


@contextmanager
def one_account_per_email() -> Iterator[None]:
    """Let the database say whether an address is taken; whoever asks it first may be overtaken.

    Raises:
        EmailTaken: it has an account; nothing of what was done within stays.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, PostgresError) and cause.diag.constraint_name == "one_account_per_email":
            raise EmailTaken from error
        raise


def check_strength(password: str, user: User, *, field: str = "password") -> None:
    """Hold a password to the validators; `field` is what an error points to.

    Raises:
        WeakPassword: it does not pass.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        rows = [FieldError(field, e.code or "invalid", " ".join(e.messages)) for e in error.error_list]
        raise WeakPassword(errors=rows) from error


class ProfileChanges(TypedDict, total=False):
    """What people may change of themselves; what is left out stays."""

    full_name: str
    phone: str
    """In international form (E.164); empty for none."""
    birth_date: date | None


def update_profile(*, user_id: UUID, **changes: Unpack[ProfileChanges]) -> User:
    """Change what a person has said of themselves."""
    with transaction.atomic():
        user: User = User.objects.select_for_update(of=("self",)).get(pk=user_id)
        user.change(**changes)
        return user


def update_instructor_profile(*, user_id: UUID, changes: dict[str, str]) -> InstructorProfile:
    """Change what learners read about a teacher: `headline`, `bio`."""
    profile, _ = InstructorProfile.objects.update_or_create(user_id=user_id, defaults=changes)
    return profile


def change_password(*, user_id: UUID, current: str, new: str, session_id: UUID | None, at: datetime) -> None:
    """Change the password, and end every session but the one that it is changed from.

    Raises:
        WrongPassword: `current` is not the password.
        WeakPassword: `new` does not pass the validators.
        LockedOut: too many were wrong.
    """
    user = check_present_password(user_id=user_id, password=current, at=at)
    check_strength(new, user, field="new_password")
    set_password(user_id=user_id, password=new, at=at, but=session_id)


def check_present_password(*, user_id: UUID, password: str, at: datetime) -> User:
    """Return the person, once the password is seen to be theirs; a deed that a stolen session must not do asks so.

    Raises:
        WrongPassword: it is not; the error points to `current_password`.
        LockedOut: too many were wrong.
    """
    user: User = User.objects.get(pk=user_id)
    attempt = begin_attempt(email=user.email, place=SIGNED_IN, user_id=user_id, at=at)
    if not user.check_password(password):
        attempt.failed()
        raise WrongPassword(
            errors=[FieldError("current_password", "invalid_credentials", WrongPassword.message)]
        )
    attempt.succeeded()
    return user


def set_password(*, user_id: UUID, password: str, at: datetime, but: UUID | None = None) -> None:
    """Set a password without asking for the present one, and end all API keys and every session but one.

    A change of address that waits for its link ends as well: whoever knew the former password may have asked for it.
    """
    with transaction.atomic():
        user: User = User.objects.select_for_update(of=("self",)).get(pk=user_id)
        user.change_password(password)
        # Who knew the former password is no better known than others; and its owner begins without a lock.
        forget_places(email=user.email)
        revoke_api_keys_of(user_id=user_id, at=at)
        EmailChange.objects.open().filter(user=user_id).update(cancelled_at=at)
        end_all_sessions(user_id=user_id, but=but, at=at)


def verification_token_for(*, user_id: UUID) -> str:
    """Return the token that proves, to whoever reads the person's mail, that the address is theirs."""
    user = User.objects.only("email").get(pk=user_id)
    return signing.dumps([str(user_id), user.email], salt=VERIFICATION_SALT)


def verify_email(*, token: str, at: datetime) -> User:
    """Note that the address is the person's own; a second time changes nothing.

    Raises:
        InvalidVerification: the token is forged, too old, or the address has changed since.
    """
    try:
        user_id, email = signing.loads(
            token, salt=VERIFICATION_SALT, max_age=settings.EMAIL_VERIFICATION_LIFETIME
        )
    except (signing.BadSignature, ValueError) as error:
        raise InvalidVerification from error
    user: User | None = User.objects.active().filter(pk=user_id, email=email).first()
    if user is None:
        raise InvalidVerification
    return mark_verified(user_id=user.pk, at=at)


def mark_verified(*, user_id: UUID, at: datetime) -> User:
    """Note that the address is the person's own."""
    with transaction.atomic():
        user: User = User.objects.select_for_update(of=("self",)).get(pk=user_id)
        if not user.is_verified:
            user.verify()
            publish(UserVerified(user_id=user_id, occurred_at=at))
        return user


def grant_role(*, user_id: UUID, role: Role, by: User | None) -> User:
    """Give a person a role, in addition to those they have; `by` None is an operator at the command line.

    Raises:
        NotOneself: `by` is the person.
        AccountErased: nobody is behind it any more.
    """
    return _change_role(user_id, role, granted=True, by=by)


def revoke_role(*, user_id: UUID, role: Role, by: User | None) -> User:
    """Take a role from a person.

    Raises:
        NotOneself: `by` is the person.
    """
    return _change_role(user_id, role, granted=False, by=by)


def _change_role(user_id: UUID, role: Role, *, granted: bool, by: User | None) -> User:
    if by is not None and by.pk == user_id:
        raise NotOneself
    with transaction.atomic():
        user: User = User.objects.select_for_update(of=("self",)).get(pk=user_id)
        if granted and user.erased_at is not None:
            raise AccountErased
        if user.groups.filter(name=role).exists() == granted:
            return user
        group = Group.objects.get(name=role)
        if granted:
            user.groups.add(group)
        else:
            user.groups.remove(group)
        user.follow_roles()
        if role == Role.INSTRUCTOR and granted:
            InstructorProfile.objects.get_or_create(user=user)
        publish(UserRoleChanged(user_id=user_id, role=role.value, granted=granted))
        # Whoever loses or gains power signs in anew; roles are read from the database all the same.
        end_all_sessions(user_id=user_id, at=timezone.now())
        return user


def deactivate_user(*, user_id: UUID, by: User, at: datetime) -> None:
    """Close an account to its owner, and end its sessions; what it holds stays.

    Raises:
        NotOneself: `by` is the person.
    """
    if by.pk == user_id:
        raise NotOneself
    with transaction.atomic():
        user: User = User.objects.select_for_update(of=("self",)).get(pk=user_id)
        user.set_active(active=False)
        revoke_api_keys_of(user_id=user_id, at=at)
        end_all_sessions(user_id=user_id, at=at)


def reactivate_user(*, user_id: UUID, by: User) -> None:
    """Open a deactivated account again.

    Raises:
        NotOneself: `by` is the person.
        AccountErased: nobody is behind it any more.
    """
    if by.pk == user_id:
        raise NotOneself
    with transaction.atomic():
        user: User = User.objects.select_for_update(of=("self",)).get(pk=user_id)
        if user.erased_at is not None:
            raise AccountErased
        user.set_active(active=True)


def mail_address_of(*, user_id: UUID) -> MailAddress:
    """Return where a person's mail goes today.

    Raises:
        AccountErased: nobody is there to be mailed.
    """
    user: Any = User.objects.only("email", "full_name", "erased_at").get(pk=user_id)
    if user.erased_at is not None:
        raise AccountErased
    return MailAddress(user.email, user.full_name)


def is_reachable(*, user_id: UUID) -> bool:
    """Return whether somebody is behind the account who can be told something."""
    return bool(User.objects.reachable().filter(pk=user_id).exists())


def record_total_students(*, user_id: UUID, count: int) -> None:
    """Set down how many learners a teacher has, as enrollments counted them."""
    InstructorProfile.objects.update_or_create(user_id=user_id, defaults={"total_students": count})
