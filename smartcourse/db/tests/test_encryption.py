"""What is encrypted: unreadable in a copy of the database, readable in its place, under keys that can be replaced."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection, models

from accounts.models import User
from accounts.tests.factories import UserFactory
from smartcourse.db import resealing
from smartcourse.db.encryption import EncryptedTextField, Sealed, Unreadable, present_key_id, seal, unseal
from smartcourse.db.resealing import encrypted_columns, reseal
from smartcourse.webhooks.models import Endpoint

pytestmark = pytest.mark.django_db

PHONE = "+4930901820"


@pytest.fixture
def person() -> Any:
    user = UserFactory(phone=PHONE, birth_date=date(1990, 2, 28))
    return User.objects.get(pk=user.pk)


def stored(user: Any) -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone, birth_date FROM accounts_user WHERE id = %s", [user.pk])
        return cursor.fetchone()


def store(user: Any, phone: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET phone = %s WHERE id = %s", [phone, user.pk])


def new_key() -> str:
    return b64encode(secrets.token_bytes(32)).decode()


class TestColumn:
    def test_holds_nothing_in_the_clear(self, person: Any) -> None:
        assert (person.phone, person.birth_date) == (PHONE, date(1990, 2, 28))
        for value in stored(person):
            assert value.startswith(f"v1:{present_key_id()}:")
            assert PHONE not in value
            assert "1990" not in value

    def test_of_every_model_is_sealed_when_a_row_is_saved(self, person: Any) -> None:
        Endpoint.objects.create(url="https://hooks.example", fact_types=["course.published"])
        columns = {column.name: column for column in encrypted_columns()}
        assert {"accounts_user.phone", "accounts_user.birth_date", "webhooks_endpoint.secret"} <= set(columns)
        for name in ("accounts_user.phone", "webhooks_endpoint.secret"):
            reseal(columns[name], dry_run=True)
            assert columns[name].by_key == {present_key_id(): 1}

    def test_says_that_there_is_nothing(self) -> None:
        user = UserFactory()
        assert not any(stored(user))
        assert User.objects.filter(phone="", birth_date=None).get() == user

    def test_is_another_text_each_time(self, person: Any) -> None:
        twin = UserFactory(phone=PHONE)
        assert stored(twin)[0] != stored(person)[0]

    def test_stays_as_it_is_when_only_the_rest_is_saved(self, person: Any) -> None:
        before = stored(person)
        person.full_name = "Somebody Else"
        person.save()
        assert stored(person) == before
        assert "phone" in person.__dict__
        assert isinstance(person.__dict__["phone"], Sealed), "nobody looked at it, so nobody opened it"

    def test_opens_where_it_was_deferred(self, person: Any) -> None:
        assert User.objects.only("email").get(pk=person.pk).phone == PHONE
        person.refresh_from_db()
        assert person.phone == PHONE

    def test_opens_in_no_other_row(self, person: Any) -> None:
        thief = UserFactory()
        store(thief, stored(person)[0])
        with pytest.raises(Unreadable, match=f"accounts_user.phone:{thief.pk}"):
            _ = User.objects.get(pk=thief.pk).phone

    def test_opens_in_no_other_column(self, person: Any) -> None:
        store(person, stored(person)[1])
        with pytest.raises(Unreadable):
            _ = User.objects.get(pk=person.pk).phone

    @pytest.mark.parametrize("place", [0, -3])
    def test_does_not_open_when_it_was_changed(self, person: Any, place: int) -> None:
        value = list(stored(person)[0].rpartition(":")[2])
        value[place] = "A" if value[place] != "A" else "B"
        store(person, f"v1:{present_key_id()}:{''.join(value)}")
        with pytest.raises(Unreadable):
            _ = User.objects.get(pk=person.pk).phone

    def test_without_its_key_says_which_is_missing(self, person: Any, settings: Any) -> None:
        lost = present_key_id()
        settings.DATA_ENCRYPTION_KEY = new_key()
        with pytest.raises(Unreadable, match=lost) as refused:
            _ = User.objects.get(pk=person.pk).phone
        assert settings.DATA_ENCRYPTION_KEY not in str(refused.value)
        assert User.objects.get(pk=person.pk).full_name, "the rest of the row can be read"

    def test_is_looked_up_by_nothing_and_updated_by_no_query(self, person: Any) -> None:
        with pytest.raises(FieldError):
            User.objects.filter(phone=PHONE).exists()
        with pytest.raises(FieldError):
            User.objects.filter(phone__startswith="+49").exists()
        with pytest.raises(FieldError):
            User.objects.update(phone=PHONE)

    def test_takes_any_text(self) -> None:
        for text in ("x", "Ω≈ç√", "a" * 10_000, "v1:looks:sealed"):
            assert unseal(seal(text, place="here"), place="here") == text


class TestRotation:
    def rotate(self, **options: Any) -> Any:
        out = StringIO()
        call_command("rotate_encryption_key", json=True, stdout=out, **options)
        return {row["column"]: row for row in json.loads(out.getvalue())["columns"]}

    @pytest.fixture
    def replaced(self, person: Any, settings: Any) -> str:
        former = settings.DATA_ENCRYPTION_KEY
        settings.DATA_ENCRYPTION_KEY, settings.DATA_ENCRYPTION_PREVIOUS_KEYS = new_key(), [former]
        return str(former)

    def test_needs_the_former_key_no_more(self, person: Any, replaced: str, settings: Any) -> None:
        assert User.objects.get(pk=person.pk).phone == PHONE, "it opens before"
        told = self.rotate()
        assert told["accounts_user.phone"]["encrypted_anew"] == 1
        settings.DATA_ENCRYPTION_PREVIOUS_KEYS = []
        opened = User.objects.get(pk=person.pk)
        assert (opened.phone, opened.birth_date) == (PHONE, date(1990, 2, 28))

    def test_says_beforehand_and_changes_nothing(self, person: Any, replaced: str) -> None:
        before = stored(person)
        told = self.rotate(dry_run=True)["accounts_user.phone"]
        assert (sum(told["values_by_key"].values()), told["encrypted_anew"]) == (1, 0)
        assert stored(person) == before

    def test_goes_on_where_it_was_interrupted(
        self, person: Any, replaced: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        UserFactory.create_batch(5, phone="+4930901821")
        store(person, stored(person)[0])
        monkeypatch.setattr(resealing, "BATCH", 2)
        column = next(c for c in encrypted_columns() if c.name == "accounts_user.phone")
        # As if under the former key, too.
        for user in User.objects.exclude(phone=""):
            store(user, seal_under(replaced, user))

        def killed(seen: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            reseal(column, dry_run=False, progress=killed)
        assert self.rotate()["accounts_user.phone"]["encrypted_anew"] == 4
        assert self.rotate()["accounts_user.phone"]["encrypted_anew"] == 0

    def test_leaves_what_it_cannot_open_and_fails(self, person: Any, settings: Any) -> None:
        settings.DATA_ENCRYPTION_KEY = new_key()
        before = stored(person)
        with pytest.raises(CommandError, match="2 values cannot be opened"):
            self.rotate()
        assert stored(person) == before


def seal_under(key: str, user: Any) -> str:
    from django.test import override_settings

    field = User._meta.get_field("phone")
    with override_settings(DATA_ENCRYPTION_KEY=key, DATA_ENCRYPTION_PREVIOUS_KEYS=[]):
        return seal(PHONE, place=field.place_of(user.pk))


class TestSecretsOfTheModels:
    def test_are_encrypted_or_hashed(self) -> None:
        """A column that is named like a secret is one of ours to seal, or holds a digest."""
        from django.apps import apps

        named = {
            f"{model._meta.label}.{field.name}"
            for model in apps.get_models()
            for field in model._meta.local_concrete_fields
            if any(word in field.name for word in ("secret", "phone", "birth", "totp"))
            and not isinstance(field, EncryptedTextField | models.DateTimeField | models.ForeignKey)
        }
        assert named == set()
