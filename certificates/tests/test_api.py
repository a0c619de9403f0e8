"""Certificates over HTTP: works, anonymous, stranger, invalid, repeated."""

from __future__ import annotations

from typing import Any

import pytest

from certificates.models import Certificate, CertificateStatus
from certificates.tests.factories import CertificateFactory
from enrollments.tests.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/certificates"


@pytest.fixture
def certificate(student: Any, instructor: Any) -> Certificate:
    return CertificateFactory(
        enrollment=EnrollmentFactory(completed=True, student=student, course__instructor=instructor)
    )


class TestList:
    def test_shows_ones_own(self, certificate: Certificate, student: Any, client_of: Any) -> None:
        [row] = client_of(student).get(URL).json()["results"]
        assert set(row) == {
            "id", "code", "status", "issued_at", "course", "recipient_name", "pdf_url", "verify_url",
        }  # fmt: skip
        assert set(row["course"]) == {"id", "title"}
        assert row["pdf_url"].startswith("http://testserver/api/v1/")

    def test_leaves_out_what_cannot_be_had_yet(
        self, certificate: Certificate, student: Any, client_of: Any
    ) -> None:
        Certificate.objects.update(status=CertificateStatus.PENDING)
        assert client_of(student).get(URL).json()["results"] == []
        assert client_of(student).get(f"{URL}/{certificate.pk}").status_code == 404

    def test_shows_each_what_the_matrix_says(
        self, certificate: Certificate, instructor: Any, rival: Any, stranger: Any, staff: Any, client_of: Any
    ) -> None:
        counts = [
            len(client_of(who).get(URL).json()["results"]) for who in (instructor, rival, stranger, staff)
        ]
        assert counts == [1, 0, 0, 1]
        assert client_of(None).get(URL).status_code == 401

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, student: Any, client_of: Any, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(4):
            CertificateFactory(enrollment__student=student)
        with django_assert_max_num_queries(2):
            assert len(client_of(student).get(URL).json()["results"]) == 4


class TestPdf:
    def test_is_an_attachment(self, certificate: Certificate, student: Any, client_of: Any) -> None:
        answer = client_of(student).get(f"{URL}/{certificate.pk}/pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"].startswith("attachment")
        assert b"".join(answer.streaming_content).startswith(b"%PDF")

    def test_is_hidden_from_strangers(
        self, certificate: Certificate, stranger: Any, rival: Any, instructor: Any, client_of: Any
    ) -> None:
        asked = [client_of(w).get(f"{URL}/{certificate.pk}/pdf").status_code for w in (None, stranger, rival)]
        assert asked == [401, 404, 404]
        # She sees it in her list; the document is the learner's.
        listed = client_of(instructor).get(URL).json()["results"]
        assert [row["id"] for row in listed] == [str(certificate.pk)]
        assert client_of(instructor).get(f"{URL}/{certificate.pk}/pdf").status_code == 403


class TestVerify:
    def test_tells_anybody_the_minimum(self, certificate: Certificate, anonymous: Any) -> None:
        told = anonymous.get(f"{URL}/verify/{certificate.code}").json()
        assert set(told) == {"valid", "status", "recipient_name", "course_title", "issued_at", "signature"}
        assert (told["valid"], told["status"]) == (True, "ISSUED")

    def test_says_that_a_revoked_one_is_not_valid(self, certificate: Certificate, anonymous: Any) -> None:
        Certificate.objects.update(status=CertificateStatus.REVOKED)
        told = anonymous.get(f"{URL}/verify/{certificate.code}").json()
        assert (told["valid"], told["status"]) == (False, "REVOKED")

    @pytest.mark.parametrize("code", ["NOTACODE", "0" * 26, "%00", "é" * 300])
    def test_knows_no_other_code(self, certificate: Certificate, anonymous: Any, code: str) -> None:
        assert anonymous.get(f"{URL}/verify/{code}").status_code in (400, 404)

    def test_has_a_page_for_people(self, certificate: Certificate, client: Any) -> None:
        page = client.get(f"/verify/{certificate.code}")
        assert page.status_code == 200
        assert certificate.recipient_name in page.content.decode()
        assert client.get("/verify/NOTACODE").status_code == 404

    def test_shows_markup_in_a_name_as_text(self, certificate: Certificate, client: Any) -> None:
        Certificate.objects.update(recipient_name="<script>alert(1)</script>")
        assert "<script>alert" not in client.get(f"/verify/{certificate.code}").content.decode()


class TestRequest:
    def test_starts_the_process_once(self, student: Any, client_of: Any) -> None:
        url = f"/api/v1/enrollments/{EnrollmentFactory(completed=True, student=student).pk}/certificate"
        first = client_of(student).post(url)
        assert first.status_code == 202
        assert client_of(student).post(url).json() == first.json()

    def test_refuses_a_course_that_is_not_completed(self, student: Any, client_of: Any) -> None:
        url = f"/api/v1/enrollments/{EnrollmentFactory(student=student).pk}/certificate"
        answer = client_of(student).post(url)
        assert (answer.status_code, answer.json()["code"]) == (422, "course_not_completed")

    def test_hides_a_strangers_enrollment(self, stranger: Any, client_of: Any) -> None:
        url = f"/api/v1/enrollments/{EnrollmentFactory(completed=True).pk}/certificate"
        assert [client_of(who).post(url).status_code for who in (None, stranger)] == [401, 404]
