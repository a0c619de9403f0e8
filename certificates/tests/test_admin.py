"""Certificates in the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from certificates.tests.factories import CertificateFactory
from enrollments.tests.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
URL = "/admin/certificates/certificate/"


class TestCertificateAdmin:
    def test_shows_instructors_their_own_and_staff_all(
        self, client: Client, instructor: Any, staff: Any, django_assert_max_num_queries: Any
    ) -> None:
        mine = CertificateFactory(enrollment=EnrollmentFactory(completed=True, course__instructor=instructor))
        other = CertificateFactory()
        client.force_login(instructor)
        page = client.get(URL).content.decode()
        assert mine.code in page
        assert other.code not in page
        assert client.get(f"{URL}{other.pk}/change/").status_code == 302
        client.force_login(staff)
        with django_assert_max_num_queries(12):
            page = client.get(URL).content.decode()
        assert other.code in page
        assert client.get(f"{URL}{other.pk}/change/").status_code == 200

    def test_is_closed_to_students(self, client: Client, student: Any) -> None:
        client.force_login(student)
        assert client.get(URL).status_code == 302
