"""Markup that somebody stored is text in the back office, in every field of every page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import pytest
from django.contrib import admin
from django.db import DatabaseError, models, transaction
from django.test import Client

from accounts.tests.factories import UserFactory
from smartcourse.db.encryption import EncryptedTextField
from smartcourse.tests.test_browser import admin_pages, fill

pytestmark = pytest.mark.django_db

# Breaks out of an attribute, of a script and of a textarea; short enough for most columns.
TAG = "<img src=x onerror=a()>"
MARKUP = f"'\"></textarea></script>{TAG}"


def text_columns(model: type[models.Model]) -> Iterator[str]:
    """Yield the columns into which somebody's words go: no choices, nothing that the database reads for itself."""
    for field in model._meta.local_concrete_fields:
        is_text = isinstance(field, models.CharField | models.TextField)
        plain = is_text and not isinstance(field, EncryptedTextField | models.EmailField | models.FileField)
        if plain and not field.choices and (field.max_length or len(MARKUP)) >= len(MARKUP):
            yield field.attname


def plant() -> set[str]:
    """Write the markup into every such column, where the database lets it stand; return which they are."""
    planted = set()
    for model in admin.site._registry:
        for column in text_columns(model):
            try:
                with transaction.atomic():
                    if row := model._default_manager.first():
                        model._default_manager.filter(pk=row.pk).update(**{column: MARKUP})
                        planted.add(f"{model._meta.label}.{column}")
            except DatabaseError:
                # A constraint keeps it out: so it is shown nowhere.
                continue
    return planted


class TestStoredMarkup:
    @pytest.mark.full
    def test_is_shown_as_text_on_every_page_of_the_admin(self, client: Client) -> None:
        fill()
        planted = plant()
        assert {"courses.Course.title", "courses.Lesson.content", "accounts.User.full_name"} <= planted
        client.force_login(UserFactory(role="admin"))
        pages = {page: client.get(page).content.decode() for page in admin_pages()}
        assert [page for page, html in pages.items() if TAG in html] == []
        assert sum(escape(TAG) in html for html in pages.values()) > 20
