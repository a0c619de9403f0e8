"""Which fact is told to whom, as which type of message."""

from __future__ import annotations

from accounts.events import UserRegistered
from accounts.models import User
from certificates.events import CertificateIssued
from courses.events import CoursePublishingFailed
from enrollments.events import EnrollmentActivated, EnrollmentCompleted
from notifications.models import MessageType
from notifications.services import notify
from progress.events import ModuleCompleted
from smartcourse.events.subscriptions import subscribe
from smartcourse.workflows.events import WorkflowFailed


@subscribe(UserRegistered, queue="emails")
def welcome_to_the_place(fact: UserRegistered) -> None:
    notify(fact=fact, type=MessageType.ACCOUNT_WELCOME, recipient_id=fact.user_id, context={})


@subscribe(UserRegistered, queue="emails")
def ask_to_verify_the_address(fact: UserRegistered) -> None:
    notify(fact=fact, type=MessageType.EMAIL_VERIFICATION, recipient_id=fact.user_id, context={})


@subscribe(EnrollmentActivated, queue="emails")
def welcome_to_the_course(fact: EnrollmentActivated) -> None:
    context = {"course_id": str(fact.course_id), "course_title": fact.course_title}
    notify(fact=fact, type=MessageType.COURSE_WELCOME, recipient_id=fact.student_id, context=context)


@subscribe(EnrollmentCompleted, queue="emails")
def congratulate_on_completion(fact: EnrollmentCompleted) -> None:
    context = {"course_id": str(fact.course_id), "course_title": fact.course_title}
    notify(fact=fact, type=MessageType.COURSE_COMPLETED, recipient_id=fact.student_id, context=context)


@subscribe(ModuleCompleted, queue="events")
def note_a_completed_module(fact: ModuleCompleted) -> None:
    context = {
        "course_id": str(fact.course_id),
        "course_title": fact.course_title,
        "module_id": str(fact.module_id),
        "module_title": fact.module_title,
    }
    notify(fact=fact, type=MessageType.MODULE_COMPLETED, recipient_id=fact.student_id, context=context)


@subscribe(CertificateIssued, queue="emails")
def hand_over_the_certificate(fact: CertificateIssued) -> None:
    context = {"certificate_id": str(fact.certificate_id), "course_title": fact.course_title}
    notify(fact=fact, type=MessageType.CERTIFICATE_READY, recipient_id=fact.student_id, context=context)


@subscribe(CoursePublishingFailed, queue="emails")
def tell_that_publishing_failed(fact: CoursePublishingFailed) -> None:
    context = {"course_id": str(fact.course_id), "course_title": fact.title, "error": fact.error}
    notify(fact=fact, type=MessageType.PUBLISHING_FAILED, recipient_id=fact.instructor_id, context=context)


@subscribe(WorkflowFailed, queue="emails")
def alert_staff_to_a_failed_process(fact: WorkflowFailed) -> None:
    context = {"process": fact.process, "workflow_id": str(fact.workflow_id), "error": fact.error}
    for person in User.objects.active().filter(is_staff=True):
        notify(fact=fact, type=MessageType.OPERATIONS_ALERT, recipient_id=person.pk, context=context)
