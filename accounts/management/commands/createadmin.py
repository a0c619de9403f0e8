"""`manage.py createadmin`: the first administrator of an installation."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts import services
from accounts.models import Role, User, normalise_email
from smartcourse.errors import DomainError, Invalid


class Command(BaseCommand):
    help = (
        "Make an account with a role (an administrator, where none is named). The password is asked for, or read from "
        "standard input; it is never an argument, which others on the machine could see."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True, help="the full name")
        parser.add_argument("--role", choices=Role.values, default=Role.ADMIN.value)

    def handle(self, *args: Any, **options: Any) -> None:
        self._check(email=options["email"], full_name=options["name"])
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            with transaction.atomic():
                now = timezone.now()
                user = services.register_user(
                    email=options["email"], password=password, full_name=options["name"], at=now
                )
                services.mark_verified(user_id=user.pk, at=now)
                services.grant_role(user_id=user.pk, role=Role(options["role"]), by=None)
        except DomainError as error:
            rows = error.errors if isinstance(error, Invalid) else []
            raise CommandError(" ".join([error.detail, *(row.detail for row in rows)])) from error
        self.stdout.write(f"{user.email} is {options['role']} now.")

    @staticmethod
    def _check(*, email: str, full_name: str) -> None:
        """Hold the words to what the API holds them to, before anybody is asked for a password."""
        try:
            User(email=normalise_email(email), full_name=full_name.strip()).clean_fields(exclude=["password"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
