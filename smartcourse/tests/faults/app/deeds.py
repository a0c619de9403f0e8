"""What a test has done inside of the installation, by the services that the product's own code calls."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Role, User
from accounts.services import Device, log_in
from accounts.tests.factories import PASSWORD, UserFactory
from courses.models import Course
from courses.services import take_seat
from courses.tests.factories import CourseFactory
from enrollments.events import EnrollmentActivated, PaymentSucceeded
from enrollments.models import Enrollment
from enrollments.tests.factories import EnrollmentFactory
from progress.events import ModuleCompleted
from smartcourse.db.identifiers import uuid7
from smartcourse.events.facts import Fact, fact_class
from smartcourse.events.models import Delivery
from smartcourse.events.outbox import publish
from smartcourse.events.subscriptions import subscription
from smartcourse.queues.dispatch import enqueue
from smartcourse.tests.faults.app import facts
from smartcourse.tests.faults.app.breakpoints import reach
from smartcourse.workflows import services as workflows


def publish_things(*, kind: str, plan: list[tuple[str, int]], batch: int = 1) -> int:
    """Publish a fact of that kind for every (thing, number), so many in a transaction."""
    make: Any = fact_class(kind)
    for start in range(0, len(plan), batch):
        with transaction.atomic():
            for thing, number in plan[start : start + batch]:
                publish(make(thing_id=UUID(thing), number=number))
    return len(plan)


def write_at_once(*, things: list[str], writers: int, rounds: int, slow: float, seed: int) -> int:
    """Let writers, each on a connection of its own, publish about the things; some hold their transaction open.

    Every twentieth transaction stays open for `slow` seconds after it has published: later ones about other things
    commit before it. Return how many facts there were.
    """

    def write(writer: int) -> int:
        chance, written = random.Random(seed + writer), 0
        for turn in range(rounds):
            # Sorted: two transactions that take the same things in another order would wait for each other.
            chosen = sorted(chance.sample(things, chance.randint(1, 3)))
            with transaction.atomic():
                for thing in chosen:
                    publish(facts.Happened(thing_id=UUID(thing), number=writer * rounds + turn + 1))
                if chance.random() < 0.05 or (turn == 0 and writer == 0):
                    _hold(slow)
            written += len(chosen)
        return written

    return sum(_on_threads(write, range(writers)))


def _hold(seconds: float) -> None:
    # In the database: a statement that runs is what a slow transaction looks like from outside.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def _on_threads(deed: Callable[[Any], Any], over: Sequence[Any]) -> list[Any]:
    def alone(argument: Any) -> Any:
        try:
            return deed(argument)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(over)) as pool:
        return list(pool.map(alone, over))


def make_person(*, role: str = Role.STUDENT) -> dict[str, Any]:
    """Make an account, and sign it in."""
    # An id for a name: an installation is used by many tests, and the factory's numbers begin anew with each process.
    user = UserFactory(role=role, email=f"{role}-{uuid7()}@example.org")
    session = log_in(email=user.email, password=PASSWORD, device=Device(), at=timezone.now())
    return {"id": user.pk, "email": user.email, "token": session.access_token}


def make_people(*, count: int, role: str = Role.STUDENT) -> list[dict[str, Any]]:
    return [make_person(role=role) for _ in range(count)]


def make_courses(*, teacher: str, count: int, published: bool, lessons: int = 1) -> list[dict[str, Any]]:
    """Make courses of that teacher, with what learners read of them or as drafts."""
    instructor = User.objects.get(pk=teacher)
    made = [
        CourseFactory(instructor=instructor, published=published, lessons=lessons, slug=f"course-{uuid7()}")
        for _ in range(count)
    ]
    return [{"id": course.pk, "lessons": _lessons_of(course)} for course in made]


def _lessons_of(course: Course) -> list[Any]:
    return [lesson.pk for module in course.modules.all() for lesson in module.lessons.all()]


def activate_enrollments(*, courses: list[str], students: list[str], modules: int, seed: int) -> int:
    """Enroll every student in every course, have each complete so many modules; publish that in an order of chance."""
    told: list[Fact] = []
    for course_id, student_id in [(course, student) for course in courses for student in students]:
        enrollment: Any = EnrollmentFactory(course_id=course_id, student_id=student_id)
        whose: dict[str, Any] = {
            "enrollment_id": enrollment.pk, "student_id": UUID(student_id), "course_id": UUID(course_id),
            "course_title": enrollment.course.title,
        }  # fmt: skip
        told.append(EnrollmentActivated(**whose))
        told += [ModuleCompleted(**whose, module_id=uuid7(), module_title="Knots") for _ in range(modules)]
    random.Random(seed).shuffle(told)
    for fact in told:
        with transaction.atomic():
            publish(fact)
    return len(told)


def order_seat(*, course: str, student: str) -> Any:
    """Leave an enrollment as an order leaves it: its seat is taken, its process waits for the money."""
    with transaction.atomic():
        enrollment = Enrollment.objects.create(course_id=course, student_id=student)
        take_seat(course_id=UUID(course))
        workflows.start(
            "enrollment", subject=enrollment.pk, key=str(enrollment.pk), data={"order_id": str(uuid7())}
        )  # fmt: skip
    return enrollment.pk


def pay(*, enrollment: str) -> None:
    """Tell that the money for it has come."""
    ordered = Enrollment.objects.get(pk=enrollment)
    with transaction.atomic():
        publish(
            PaymentSucceeded(
                payment_id=uuid7(), order_id=uuid7(), enrollment_id=ordered.pk, student_id=ordered.student_id,
                course_id=ordered.course_id, amount=4900, currency="EUR",
            )
        )  # fmt: skip


def send_deliveries_again(*, times: int, seed: int) -> int:
    """Send the Celery message of every delivery so often, in an order of chance; return how many messages."""
    owed = [(row.pk, subscription(row.subscriber).queue) for row in Delivery.objects.all()] * times
    random.Random(seed).shuffle(owed)
    for delivery_id, queue in owed:
        enqueue("events.deliver", queue=queue, delivery_ids=[str(delivery_id)])
    return len(owed)


def call_subscribers_again(*, times: int, seed: int, since: int) -> int:
    """Call the product's subscribers again with the facts after that position, past all marks; return how often."""
    handled = Delivery.objects.exclude(subscriber__contains=".faults.").select_related("fact")
    calls = list(handled.filter(status="HANDLED", position__gt=since)) * times
    random.Random(seed).shuffle(calls)
    for delivery in calls:
        with transaction.atomic():
            subscription(delivery.subscriber).handler(_fact_of(delivery))
    return len(calls)


def _fact_of(delivery: Delivery) -> Fact:
    row = delivery.fact
    return fact_class(row.type).from_payload(row.payload, fact_id=row.pk, occurred_at=row.occurred_at)


def pass_place(*, place: str, subject: str | None = None) -> None:
    """Reach a breakpoint in the agent itself."""
    reach(place, UUID(subject) if subject else None)
