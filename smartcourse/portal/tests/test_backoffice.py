"""The back office's home page, opened by those who may and those who may not."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import PASSWORD, UserFactory
from analytics.services import recompute_day
from courses.tests.factories import CourseFactory
from enrollments.tests.factories import EnrollmentFactory
from notifications.models import Channel, Message, MessageStatus, MessageType
from smartcourse.backoffice.home import Home
from smartcourse.db.identifiers import uuid7
from smartcourse.events.models import Delivery, DeliveryStatus, OutboxFact
from smartcourse.portal.backoffice import staff_home, teacher_home
from smartcourse.queues.models import DeadLetter
from smartcourse.workflows.models import Run, RunStatus

pytestmark = pytest.mark.django_db
URL = "/admin/"


def figures(rows: Any) -> dict[str, int | str]:
    return {figure.label: figure.value for figure in rows}


def periods(home: Home) -> dict[str, list[int | str]]:
    return {trend.title: [figure.value for figure in trend.periods] for trend in home.trends}


def parked_delivery() -> Delivery:
    now = timezone.now()
    fact = OutboxFact.objects.create(
        id=uuid7(), type="user.registered", version=1, aggregate="user", aggregate_id=uuid7(), sequence=1,
        payload={}, occurred_at=now,
    )  # fmt: skip
    return Delivery.objects.create(
        fact=fact, position=1, subscriber="test", status=DeliveryStatus.PARKED, next_attempt_at=now
    )


def failed_run() -> Run:
    return Run.objects.create(
        process="publishing",
        subject_id=uuid7(),
        key="k",
        status=RunStatus.FAILED,
        next_attempt_at=timezone.now(),
    )


def mail(recipient: Any, status: MessageStatus) -> Message:
    return Message.objects.create(
        fact_id=uuid7(), recipient=recipient, channel=Channel.MAIL, type=MessageType.COURSE_WELCOME, title="Welcome",
        status=status, next_attempt_at=timezone.now(),
    )  # fmt: skip


class TestStaffHome:
    def test_counts_people_and_courses(self, student: Any, instructor: Any) -> None:
        EnrollmentFactory(
            student=student, course=CourseFactory(instructor=instructor, published=True), completed=True
        )
        CourseFactory(instructor=instructor)
        shown = figures(staff_home(at=timezone.now()).figures)
        assert shown == {
            "Students": 2, "Instructors": 1, "Published courses": 1, "Enrollments ever": 1, "Completion rate": "100 %",
        }  # fmt: skip

    def test_counts_learning_by_periods(self, instructor: Any) -> None:
        now, course = timezone.now(), CourseFactory(instructor=instructor, published=True)
        for ago in (0, 3, 20, 40):
            EnrollmentFactory(course=course, started_at=now - timedelta(days=ago))
            recompute_day(day=(now - timedelta(days=ago)).date())
        home = staff_home(at=now)
        assert periods(home) == {"Enrollments": [1, 2, 3], "Completions": [0, 0, 0]}
        assert [bar.value for bar in home.trends[0].chart.bars if bar.value] == [1, 1, 1]
        assert home.trends[0].chart.bars[-1].value == 1

    def test_tells_what_is_owed_and_what_came_to_a_stop(self, student: Any) -> None:
        assert staff_home(at=timezone.now()).is_calm
        parked_delivery()
        DeadLetter.objects.create(task="reports.make", queue="reports", task_id="1", died_at=timezone.now())
        failed_run()
        mail(student, MessageStatus.PENDING)
        mail(student, MessageStatus.FAILED)
        mail(student, MessageStatus.SENT)
        home = staff_home(at=timezone.now())
        assert figures(home.watch) == {
            "Facts waiting": 1, "Deliveries owed": 0, "Applications to teach": 0, "Mails waiting": 1,
            "Deliveries parked": 1, "Dead letters": 1, "Processes failed": 1, "Mails not sent": 1,
        }  # fmt: skip
        assert not home.is_calm
        calling = [figure.label for figure in home.watch if figure.needs_attention]
        assert calling == ["Deliveries parked", "Dead letters", "Processes failed", "Mails not sent"]


class TestTeacherHome:
    def test_shows_her_courses_and_nobody_elses(self, instructor: Any, rival: Any) -> None:
        mine = CourseFactory(instructor=instructor, published=True, title="Mine")
        CourseFactory(instructor=instructor, title="Draft")
        theirs = CourseFactory(instructor=rival, published=True, title="Theirs")
        EnrollmentFactory(course=mine, completed=True)
        EnrollmentFactory(course=mine, percentage=50)
        EnrollmentFactory(course=mine, status="DROPPED", percentage=10)
        EnrollmentFactory(course=theirs)
        home = teacher_home(teacher=instructor, at=timezone.now())
        assert [(c.title, c.learners, c.completions, c.percentage) for c in home.courses or ()] == [
            ("Mine", 2, 1, 75),
            ("Draft", 0, 0, 0),
        ]
        assert figures(home.figures) == {"Published courses": 1, "Drafts": 1, "Learners": 2, "Completed": 1}
        assert periods(home)["Completions"] == [1, 1, 1]

    def test_counts_by_periods(self, instructor: Any) -> None:
        now, course = timezone.now(), CourseFactory(instructor=instructor, published=True)
        for ago in (0, 6, 7, 29, 30):
            EnrollmentFactory(course=course, started_at=now - timedelta(days=ago))
        assert periods(teacher_home(teacher=instructor, at=now))["Enrollments"] == [1, 2, 4]

    def test_says_nothing_of_the_machinery(self, instructor: Any) -> None:
        parked_delivery()
        assert not teacher_home(teacher=instructor, at=timezone.now()).watch


class TestPage:
    def test_greets_staff_with_the_numbers(self, client: Client, staff: Any) -> None:
        failed_run()
        client.force_login(staff)
        page = client.get(URL).content.decode()
        assert "Good to see you, Stella Staff" in page
        assert "Needs attention" in page

    def test_greets_instructors_with_their_courses(self, client: Client, instructor: Any, rival: Any) -> None:
        CourseFactory(instructor=instructor, title="Mine <b>", published=True)
        CourseFactory(instructor=rival, title="Theirs", published=True)
        client.force_login(instructor)
        page = client.get(URL).content.decode()
        assert "Mine &lt;b&gt;" in page
        assert "Theirs" not in page
        assert "The machinery" not in page

    def test_sends_students_and_visitors_to_the_log_in(self, client: Client, student: Any) -> None:
        assert client.get(URL)["Location"].startswith("/admin/login/")
        client.force_login(student)
        assert client.get(URL)["Location"].startswith("/admin/login/")

    def test_lets_staff_in_by_the_form(self, client: Client, staff: Any) -> None:
        answer = client.post("/admin/login/", {"username": staff.email, "password": PASSWORD, "next": URL})
        assert answer["Location"] == URL

    def test_says_when_the_log_in_failed(self, client: Client, staff: Any) -> None:
        answer = client.post("/admin/login/", {"username": staff.email, "password": "wrong"})
        assert 'role="alert"' in answer.content.decode()

    @pytest.mark.parametrize("role", ["staff", "instructor"])
    def test_links_to_lists_that_open(self, client: Client, role: str) -> None:
        person: Any = UserFactory(role=role)
        EnrollmentFactory(course=CourseFactory(instructor=person, published=True), completed=True)
        client.force_login(person)
        main = client.get(URL).content.decode().split('id="content-main"')[1]
        links = {unescape(link) for link in re.findall(r'href="([^"]+)"', main)}
        assert dict.fromkeys(links, 200) == {link: client.get(link).status_code for link in links}

    @pytest.mark.parametrize("role", ["staff", "instructor"])
    def test_asks_as_many_questions_however_much_there_is(
        self, client: Client, role: str, django_assert_max_num_queries: Any
    ) -> None:
        person: Any = UserFactory(role=role)
        client.force_login(person)
        for _ in range(4):
            EnrollmentFactory(course=CourseFactory(instructor=person, published=True))
            mail(person, MessageStatus.PENDING)
        recompute_day(day=timezone.now().date())
        with django_assert_max_num_queries(21 if role == "staff" else 10):
            client.get(URL)

    def test_holds_nothing_that_the_content_security_policy_refuses(self, client: Client, staff: Any) -> None:
        client.force_login(staff)
        for url in (URL, "/admin/password_change/"):
            page = client.get(url)
            assert "script-src 'self'" in page["Content-Security-Policy"]
            assert not re.search(r"<style|<script(?![^>]* src=)| style=| on\w+=", page.content.decode())

    def test_needs_no_provider(self, client: Client, staff: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("smartcourse.backoffice.home._providers", [])
        client.force_login(staff)
        assert client.get(URL).status_code == 200
