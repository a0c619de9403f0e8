"""People for tests."""

from __future__ import annotations

from typing import Any

import factory
from django.contrib.auth.models import Group
from factory.django import DjangoModelFactory

from accounts.models import Role, User

PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory[User]):
    """`UserFactory(role="instructor")`; everybody's password is `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    # Not drawn by chance: a password that resembles its owner's name is refused, and chance would find such a pair.
    full_name = factory.Sequence(lambda n: f"Person Number {n}")
    is_verified = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> User:
        role = Role(kwargs.pop("role", Role.STUDENT))
        password = kwargs.pop("password", PASSWORD)
        user = model_class(*args, is_staff=role in (Role.STAFF, Role.ADMIN), **kwargs)
        user.set_password(password)
        user.save()
        # Not `groups.set`, which would look for what somebody new has already, and have the cache doubt it.
        membership = user.groups.through
        groups = Group.objects.filter(name__in={Role.STUDENT, role}).values_list("pk", flat=True)
        membership.objects.bulk_create([membership(user_id=user.pk, group_id=group) for group in groups])
        return user
