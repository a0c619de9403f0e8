"""Which fact is told to whom."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from accounts.events import UserVerified
from certificates.events import CertificateIssued
from courses.events import CourseCreated, CourseUpdated
from courses.tests.factories import CourseFactory
from enrollments.events import EnrollmentActivated
from enrollments.tests.factories import EnrollmentFactory
from notifications.events import NotificationSent
from smartcourse.events.facts import all_facts
from smartcourse.events.outbox import publish
from smartcourse.events.subscriptions import subscription
from smartcourse.webhooks import services
from smartcourse.webhooks.models import Endpoint, WebhookDelivery
from smartcourse.webhooks.policies import can_be_heard, who_may_hear
from smartcourse.webhooks.tests.factories import EndpointFactory
from smartcourse.workflows.events import WorkflowFailed

pytestmark = pytest.mark.django_db


@pytest.fixture
def course(instructor: Any) -> Any:
    return CourseFactory(instructor=instructor, published=True)


@pytest.fixture
def activated(student: Any, course: Any) -> EnrollmentActivated:
    return EnrollmentActivated(
        enrollment_id=uuid4(), student_id=student.pk, course_id=course.pk, course_title=course.title
    )


@pytest.fixture
def listening(student: Any, classmate: Any, instructor: Any, rival: Any, staff: Any) -> dict[str, Any]:
    """An endpoint for each of the cast, and the platform's, all of which want everything."""
    people = {
        "student": student, "classmate": classmate, "instructor": instructor, "rival": rival, "staff": staff,
        "platform": None,
    }  # fmt: skip
    everything = sorted(all_facts())
    return {name: EndpointFactory(owner=owner, fact_types=everything) for name, owner in people.items()}


def told(listening: dict[str, Any], fact: Any) -> set[str]:
    services.fan_out(fact=fact)
    owed = set(WebhookDelivery.objects.filter(fact_id=fact.fact_id).values_list("endpoint_id", flat=True))
    return {name for name, endpoint in listening.items() if endpoint.pk in owed}


class TestAudience:
    def test_of_an_enrollment_is_the_learner_and_the_teacher(
        self, listening: dict[str, Any], activated: Any
    ) -> None:
        assert told(listening, activated) == {"student", "instructor", "platform"}

    def test_of_a_course_is_its_teacher(self, listening: dict[str, Any], course: Any) -> None:
        assert told(listening, CourseUpdated(course_id=course.pk)) == {"instructor", "platform"}

    def test_of_a_certificate_is_the_learner_and_the_teacher(
        self, listening: dict[str, Any], student: Any, course: Any
    ) -> None:
        enrollment: Any = EnrollmentFactory(student=student, course=course)
        fact = CertificateIssued(
            certificate_id=uuid4(), enrollment_id=enrollment.pk, student_id=student.pk, course_title="x"
        )
        assert told(listening, fact) == {"student", "instructor", "platform"}

    def test_of_an_account_is_its_owner(self, listening: dict[str, Any], student: Any) -> None:
        assert told(listening, UserVerified(user_id=student.pk)) == {"student", "platform"}

    def test_of_a_message_is_its_recipient(self, listening: dict[str, Any], classmate: Any) -> None:
        fact = NotificationSent(
            message_id=uuid4(), recipient_id=classmate.pk, message_type="course_welcome", channel="mail"
        )
        assert told(listening, fact) == {"classmate", "platform"}

    def test_of_what_is_about_nobody_is_the_platform(self, listening: dict[str, Any], student: Any) -> None:
        fact = WorkflowFailed(
            workflow_id=uuid4(), process="enrollment", subject_id=student.pk, error_code="x", error="x"
        )
        assert told(listening, fact) == {"platform"}
        assert not can_be_heard(WorkflowFailed)

    def test_leaves_out_who_teaches_no_more(
        self, listening: dict[str, Any], activated: Any, instructor: Any, course: Any
    ) -> None:
        instructor.groups.filter(name="instructor").get().user_set.remove(instructor)
        assert told(listening, activated) == {"student", "platform"}
        created = CourseCreated(course_id=course.pk, instructor_id=instructor.pk, title="x")
        assert told(listening, created) == {"platform"}

    def test_leaves_out_who_is_deactivated(
        self, listening: dict[str, Any], activated: Any, student: Any
    ) -> None:
        student.is_active = False
        student.save()
        assert told(listening, activated) == {"instructor", "platform"}

    def test_of_no_fact_holds_more_people_than_it_names(self) -> None:
        # Whatever is added to the registry: where a fact names nobody by the known words, nobody hears it.
        unheard = {name for name, fact in all_facts().items() if not can_be_heard(fact)}
        assert {"workflow.failed", "delivery.parked"} <= unheard

    def test_is_nobody_for_ids_that_are_unknown(self, activated: Any) -> None:
        assert who_may_hear(CourseUpdated(course_id=uuid4())) == set()


class TestFanOut:
    def test_owes_only_what_was_chosen(self, activated: Any, student: Any) -> None:
        EndpointFactory(owner=student, fact_types=["enrollment.completed"])
        EndpointFactory(owner=student, disabled=True)
        assert services.fan_out(fact=activated) == 0
        assert not WebhookDelivery.objects.exists()

    def test_heard_twice_owes_once(self, activated: Any, student: Any) -> None:
        EndpointFactory(owner=student)
        for _ in range(2):
            services.fan_out(fact=activated)
        delivery = WebhookDelivery.objects.get()
        assert (delivery.fact_id, delivery.fact_type) == (activated.fact_id, "enrollment.activated")
        assert str(activated.student_id) in delivery.body

    def test_follows_from_a_published_fact(self, activated: Any, student: Any, settle: Any) -> None:
        EndpointFactory(owner=student)
        with transaction.atomic():
            publish(activated)
        settle()
        assert WebhookDelivery.objects.filter(fact_id=activated.fact_id).count() == 1

    @pytest.mark.parametrize("count", [1, 8])
    def test_asks_as_often_for_many_as_for_one(
        self, count: int, activated: Any, student: Any, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(count):
            EndpointFactory(owner=student)
        # Savepoint and release, the owners, the course's teacher, whether she teaches, who is told, the rows.
        with django_assert_max_num_queries(7):
            assert services.fan_out(fact=activated) == count

    def test_costs_one_query_where_nobody_wants_it(
        self, activated: Any, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(3):
            services.fan_out(fact=activated)


class TestWanted:
    def test_is_what_enabled_endpoints_chose(self, student: Any) -> None:
        assert services.wanted_types() == set()
        EndpointFactory(owner=student, fact_types=["course.published", "enrollment.activated"])
        EndpointFactory(platform=True, fact_types=["course.published"])
        EndpointFactory(fact_types=["user.verified"], disabled=True)
        EndpointFactory(fact_types=["user.registered"], owner__is_active=False)
        assert services.wanted_types() == {"course.published", "enrollment.activated"}
        assert Endpoint.objects.count() == 4

    def test_is_what_the_relay_asks_for(self) -> None:
        mine = subscription("smartcourse.webhooks.receivers.tell_endpoints")
        assert (mine.wanted, mine.queue) == (services.wanted_types, "webhooks")
