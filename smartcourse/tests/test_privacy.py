"""A person with something in every table has all of it told, and is then nowhere any more."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session as BrowserSession
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import services as accounts
from accounts.models import (
    InstructorApplication,
    MailedCode,
    PrivacyRequest,
    PrivacyRequestKind,
    PrivacyRequestStatus,
    RecoveryCode,
    Role,
    SignInChallenge,
    User,
)
from accounts.tests.factories import PASSWORD
from accounts.tests.signing_in import bearer
from certificates.models import CertificateChange
from courses.models import Publication
from courses.tests.factories import freeze
from enrollments.events import EnrollmentDropped
from enrollments.models import Enrollment, EnrollmentChange
from notifications.models import Message
from progress.models import LessonProgress, QuizAttempt, Submission
from smartcourse.db.personal import Person
from smartcourse.events.models import ArchivedFact, Delivery, OutboxFact
from smartcourse.events.outbox import publish
from smartcourse.events.retention import COLUMNS
from smartcourse.processes import privacy as process
from smartcourse.queues.models import DeadLetter
from smartcourse.tests.planting import (
    ADDRESS,
    NAME,
    PLACE,
    found_in_database,
    found_in_files,
    holdings,
    name_in_texts,
    plant,
)
from smartcourse.tests.world import World, build_world, course_of, run_of, sign_in
from smartcourse.webhooks.models import DeliveryAttempt, WebhookDelivery
from smartcourse.webhooks.policies import who_may_hear
from smartcourse.webhooks.signing import body_of
from smartcourse.webhooks.tests.factories import WebhookDeliveryFactory
from smartcourse.workflows.definitions import StepContext, process_called
from smartcourse.workflows.models import Run, Signal, StepRecord
from smartcourse.workflows.services import advance

pytestmark = pytest.mark.django_db

SAID_IN_A_FACT = "zqsaidinafact"
IN_A_FILE = "zqinafile"


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    """The world, with files of its own; a learner also teaches and decides, and has left traces everywhere."""
    settings.MEDIA_ROOT = tmp_path
    world = build_world()
    person = world.role("EN")
    User.objects.filter(pk=person.pk).update(full_name=NAME, email=ADDRESS, last_login=timezone.now())
    person.refresh_from_db()
    accounts.grant_role(user_id=person.pk, role=Role.INSTRUCTOR, by=None)
    person.user_permissions.add(Permission.objects.first())
    signed_in = sign_in(person)
    signed_in.user.sessions.update(address=PLACE)
    accounts.create_api_key(
        user_id=person.pk, name="Sync", scopes=["courses:read"], at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=9),
    )  # fmt: skip
    accounts.request_email_change(
        user_id=person.pk, new_email="wanted@example.org", current_password=PASSWORD, at=timezone.now()
    )
    for row in (
        RecoveryCode(user=person, digest="x"),
        MailedCode(user=person, requested_at=timezone.now(), expires_at=timezone.now()),
        SignInChallenge(user=person, digest="x", password_tag="x", expires_at=timezone.now()),
    ):
        row.save()
    Client().force_login(person)
    leave_traces_of_teaching(world, person)
    leave_traces_of_learning(world, person)
    leave_traces_in_the_machinery(world, person)
    return world


def leave_traces_of_teaching(world: World, person: User) -> None:
    course = course_of(person, published=True)
    course.rows["material"].file.save("own.txt", ContentFile(IN_A_FILE.encode()))
    Publication.objects.filter(course=course.course).update(published_by=person)
    freeze(course.course)
    others = world.rows["certificate"]
    for kind in (EnrollmentChange(enrollment=others.enrollment), CertificateChange(certificate=others)):
        kind.by, kind.to_status, kind.at = person, "ACTIVE", timezone.now()
        kind.save()
    elsewhere = Enrollment.objects.exclude(student=person).first()
    EnrollmentChange.objects.create(
        enrollment=elsewhere, by=person, to_status="ACTIVE", reason="Of another", at=timezone.now()
    )
    InstructorApplication.objects.create(
        user=person, statement="I teach.", status="REJECTED", reason="Not yet.", decided_at=timezone.now()
    )
    InstructorApplication.objects.create(
        user=world.role("ST"), decided_by=person, statement="So do I.", status="REJECTED", reason="No.",
        decided_at=timezone.now(),
    )  # fmt: skip


def leave_traces_of_learning(world: World, person: User) -> None:
    enrollment, now = world.rows["enrollment"], timezone.now()
    LessonProgress.objects.create(enrollment=enrollment, lesson_id=world.rows["lesson"].pk)
    Submission.objects.create(
        enrollment=enrollment, assignment=world.rows["assignment"], number=1, text="Mine", submitted_at=now,
        submitted_by=person,
    )  # fmt: skip
    with transaction.atomic():
        for _ in range(2):
            publish(
                EnrollmentDropped(
                    enrollment_id=uuid4(), student_id=person.pk, course_id=uuid4(), reason=SAID_IN_A_FACT
                )
            )
    first = OutboxFact.objects.filter(type=EnrollmentDropped.type).first()
    assert first is not None
    ArchivedFact.objects.create(**{name: getattr(first, name) for name in COLUMNS})
    first.delete()
    WebhookDeliveryFactory(
        endpoint=world.rows["platform_hook"], fact_type=EnrollmentDropped.type,
        body=body_of(
            type=EnrollmentDropped.type, at=now, data={"student_id": str(person.pk), "reason": SAID_IN_A_FACT}
        ),
    )  # fmt: skip


def leave_traces_in_the_machinery(world: World, person: User) -> None:
    now, fact = timezone.now(), OutboxFact.objects.first()
    DeliveryAttempt.objects.create(
        delivery=world.rows["hook_delivery"], number=1, at=now, duration_ms=1, response="Thanks"
    )
    StepRecord.objects.create(run=world.rows["run"], position=0, name="activate", status="FAILED", trace="At")
    Signal.objects.create(run=world.rows["run"], name="payment.succeeded", data={})
    for who in (person, None):
        DeadLetter.objects.create(
            task_id=uuid4().hex, task="t", queue="default", cause="c", died_at=now, settled_by=who
        )
    assert fact is not None
    Delivery.objects.create(fact=fact, position=fact.position, subscriber="somebody", last_error="For")
    kind = ContentType.objects.get_for_model(User)
    for who in (person, world.role("AD")):
        LogEntry.objects.create(
            user=who, content_type=kind, object_id=str(person.pk), object_repr=NAME, action_flag=CHANGE
        )
    kept_export = PrivacyRequest(
        user=person, requested_by=person, kind=PrivacyRequestKind.EXPORT, status=PrivacyRequestStatus.DONE, due_at=now,
        expires_at=now,
    )  # fmt: skip
    kept_export.archive.save("earlier.zip", ContentFile(IN_A_FILE.encode()))


def person_of(world: World) -> Person:
    return Person(world.role("EN").pk, (ADDRESS,), NAME)


def export(world: World) -> ZipFile:
    request = accounts.request_export(user_id=world.role("EN").pk, at=timezone.now())
    assert request.workflow_id is not None
    advance(request.workflow_id)
    request.refresh_from_db()
    assert request.is_ready, StepRecord.objects.filter(run=request.workflow_id).values("trace")
    with request.archive.open("rb") as stored:
        return ZipFile(io.BytesIO(stored.read()))


def erase(world: World) -> PrivacyRequest:
    request = accounts.erase_user(
        user_id=world.role("EN").pk, by=world.role("AD"), reason="By letter", at=timezone.now()
    )
    assert request.workflow_id is not None
    advance(request.workflow_id)
    request.refresh_from_db()
    traces = StepRecord.objects.filter(run=request.workflow_id, status="FAILED").values_list(
        "trace", flat=True
    )
    assert request.status == PrivacyRequestStatus.DONE, "\n".join(traces)
    return request


def text_of(archive: ZipFile) -> str:
    return "".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


class TestWorld:
    def test_has_something_in_every_table_that_is_declared(self, world: World) -> None:
        empty = [(h.model, h.name) for h in holdings() if not h.of(person_of(world)).exists()]
        assert empty == []


class TestExport:
    def test_tells_every_word_that_is_declared_as_told_and_no_other(self, world: World) -> None:
        planted = plant(person_of(world))
        told = text_of(export(world))
        assert {planted.words[word] for word in planted.told if word not in told} == set()
        assert {planted.words[word] for word in planted.untold if word in told} == set()
        assert {word for word in (NAME, ADDRESS, PLACE, SAID_IN_A_FACT) if word not in told} == set()

    def test_has_the_files(self, world: World) -> None:
        archive = export(world)
        assert IN_A_FILE in text_of(archive)
        certificate = world.rows["certificate"]
        with certificate.pdf.open("rb") as stored:
            assert archive.read(f"certificates/certificate/{certificate.pk}-pdf.pdf") == stored.read()

    def test_tells_nothing_of_anybody_else(self, world: World) -> None:
        told = text_of(export(world))
        others = User.objects.exclude(pk=world.role("EN").pk).values_list("email", flat=True)
        assert [email for email in others if email in told] == []


class TestErasure:
    def test_leaves_no_word_but_those_that_are_kept_with_a_reason(self, world: World) -> None:
        planted = plant(person_of(world))
        assert name_in_texts(person_of(world)) > 5
        erase(world)
        gone = set(planted.words) - planted.kept
        left = found_in_database({*gone, NAME, ADDRESS, PLACE, SAID_IN_A_FACT})
        assert {table: {planted.words.get(w, w) for w in words} for table, words in left.items()} == {}

    def test_leaves_no_file_but_those_that_are_kept_with_a_reason(self, world: World) -> None:
        plant(person_of(world))
        copy = accounts.request_export(user_id=world.role("EN").pk, at=timezone.now())
        assert copy.workflow_id is not None
        advance(copy.workflow_id)
        kept = {world.rows["certificate"].pdf.name.rpartition("/")[2]}
        erase(world)
        assert set(found_in_files({NAME, ADDRESS})) <= kept
        # What is left of it is the file of a course, which is the course's.
        assert {name[-4:] for name in found_in_files({IN_A_FILE})} == {".txt"}

    def test_frees_the_address_and_ends_every_way_in(self, world: World, anonymous: Any) -> None:
        person = world.role("EN")
        signed_in = bearer(sign_in(person).access_token)
        browser = Client()
        browser.force_login(person)
        erase(world)
        assert signed_in.get("/api/v1/auth/me").status_code == 401
        assert browser.get("/admin/").status_code == 302
        assert [
            s for s in BrowserSession.objects.all() if s.get_decoded()["_auth_user_id"] == str(person.pk)
        ] == []
        body = {"email": ADDRESS, "password": PASSWORD}
        assert anonymous.post("/api/v1/auth/login", body).status_code == 401
        assert (
            anonymous.post("/api/v1/auth/register", {**body, "full_name": "Somebody Else"}).status_code == 201
        )

    def test_is_found_by_nobody(self, world: World, client_of: Any) -> None:
        person = world.role("EN")
        erase(world)
        for role in ("OS", "SF", "AD"):
            client = client_of(world.role(role))
            assert client.get(f"/api/v1/users/{person.pk}").status_code == 404
        found = client_of(world.role("AD")).get("/api/v1/users").json()["results"]
        assert str(person.pk) not in {row["id"] for row in found}

    def test_keeps_certificates_verifiable_and_enrollments_counted(
        self, world: World, anonymous: Any
    ) -> None:
        before = anonymous.get(f"/api/v1/certificates/verify/{world['code']}").json()
        finished = world.rows["finished"]
        erase(world)
        assert anonymous.get(f"/api/v1/certificates/verify/{world['code']}").json() == before
        finished.refresh_from_db()
        assert finished.status == "COMPLETED"
        assert QuizAttempt.objects.filter(enrollment__student=world.role("EN")).exists()
        world.rows["enrollment"].refresh_from_db()
        assert world.rows["enrollment"].status == "DROPPED"
        assert not WebhookDelivery.objects.filter(endpoint__owner=world.role("EN")).exists()

    def test_says_what_was_done_and_tells_the_listeners(self, world: World) -> None:
        request = erase(world)
        assert request.counts["accounts/user"] == 1
        assert request.counts["accounts/session"] >= 1
        told = OutboxFact.objects.get(type="user.erased")
        assert told.payload == {"user_id": str(world.role("EN").pk)}

    def test_is_told_to_those_who_taught_the_person(self, world: World) -> None:
        erase(world)
        told = OutboxFact.objects.get(type="user.erased").read()
        assert world.role("IO").pk in who_may_hear(told)
        assert world.role("OI").pk not in who_may_hear(told)

    @pytest.mark.parametrize("name", ["Welcome to", 'x", "course_id": "x'])
    def test_does_not_reach_into_what_others_read_by_a_chosen_name(self, name: str, world: World) -> None:
        User.objects.filter(pk=world.role("EN").pk).update(full_name=name)
        notice = Message.objects.create(
            fact_id=uuid4(), recipient=world.role("OS"), channel="in_app", type="course_welcome",
            title="Welcome to the course", body=name, data={"a": "x", "course_id": "x"}, next_attempt_at=timezone.now(),
        )  # fmt: skip
        DeadLetter.objects.update(arguments={"a": "x", "course_id": "x"})
        erase(world)
        notice.refresh_from_db()
        assert (notice.title, notice.body) == ("Welcome to the course", name)
        assert DeadLetter.objects.filter(arguments={"a": "x", "course_id": "x"}).count() == 2

    def test_takes_a_short_name_out_by_itself(self, world: World) -> None:
        User.objects.filter(pk=world.role("EN").pk).update(full_name="Li")
        record = StepRecord.objects.exclude(
            run__requested_by=world.role("EN")
        ).first() or StepRecord.objects.create(
            run=run_of("enrollment", None), position=0, name="activate", status="FAILED"
        )
        StepRecord.objects.filter(pk=record.pk).update(trace="For Li: alight, LI, Lilith")
        erase(world)
        record.refresh_from_db()
        assert record.trace == "For …: alight, …, Lilith"

    def test_goes_on_where_a_worker_died_in_the_middle_of_each_step(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        died: set[Any] = set()
        note_erased = accounts.note_erased

        def die_once(*, request_id: Any, counts: dict[str, int]) -> None:
            position = Run.objects.get(subject_id=request_id).position
            if position not in died:
                died.add(position)
                raise SystemExit
            note_erased(request_id=request_id, counts=counts)

        monkeypatch.setattr(process.accounts, "note_erased", die_once)
        request = accounts.erase_user(
            user_id=world.role("EN").pk, by=world.role("AD"), reason="By letter", at=timezone.now()
        )
        for _ in process.ROOMS:
            with pytest.raises(SystemExit):
                advance(request.workflow_id)  # type: ignore[arg-type]  # it was started
            Run.objects.filter(pk=request.workflow_id).update(
                lease_expires_at=timezone.now() - timedelta(seconds=1)
            )
        advance(request.workflow_id)  # type: ignore[arg-type]  # as above
        request.refresh_from_db()
        assert request.status == PrivacyRequestStatus.DONE
        assert len(died) == len(process.ROOMS)
        assert OutboxFact.objects.filter(type="user.erased").count() == 1
        assert found_in_database({NAME, ADDRESS, PLACE, SAID_IN_A_FACT}) == {}

    def test_may_be_repeated_step_by_step(self, world: World) -> None:
        request = erase(world)
        context = StepContext(uuid4(), request.pk, {})
        for step in process_called("erasure").steps[2:-1]:
            for _ in range(2):
                step.run(context)
        assert found_in_database({NAME, ADDRESS, PLACE, SAID_IN_A_FACT}) == {}

    def test_done_once_more_changes_nothing(self, world: World) -> None:
        request = erase(world)
        again = accounts.erase_user(
            user_id=world.role("EN").pk, by=world.role("AD"), reason="Once more", at=timezone.now()
        )
        assert again.pk == request.pk
        assert Run.objects.filter(process="erasure", subject_id=request.pk).count() == 1
