from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import accounts.receivers  # noqa: F401

        post_migrate.connect(_ensure_roles, sender=self)


def _ensure_roles(using: str, apps: Any = installed, **_: Any) -> None:
    """Have the roles wherever the schema is, also after a flush, which empties what a migration has written."""
    from accounts.models import Role

    try:
        group = apps.get_model("auth", "Group")
    except LookupError:
        # Migrated back to where there are no groups yet.
        return
    for role in Role.values:
        group.objects.using(using).get_or_create(name=role)
