"""Markup in every text that the back office shows: a real browser finds letters, and no element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import DatabaseError, models, transaction
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from accounts.tests.factories import UserFactory
from smartcourse.tests import test_browser
from smartcourse.tests.test_browser import VIOLATION, fill, sign_in

browser = test_browser.browser
pytestmark = test_browser.pytestmark
# It leaves an attribute, an option, a text area or a script as need be. The longest that fits is planted.
PAYLOADS = (
    "'\"></option></textarea></script><img src=x class=planted onerror=\"document.title='taken'\">",
    "'\"><b class=planted>",
)
# Words that the machinery reads: a row with others would be no row of its own any more.
READ_BY_MACHINES = {
    "password",
    "slug",
    "code",
    "sha256",
    "digest",
    "account",
    "place",
    "secret",
    "previous_secret",
}


def plantable() -> Iterator[tuple[Any, Any]]:
    """Yield (model, field) of every free text of what the back office shows."""
    for model in admin.site._registry:
        for field in model._meta.concrete_fields:
            is_free = isinstance(field, models.CharField | models.TextField) and not field.choices
            is_own = not field.primary_key and not isinstance(field, models.FileField)
            if is_free and is_own and field.name not in READ_BY_MACHINES:
                yield model, field


def plant() -> set[str]:
    """Write the payload into every text of a row of each model, and return which texts took it."""
    planted = set()
    for model, field in plantable():
        row = model._default_manager.order_by("pk").first()
        words = next((p for p in PAYLOADS if len(p) <= (field.max_length or 1000)), None)
        if row is None or words is None:
            continue
        try:
            with transaction.atomic():
                model._default_manager.filter(pk=row.pk).update(**{field.name: words})
            planted.add(f"{model._meta.label}.{field.name}")
        except DatabaseError:
            # A constraint of the database keeps it out, which is as good.
            continue
    return planted


def pages() -> Iterator[str]:
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"admin:{name}_changelist")
        if row := model._default_manager.order_by("pk").first():
            yield reverse(f"admin:{name}_change", args=[row.pk])


def wrong_with(browser: Any, url: str) -> list[str]:
    browser.get(url)
    told = [entry["message"] for entry in browser.get_log("browser")]
    found = ["an element"] if browser.find_elements("css selector", ".planted") else []
    found += ["a script"] if browser.title == "taken" else []
    return found + [message for message in told if VIOLATION in message]


class TestBackOffice:
    def test_shows_markup_as_text_wherever_it_is_stored(self, browser: Any, live_server: LiveServer) -> None:
        fill()
        planted = plant()
        assert planted >= {
            "accounts.User.full_name", "courses.Course.title", "courses.Lesson.title", "courses.Material.name",
            "progress.Submission.text", "notifications.Message.title", "queues.DeadLetter.cause",
        }  # fmt: skip
        sign_in(browser, live_server.url, UserFactory(role="admin"))
        wrong, seen = {}, 0
        for page in pages():
            if found := wrong_with(browser, live_server.url + page):
                wrong[page] = found
            seen += "class=planted" in browser.page_source
        assert wrong == {}
        # It is there to be read, or this would have looked at nothing.
        assert seen >= 20

    def test_is_looked_at_by_what_would_find_an_element(self, browser: Any, live_server: LiveServer) -> None:
        browser.get(live_server.url)
        browser.execute_script(
            "document.body.insertAdjacentHTML('beforeend', arguments[0])", f'<p title="{PAYLOADS[0]}'
        )
        assert browser.find_elements("css selector", ".planted")
