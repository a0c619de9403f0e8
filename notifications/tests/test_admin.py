"""Messages in the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from notifications.models import Message, MessageStatus
from notifications.tests.test_messages import welcome

pytestmark = pytest.mark.django_db
URL = "/admin/notifications/message/"


class TestMessageAdmin:
    def test_shows_staff_every_message(
        self, client: Client, staff: Any, student: Any, django_assert_max_num_queries: Any
    ) -> None:
        welcome(student)
        client.force_login(staff)
        with django_assert_max_num_queries(12):
            page = client.get(URL)
        assert page.status_code == 200
        assert student.full_name in page.content.decode()
        assert client.get(f"{URL}{Message.objects.first().pk}/change/").status_code == 200  # type: ignore[union-attr]  # there are two

    def test_is_closed_to_instructors_and_students(
        self, client: Client, instructor: Any, student: Any
    ) -> None:
        client.force_login(instructor)
        assert client.get(URL).status_code == 403
        client.force_login(student)
        assert client.get(URL).status_code == 302

    def test_sends_failed_messages_again(self, client: Client, staff: Any, student: Any) -> None:
        welcome(student)
        Message.objects.update(status=MessageStatus.FAILED)
        client.force_login(staff)
        chosen = [str(m.pk) for m in Message.objects.all()]
        answer = client.post(URL, {"action": "send_again", "_selected_action": chosen}, follow=True)
        assert "2 messages will be sent again." in answer.content.decode()
        assert not Message.objects.filter(status=MessageStatus.FAILED).exists()
