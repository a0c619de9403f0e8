"""The abstract model that every entity of the product extends."""

from __future__ import annotations

from django.db import models

from smartcourse.db.identifiers import uuid7


class Entity(models.Model):
    """A row with a public identity (UUIDv7) and the moments of its creation and last change."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        abstract = True
