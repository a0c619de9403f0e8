"""A small world for the permission matrix: one course with everything in it, and somebody for every role."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from accounts import services as accounts
from accounts.models import (
    InstructorProfile,
    Method,
    PrivacyRequest,
    PrivacyRequestKind,
    PrivacyRequestStatus,
    SecondFactor,
    User,
)
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.second_factors import app_of, code_now
from certificates.tests.factories import CertificateFactory
from courses.models import Assignment, Course, LessonType, Question, QuestionKind, Quiz
from courses.services import material_link
from courses.tests.factories import CourseFactory, freeze
from enrollments.models import Enrollment
from enrollments.tests.factories import EnrollmentFactory
from notifications.models import Channel, Message, MessageStatus, MessageType
from progress.models import CourseProgress, QuizAttempt
from progress.tests.factories import loose_material
from smartcourse.webhooks.tests.factories import EndpointFactory, WebhookDeliveryFactory
from smartcourse.workflows.models import Run

# Anonymous, student elsewhere, enrolled student, other student of the course, the course's instructor, another
# instructor, staff, administrator.
ROLES = ("AN", "ST", "EN", "OS", "IO", "OI", "SF", "AD")
KINDS = {
    "ST": "student", "EN": "student", "OS": "student", "IO": "instructor", "OI": "instructor",
    "SF": "staff", "AD": "admin",
}  # fmt: skip


@dataclass
class World:
    """`people` by role, `rows` by the name that a path says between braces, `words` that are no ids."""

    people: dict[str, User | None]
    course: Course
    rows: dict[str, Any] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """Return the id of the row of that name, as a path or a body says it."""
        return self.words[name] if name in self.words else str(self.rows[name].pk)

    def path(self, template: str) -> str:
        """Return the address that the template, `courses/{course}`, stands for."""
        return "/api/v1/" + template.format_map(self)

    def role(self, name: str) -> Any:
        return self.people[name]


def cast() -> dict[str, User | None]:
    people: dict[str, User | None] = {role: UserFactory(role=kind) for role, kind in KINDS.items()}
    for role in ("IO", "OI"):
        InstructorProfile.objects.create(user=people[role])
    return {"AN": None, **people}


def course_of(instructor: Any, *, published: bool) -> World:
    """Return a world of that course alone: a text, a preview, a quiz and an assignment in one module."""
    course = CourseFactory(instructor=instructor, lessons=4)
    module = course.modules.get()
    text, preview, quizzed, assigned = module.lessons.all()
    preview.is_preview = True
    quizzed.type, assigned.type = LessonType.QUIZ, LessonType.ASSIGNMENT
    for lesson in (preview, quizzed, assigned):
        lesson.save()
    quiz = Quiz.objects.create(lesson=quizzed)
    question = Question.objects.create(
        quiz=quiz, kind=QuestionKind.TRUE_FALSE, prompt="Is it?", key=True, position=0
    )
    assignment = Assignment.objects.create(lesson=assigned)
    material = loose_material(course, name="notes.txt")
    text.materials.add(material)
    picture = io.BytesIO()
    Image.new("RGB", (1, 1)).save(picture, "PNG")
    course.cover.save("cover.png", ContentFile(picture.getvalue()))
    if published:
        freeze(course)
    rows = {
        "course": course, "module": module, "lesson": text, "preview": preview, "quiz_lesson": quizzed, "quiz": quiz,
        "question": question, "assignment_lesson": assigned, "assignment": assignment, "material": material,
    }  # fmt: skip
    return World({}, course, rows)


def build_world(*, published: bool = True) -> World:
    """Return the whole world; a draft's has no learners."""
    people = cast()
    world = course_of(people["IO"], published=published)
    world.people = people
    world.words["file_link"] = urlsplit(material_link(material_id=world.rows["material"].pk)).query
    world.words["signature"] = parse_qs(world.words["file_link"])["signature"][0]
    world.rows["newcomer"] = UserFactory()
    for role in KINDS:
        world.rows[f"user_{role}"] = people[role]
    if published:
        add_learning(world)
        add_belongings(world)
        add_second_factors(world)
    return world


def learner(student: Any, course: Course, **traits: Any) -> Enrollment:
    enrollment = EnrollmentFactory.create(student=student, course=course, **traits)
    CourseProgress.objects.create(enrollment=enrollment)
    return enrollment


def add_learning(world: World) -> None:
    """EN and OS study in the course; another course of the same instructor was completed by EN."""
    run = run_of("enrollment", world.rows["user_EN"])
    enrollment = learner(world.role("EN"), world.course, workflow_id=run.pk)
    classmates = learner(world.role("OS"), world.course)
    attempt = QuizAttempt.objects.create(enrollment=enrollment, quiz=world.rows["quiz"], number=1)
    QuizAttempt.objects.create(enrollment=classmates, quiz=world.rows["quiz"], number=1)
    finished = learner(
        world.role("EN"), CourseFactory(instructor=world.role("IO"), published=True), completed=True
    )
    certificate = CertificateFactory(enrollment=finished)
    world.words["code"] = certificate.code
    world.rows |= {
        "run": run, "enrollment": enrollment, "attempt": attempt, "finished": finished, "certificate": certificate,
    }  # fmt: skip


def run_of(process: str, by: Any) -> Run:
    """Return the row of a process that somebody started and that waits."""
    return Run.objects.create(
        process=process, subject_id=uuid4(), key=uuid4().hex, requested_by=by, next_attempt_at=timezone.now()
    )


def add_belongings(world: World) -> None:
    """EN has a notice and a webhook, and is signed in somewhere; the platform has a webhook."""
    owner = world.role("EN")
    world.rows["notice"] = Message.objects.create(
        fact_id=uuid4(), recipient=owner, channel=Channel.IN_APP, type=MessageType.COURSE_WELCOME,
        title="Welcome", status=MessageStatus.SENT, next_attempt_at=timezone.now(),
    )  # fmt: skip
    hook = EndpointFactory(owner=owner)
    world.rows |= {
        "hook": hook, "hook_delivery": WebhookDeliveryFactory(endpoint=hook),
        "platform_hook": EndpointFactory(platform=True),
    }  # fmt: skip
    world.rows["api_key"] = accounts.create_api_key(
        user_id=owner.pk, name="Sync", scopes=["courses:read"], expires_at=timezone.now() + timedelta(days=9),
        at=timezone.now(),
    ).row  # fmt: skip
    signed_in = sign_in(owner)
    world.words["refresh_token"] = signed_in.refresh_token
    world.words["session"] = str(session_id(signed_in))
    world.words["reset"] = accounts.password_reset_token_for(user_id=owner.pk)
    accounts.request_email_change(
        user_id=owner.pk, new_email=f"{uuid4()}@example.org", current_password=PASSWORD, at=timezone.now()
    )
    world.words["email_change"] = accounts.email_change_token_for(
        change_id=owner.email_changes.open().get().pk
    )
    add_requests(world, owner)
    world.words["verification"] = accounts.verification_token_for(user_id=owner.pk)


def add_requests(world: World, owner: Any) -> None:
    """EN has a copy of everything and has applied to teach; OS has asked to be erased, and may think again."""
    now = timezone.now()
    world.rows["export"] = export = PrivacyRequest(
        user=owner, requested_by=owner, kind=PrivacyRequestKind.EXPORT, status=PrivacyRequestStatus.DONE, due_at=now,
        expires_at=now + timedelta(days=1),
    )  # fmt: skip
    export.archive.save("everything.zip", ContentFile(b"PK"))
    world.words["export_link"] = urlsplit(accounts.export_link(request=export)).query
    world.rows["erasure"] = accounts.request_erasure(
        user_id=world.role("OS").pk, current_password=PASSWORD, at=now
    )
    world.rows["application"] = accounts.apply_as_instructor(
        user_id=owner.pk, statement="I know all about knots.", at=now
    )


def add_second_factors(world: World) -> None:
    """ST has an app and codes by mail, and is halfway through a log-in; everybody else is setting an app up."""
    for role in KINDS:
        app_of(world.people[role], confirmed=role == "ST")
    owner = world.role("ST")
    SecondFactor.objects.create(user=owner, method=Method.EMAIL, confirmed_at=timezone.now())
    begun = accounts.begin_log_in(
        email=owner.email, password=PASSWORD, device=accounts.Device("tests", "192.0.2.7"), at=timezone.now()
    )
    assert isinstance(begun, accounts.Challenge)
    world.words["mfa_token"] = begun.mfa_token


def sign_in(user: Any) -> accounts.SignedInSession:
    """Sign somebody in, by both steps where there are two."""
    device, now = accounts.Device("tests", "192.0.2.7"), timezone.now()
    begun = accounts.begin_log_in(email=user.email, password=PASSWORD, device=device, at=now)
    if isinstance(begun, accounts.SignedInSession):
        return begun
    return accounts.complete_log_in(
        mfa_token=begun.mfa_token, method=Method.TOTP, code=code_now(), device=device, at=now
    )


def session_id(signed_in: accounts.SignedInSession) -> UUID:
    return accounts.read_access_token(signed_in.access_token).session_id
