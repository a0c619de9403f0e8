"""Files: listed for readers, had by a short-lived link after a permission check."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from courses.models import CourseStatus
from courses.tests.factories import CourseFactory
from enrollments.tests.factories import EnrollmentFactory
from progress.tests.factories import loose_material, with_material
from smartcourse.db.identifiers import uuid7
from smartcourse.testing.fixtures import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def course(instructor: Any) -> Any:
    return CourseFactory(published=True, modules=1, lessons=2, instructor=instructor)


@pytest.fixture
def material(course: Any) -> Any:
    return with_material(course)


@pytest.fixture
def enrollment(student: Any, course: Any) -> Any:
    return EnrollmentFactory(student=student, course=course)


def address(material: Any) -> str:
    return f"/api/v1/materials/{material.pk}/download"


class TestDownload:
    @pytest.mark.parametrize(
        ("who", "status"),
        [
            ("student", 302),
            ("stranger", 403),
            ("instructor", 302),
            ("rival", 403),
            ("staff", 302),
            ("administrator", 302),
        ],
    )
    def test_is_for_the_enrolled_and_those_who_teach(
        self,
        who: str,
        status: int,
        material: Any,
        enrollment: Any,
        client_of: ClientOf,
        request: pytest.FixtureRequest,
    ) -> None:
        assert client_of(request.getfixturevalue(who)).get(address(material)).status_code == status

    def test_refuses_anonymous_visitors(self, material: Any, anonymous: Any) -> None:
        assert anonymous.get(address(material)).status_code == 401

    def test_leads_to_the_file(
        self, student: Any, material: Any, enrollment: Any, client_of: ClientOf, anonymous: Any
    ) -> None:
        redirect = client_of(student).get(address(material))
        assert "no-store" in redirect["Cache-Control"]
        answer = anonymous.get(redirect["Location"])
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) == b"notes"
        assert answer["Content-Type"] == "text/plain"
        assert answer["Content-Disposition"] == 'attachment; filename="notes.txt"'
        assert answer["X-Content-Type-Options"] == "nosniff"

    def test_opens_a_free_preview_to_everybody(self, course: Any, anonymous: Any) -> None:
        assert anonymous.get(address(with_material(course, preview=True))).status_code == 302

    @pytest.mark.parametrize(("state", "status"), [("PENDING", 403), ("DROPPED", 403), ("COMPLETED", 302)])
    def test_goes_by_the_state_of_the_enrollment(
        self, state: str, status: int, student: Any, course: Any, material: Any, client_of: ClientOf
    ) -> None:
        EnrollmentFactory(student=student, course=course, status=state)
        assert client_of(student).get(address(material)).status_code == status

    def test_does_not_find_what_only_a_draft_holds(
        self, student: Any, course: Any, enrollment: Any, instructor: Any, client_of: ClientOf
    ) -> None:
        unpublished = loose_material(course, name="draft.txt")
        course.modules.all()[0].lessons.all()[0].materials.add(unpublished)
        assert client_of(student).get(address(unpublished)).status_code == 404
        assert client_of(instructor).get(address(unpublished)).status_code == 302

    def test_does_not_find_the_files_of_a_draft_course(
        self, stranger: Any, anonymous: Any, client_of: ClientOf
    ) -> None:
        draft: Any = CourseFactory()
        hidden = loose_material(draft, name="draft.txt")
        assert client_of(stranger).get(address(hidden)).status_code == 404
        assert anonymous.get(address(hidden)).status_code == 404

    def test_does_not_find_nothing(self, student: Any, client_of: ClientOf) -> None:
        assert client_of(student).get(f"/api/v1/materials/{uuid7()}/download").status_code == 404

    def test_hides_an_archived_preview_from_strangers(self, course: Any, anonymous: Any) -> None:
        material = with_material(course, preview=True)
        course.status = CourseStatus.ARCHIVED
        course.save()
        assert anonymous.get(address(material)).status_code == 404


class TestContent:
    def test_refuses_a_link_that_ran_out(
        self, instructor: Any, material: Any, client_of: ClientOf, anonymous: Any
    ) -> None:
        link = client_of(instructor).get(address(material))["Location"]
        with time_machine.travel(timezone.now() + settings.MATERIAL_LINK_LIFETIME + timedelta(seconds=5)):
            assert anonymous.get(link).status_code in (403, 404)

    @pytest.mark.parametrize("change", ["forged", "none", "of another file"])
    def test_refuses_a_link_that_is(
        self, change: str, course: Any, instructor: Any, material: Any, client_of: ClientOf, anonymous: Any
    ) -> None:
        link = client_of(instructor).get(address(material))["Location"]
        other = loose_material(course, name="other.txt")
        changed = {
            "forged": link[:-1] + ("A" if link[-1] != "A" else "B"),
            "none": link.partition("?")[0],
            "of another file": link.replace(str(material.pk), str(other.pk)),
        }[change]
        assert anonymous.get(changed).status_code in (403, 404)


class TestMaterialsOfAnEnrollment:
    def test_are_those_of_the_publication_and_of_the_course(
        self, student: Any, course: Any, material: Any, enrollment: Any, client_of: ClientOf
    ) -> None:
        whole = loose_material(course, name="syllabus.txt")
        unpublished = loose_material(course, name="draft.txt")
        course.modules.all()[0].lessons.all()[1].materials.add(unpublished)
        answer = client_of(student).get(f"/api/v1/enrollments/{enrollment.pk}/materials")
        assert {row["id"] for row in answer.data["results"]} == {str(material.pk), str(whole.pk)}

    @pytest.mark.parametrize(
        ("who", "status"),
        [("student", 200), ("classmate", 404), ("instructor", 200), ("rival", 404), ("staff", 200)],
    )
    def test_are_for_its_readers(
        self, who: str, status: int, enrollment: Any, client_of: ClientOf, request: pytest.FixtureRequest
    ) -> None:
        client = client_of(request.getfixturevalue(who))
        assert client.get(f"/api/v1/enrollments/{enrollment.pk}/materials").status_code == status

    def test_are_not_for_those_who_left(self, student: Any, client_of: ClientOf) -> None:
        dropped: Any = EnrollmentFactory(student=student, status="DROPPED")
        assert client_of(student).get(f"/api/v1/enrollments/{dropped.pk}/materials").status_code == 403

    def test_are_not_for_anonymous_visitors(self, enrollment: Any, anonymous: Any) -> None:
        assert anonymous.get(f"/api/v1/enrollments/{enrollment.pk}/materials").status_code == 401
