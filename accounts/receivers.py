"""accounts hears of no fact; but whatever changes a row of a person has the cache doubted about it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from accounts import services
from accounts.models import User


@receiver(post_save, sender=User)
def doubt_who_changed(
    instance: User, *, created: bool, update_fields: Collection[str] | None, **_: Any
) -> None:
    # When somebody last logged in is not cached.
    if not created and set(update_fields or ()) != {"last_login"}:
        services.doubt_user(user_id=instance.pk)


@receiver(post_delete, sender=User)
def doubt_who_is_gone(instance: User, **_: Any) -> None:
    services.doubt_user(user_id=instance.pk)


@receiver(m2m_changed, sender=User.groups.through)
def doubt_whose_roles_changed(instance: Any, *, pk_set: set[UUID] | None, **_: Any) -> None:
    people = [instance.pk] if isinstance(instance, User) else pk_set or ()
    for user_id in people:
        services.doubt_user(user_id=user_id)
