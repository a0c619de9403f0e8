"""Which fact is told to whom, as which type of message."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts import services as accounts
from accounts.events import (
    UserEmailChangeRequested,
    UserErasureRequested,
    UserExportPrepared,
    UserInstructorApproved,
    UserInstructorRejected,
    UserMfaDisabled,
    UserMfaEnabled,
    UserPasswordResetRequested,
    UserRegistered,
    UserSignInCodeRequested,
    UserVerificationRequested,
)
from accounts.models import User
from certificates.events import CertificateIssued
from courses.events import CourseArchived, CoursePublishingFailed
from enrollments.events import EnrollmentActivated, EnrollmentCompleted
from enrollments.models import Enrollment
from notifications.models import MessageType
from notifications.services import notify, notify_many, was_alerted
from progress.events import ModuleCompleted
from smartcourse.events.events import DeliveryParked
from smartcourse.events.facts import Fact
from smartcourse.events.subscriptions import subscribe
from smartcourse.workflows.events import WorkflowFailed, WorkflowStalled

# What a process fails of without a rule that refuses.
OUR_OWN = {"internal_error", "timed_out"}


@subscribe(UserRegistered, queue="emails")
def welcome_to_the_place(fact: UserRegistered) -> None:
    notify(fact=fact, type=MessageType.ACCOUNT_WELCOME, recipient_id=fact.user_id, context={})


@subscribe(UserRegistered, queue="emails")
def ask_to_verify_the_address(fact: UserRegistered) -> None:
    notify(fact=fact, type=MessageType.EMAIL_VERIFICATION, recipient_id=fact.user_id, context={})


@subscribe(UserVerificationRequested, queue="emails")
def ask_once_more_to_verify_the_address(fact: UserVerificationRequested) -> None:
    notify(fact=fact, type=MessageType.EMAIL_VERIFICATION, recipient_id=fact.user_id, context={})


@subscribe(UserPasswordResetRequested, queue="emails")
def show_the_way_to_a_new_password(fact: UserPasswordResetRequested) -> None:
    notify(fact=fact, type=MessageType.PASSWORD_RESET, recipient_id=fact.user_id, context={})


@subscribe(UserEmailChangeRequested, queue="emails")
def ask_to_confirm_the_new_address(fact: UserEmailChangeRequested) -> None:
    # Whoever has the address already is not bothered with a link that would not work.
    if accounts.may_be_confirmed(change_id=fact.change_id):
        context = {"change_id": str(fact.change_id)}
        notify(
            fact=fact,
            type=MessageType.EMAIL_CHANGE_CONFIRMATION,
            recipient_id=fact.user_id,
            context=context,
        )


@subscribe(UserEmailChangeRequested, queue="emails")
def tell_the_present_address_that_another_is_wanted(fact: UserEmailChangeRequested) -> None:
    context = {"change_id": str(fact.change_id)}
    notify(fact=fact, type=MessageType.EMAIL_CHANGE_NOTICE, recipient_id=fact.user_id, context=context)


@subscribe(UserInstructorApproved, queue="emails")
def welcome_an_instructor(fact: UserInstructorApproved) -> None:
    _tell_the_decision(fact, MessageType.INSTRUCTOR_APPROVED)


@subscribe(UserInstructorRejected, queue="emails")
def say_no_to_an_applicant(fact: UserInstructorRejected) -> None:
    _tell_the_decision(fact, MessageType.INSTRUCTOR_REJECTED)


def _tell_the_decision(fact: UserInstructorApproved | UserInstructorRejected, type_: MessageType) -> None:
    # Applications go with the person, who is told nothing then either.
    if accounts.is_reachable(user_id=fact.user_id):
        reason = accounts.decision_on(application_id=fact.application_id)
        notify(fact=fact, type=type_, recipient_id=fact.user_id, context={"reason": reason})


@subscribe(UserExportPrepared, queue="emails")
def tell_that_the_export_is_ready(fact: UserExportPrepared) -> None:
    context = {"request_id": str(fact.request_id), "days": settings.EXPORT_KEPT.days}
    notify(fact=fact, type=MessageType.EXPORT_READY, recipient_id=fact.user_id, context=context)


@subscribe(UserErasureRequested, queue="emails")
def tell_when_the_account_will_be_erased(fact: UserErasureRequested) -> None:
    context = {"request_id": str(fact.request_id), "due_on": f"{fact.due_at:%Y-%m-%d}"}
    notify(fact=fact, type=MessageType.ERASURE_SCHEDULED, recipient_id=fact.user_id, context=context)


@subscribe(UserSignInCodeRequested, queue="emails")
def mail_the_code(fact: UserSignInCodeRequested) -> None:
    context = {"mailing_id": str(fact.mailing_id)}
    notify(fact=fact, type=MessageType.SIGN_IN_CODE, recipient_id=fact.user_id, context=context)


@subscribe(UserMfaEnabled, queue="emails")
def tell_of_a_second_factor(fact: UserMfaEnabled) -> None:
    context = {"method": fact.method}
    notify(fact=fact, type=MessageType.SECOND_FACTOR_ADDED, recipient_id=fact.user_id, context=context)


@subscribe(UserMfaDisabled, queue="emails")
def tell_of_a_second_factor_that_is_gone(fact: UserMfaDisabled) -> None:
    context = {"method": fact.method, "by_staff": fact.by_staff}
    notify(fact=fact, type=MessageType.SECOND_FACTOR_REMOVED, recipient_id=fact.user_id, context=context)


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


@subscribe(CourseArchived, queue="emails")
def tell_the_learners_of_an_archived_course(fact: CourseArchived) -> None:
    learners = Enrollment.objects.reading().filter(course=fact.course_id, student__is_active=True)
    notify_many(
        fact=fact,
        type=MessageType.COURSE_ARCHIVED,
        recipient_ids=learners.order_by("pk").values_list("student_id", flat=True).iterator(),
        context={"course_id": str(fact.course_id), "course_title": fact.title},
    )


@subscribe(CoursePublishingFailed, queue="emails")
def tell_that_publishing_failed(fact: CoursePublishingFailed) -> None:
    context = {"course_id": str(fact.course_id), "course_title": fact.title, "error": fact.error}
    notify(fact=fact, type=MessageType.PUBLISHING_FAILED, recipient_id=fact.instructor_id, context=context)


@subscribe(WorkflowFailed, queue="emails")
def alert_staff_to_a_failed_process(fact: WorkflowFailed) -> None:
    kind = {"process": fact.process, "error_code": fact.error_code}
    context = {**kind, "workflow_id": str(fact.workflow_id), "error": fact.error}
    if fact.error_code in OUR_OWN:
        _alert_staff(fact, context)
    else:
        # A rule's refusal is an answer to who asked, who has it. An author who publishes an empty course again and
        # again is no reason for as many mails.
        _alert_staff(fact, {**context, "rarely": "yes"}, once_an_hour=kind)


@subscribe(WorkflowStalled, queue="emails")
def alert_staff_to_a_process_that_cannot_be_undone(fact: WorkflowStalled) -> None:
    context = {
        "process": fact.process,
        "workflow_id": str(fact.workflow_id),
        "error": fact.error,
        "stuck": "yes",
    }
    _alert_staff(fact, context)


@subscribe(DeliveryParked, queue="emails")
def alert_staff_to_a_parked_fact(fact: DeliveryParked) -> None:
    context = {
        "subscriber": fact.subscriber,
        "fact_type": fact.fact_type,
        "delivery_id": str(fact.delivery_id),
        "error": fact.error,
    }
    _alert_staff(fact, context)


def _alert_staff(fact: Fact, context: dict[str, str], *, once_an_hour: dict[str, str] | None = None) -> None:
    """Alert everybody on the staff; where `once_an_hour` says of which kind it is, who has no such alert already."""
    for person in User.objects.active().filter(is_staff=True):
        if not (once_an_hour and was_alerted(fact=fact, recipient_id=person.pk, like=once_an_hour)):
            notify(fact=fact, type=MessageType.OPERATIONS_ALERT, recipient_id=person.pk, context=context)


# By its name: webhooks stand beside this context.
@subscribe("webhook.endpoint_disabled", queue="emails")
def tell_that_a_webhook_was_disabled(fact: Any) -> None:
    context = {"endpoint_id": str(fact.endpoint_id), "host": fact.host, "reason": fact.reason}
    staff = User.objects.active().filter(is_staff=True).values_list("pk", flat=True)
    # Without an owner it is the platform's, and staff look after it.
    for recipient_id in [fact.owner_id] if fact.owner_id else staff:
        notify(fact=fact, type=MessageType.WEBHOOK_DISABLED, recipient_id=recipient_id, context=context)
