"""What people prove besides their password, and what is under way until they have."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from smartcourse.db.encryption import EncryptedTextField
from smartcourse.db.models import Entity


class Method(models.TextChoices):
    """By what a person may show that they are more than somebody who knows the password."""

    TOTP = "totp", "authenticator app"
    EMAIL = "email", "code by mail"
    RECOVERY = "recovery", "recovery code"


# What can be set up; recovery codes are for when one of these is lost.
FACTORS = [(method.value, method.label) for method in (Method.TOTP, Method.EMAIL)]


class SecondFactorQuerySet(models.QuerySet["SecondFactor"]):
    def confirmed(self) -> Self:
        """Factors that are asked for; others were begun, and no code has shown yet that they work."""
        return self.filter(confirmed_at__isnull=False)

    def visible_to(self, user: Any) -> Self:
        """One's own; nobody sees another's."""
        return self.filter(user=user.pk)


class SecondFactor(Entity):
    """One way in which a person proves more than a password: an authenticator app (RFC 6238), or codes by mail.

    Codes by mail are weaker: whoever reads the mail can set a new password as well.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factors"
    )
    method = models.CharField(max_length=10, choices=FACTORS)
    secret = EncryptedTextField(blank=True)
    confirmed_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    last_step = models.PositiveBigIntegerField(
        default=0, help_text="The time step of the last code; neither it nor an earlier one works again."
    )

    objects = SecondFactorQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "method"], name="one_second_factor_of_a_kind"),
            # An app shares a secret with us, a mailbox does not.
            models.CheckConstraint(
                condition=Q(method=Method.TOTP) & ~Q(secret="") | Q(method=Method.EMAIL, secret=""),
                name="authenticator_apps_have_a_secret",
            ),
        ]

    def __str__(self) -> str:
        return self.get_method_display()

    def confirm(self, *, at: datetime) -> None:
        """It works, and is asked for from now on."""
        self.confirmed_at = at
        self.save(update_fields=["confirmed_at", "updated_at"])


class RecoveryCodeQuerySet(models.QuerySet["RecoveryCode"]):
    def unused(self) -> Self:
        """Codes that still work."""
        return self.filter(used_at=None)


class RecoveryCode(Entity):
    """One of the codes that stand in for a lost app, known here by its SHA-256 (80 random bits, so nothing slower)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    objects = RecoveryCodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_codes_differ"),
        ]

    def __str__(self) -> str:
        return f"recovery code of {self.created_at:%Y-%m-%d}"


class MailedCode(Entity):
    """A code that was asked for by mail. The code itself is derived from the row's id by HMAC, and stored nowhere."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mailed_codes")
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["expires_at"], name="mailed_codes_by_age")]

    def __str__(self) -> str:
        return f"code asked for at {self.requested_at:%Y-%m-%d %H:%M}"


class SignInChallengeQuerySet(models.QuerySet["SignInChallenge"]):
    def open(self, at: datetime) -> Self:
        """Challenges that nobody has met yet, and still may."""
        return self.filter(used_at=None, expires_at__gt=at, user__is_active=True)


class SignInChallenge(Entity):
    """A right password that waits for its second factor.

    Its token, known here by its SHA-256, opens nothing but that. A tag of the password hash ends it when the password
    changes meanwhile.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_in_challenges"
    )
    digest = models.CharField(max_length=64, unique=True)
    password_tag = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = SignInChallengeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="sign_in_challenges_by_age")]

    def __str__(self) -> str:
        return f"challenge until {self.expires_at:%Y-%m-%d %H:%M}"
