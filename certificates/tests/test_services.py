"""From a completed enrollment to one certificate, whatever happens."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from pypdf import PdfReader

from certificates import services
from certificates.models import CODE_ALPHABET, CODE_LENGTH, Certificate, CertificateStatus, new_code
from enrollments.events import EnrollmentCompleted
from enrollments.models import Enrollment
from enrollments.tests.factories import EnrollmentFactory
from smartcourse.events.models import OutboxFact
from smartcourse.events.outbox import publish
from smartcourse.workflows.models import Run, RunStatus
from smartcourse.workflows.services import advance


def completed(enrollment: Enrollment) -> EnrollmentCompleted:
    return EnrollmentCompleted(
        enrollment_id=enrollment.pk,
        student_id=enrollment.student_id,
        course_id=enrollment.course_id,
        course_title=enrollment.course.title,
    )


@pytest.mark.django_db
class TestCertification:
    def test_makes_one_certificate_although_the_fact_comes_three_times(self, settle: Any) -> None:
        enrollment = EnrollmentFactory(completed=True)
        for _ in range(3):
            publish(completed(enrollment))
        settle()
        certificate = Certificate.objects.get()
        assert certificate.status == CertificateStatus.ISSUED
        assert OutboxFact.objects.filter(type="certificate.issued").count() == 1

    def test_prints_name_course_and_code(self, settle: Any) -> None:
        enrollment = EnrollmentFactory(
            completed=True, student__full_name="Wawrzyniec Żółć", course__title="Węzły"
        )
        publish(completed(enrollment))
        settle()
        certificate = Certificate.objects.get()
        with certificate.pdf.open("rb") as pdf:
            text = PdfReader(io.BytesIO(pdf.read())).pages[0].extract_text()
        assert "Wawrzyniec Żółć" in text
        assert "Węzły" in text
        assert certificate.code in text.replace("-", "").replace(" ", "")

    def test_freezes_the_words(self, settle: Any) -> None:
        enrollment = EnrollmentFactory(completed=True, student__full_name="Ada Before")
        publish(completed(enrollment))
        settle()
        enrollment.student.full_name = "Ada After"
        enrollment.student.save()
        publish(completed(enrollment))
        settle()
        assert Certificate.objects.get().recipient_name == "Ada Before"

    def test_reports_a_name_that_no_font_can_print(self, settle: Any) -> None:
        enrollment = EnrollmentFactory(completed=True, student__full_name="Ada 🧶 Knots")
        publish(completed(enrollment))
        settle()
        run = Run.objects.get(process="certification")
        assert (run.status, run.error_code) == (RunStatus.FAILED, "unprintable_text")
        assert not Certificate.objects.exists()
        assert OutboxFact.objects.filter(type="workflow.failed").exists()

    def test_can_be_asked_for_once_the_name_was_mended(self, settle: Any) -> None:
        enrollment = EnrollmentFactory(completed=True, student__full_name="Ada 🧶 Knots")
        publish(completed(enrollment))
        settle()
        enrollment.student.full_name = "Ada Knots"
        enrollment.student.save()
        services.request_certificate(enrollment_id=enrollment.pk)
        settle()
        assert Certificate.objects.get().recipient_name == "Ada Knots"

    def test_goes_on_after_the_printing_failed(self, settle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        enrollment = EnrollmentFactory(completed=True)
        with monkeypatch.context() as patch:
            patch.setattr(services, "render_certificate", lambda words: 1 / 0)
            advance(services.request_certificate(enrollment_id=enrollment.pk).pk)
        assert Certificate.objects.get().status == CertificateStatus.PENDING
        advance(Run.objects.get(process="certification").pk)
        assert Certificate.objects.get().status == CertificateStatus.ISSUED

    def test_refuses_an_enrollment_that_is_not_completed(self) -> None:
        with pytest.raises(services.CourseNotCompleted):
            services.request_certificate(enrollment_id=EnrollmentFactory().pk)


@pytest.mark.django_db(transaction=True)
class TestConcurrently:
    def test_twenty_preparations_make_one_certificate(self) -> None:
        enrollment = EnrollmentFactory(completed=True)
        codes: list[str] = []

        def work() -> None:
            codes.append(services.prepare_certificate(enrollment_id=enrollment.pk).code)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(codes) == 20
        assert len(set(codes)) == 1

    def test_a_step_repeated_after_a_crash_leaves_one_file(self) -> None:
        certificate = services.prepare_certificate(enrollment_id=EnrollmentFactory(completed=True).pk)
        with transaction.atomic():
            first = services.store_pdf(certificate_id=certificate.pk).pdf.name
            # Killed between the storage and the commit.
            transaction.set_rollback(True)
        assert not Certificate.objects.get().pdf
        assert services.store_pdf(certificate_id=certificate.pk).pdf.name == first


class TestCode:
    def test_holds_at_least_128_random_bits(self) -> None:
        assert len(CODE_ALPHABET) ** CODE_LENGTH >= 2**128
        assert len({new_code() for _ in range(100)}) == 100

    @pytest.mark.django_db
    def test_is_found_however_it_was_typed(self) -> None:
        enrollment = EnrollmentFactory(completed=True)
        code = "0123456789ABCDEFGHJK1MN0PQ"
        certificate = Certificate.objects.create(
            enrollment=enrollment, code=code, recipient_name="A", course_title="B", pdf="x.pdf",
            status=CertificateStatus.ISSUED, issued_at=enrollment.completed_at,
        )  # fmt: skip
        for typed in (code, code.lower(), "-".join(code), " ".join(code), "O123456789ABCDEFGHJKlMNoPQ"):
            assert services.find_by_code(code=typed) == certificate
