"""Enrolling, and all that becomes of an enrollment."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from accounts.services import record_total_students
from courses.models import Course
from courses.services import record_learner_count, release_seat, take_seat
from enrollments.events import EnrollmentActivated, EnrollmentCompleted, EnrollmentCreated, EnrollmentDropped
from enrollments.models import SEATED, Enrollment, EnrollmentChange, EnrollmentStatus
from smartcourse.errors import Conflict, FieldError, NotAllowed, NotFound, RuleViolated, Unacceptable
from smartcourse.events.outbox import publish
from smartcourse.workflows import services as workflows

# Each try meets a live enrollment that is gone a moment later; nobody drops and enrolls that fast for long.
TRIES = 5


class CourseNotFound(NotFound):
    message = "There is no such course."


class StudentNotFound(NotFound):
    message = "There is no such student."


class EnrollmentNotFound(NotFound):
    message = "There is no such enrollment."


class OwnCourse(NotAllowed):
    message = "You teach this course, so you cannot enroll in it."


class PaymentRequired(RuleViolated):
    code = "payment_required"
    message = "This course has a price: place an order for it."


class EnrollmentBusy(Conflict):
    message = "This enrollment is being changed just now. Please try again."
    transient = True


class ReasonRequired(Unacceptable):
    message = "A reason is required for what you do with another person's enrollment."

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("reason", "required", self.message)])


class CompletedCannotBeDropped(Conflict):
    message = "A completed course cannot be dropped."


class EnrollmentNotActive(Conflict):
    message = "This enrollment is not active."


@transaction.atomic
def enroll(
    *, student_id: UUID, course_id: UUID, by_id: UUID, reason: str = "", at: datetime
) -> tuple[Enrollment, bool]:
    """Enroll the student and start the enrollment process; return the enrollment, and whether it is new.

    A live enrollment of the student in that course is returned as it is. A new one is PENDING and holds its seat.

    Raises:
        ReasonRequired: somebody else enrolls the student, and does not say why.
        CourseNotFound: the course is absent or not published.
        StudentNotFound: the student is absent or deactivated.
        OwnCourse: the student teaches it.
        PaymentRequired: it has a price.
        CourseFull: no seat is left.
        EnrollmentClosed: the course was closed in this moment.
    """
    if by_id != student_id and not reason:
        raise ReasonRequired
    for _ in range(TRIES):
        if (
            live := Enrollment.objects.with_course()
            .live()
            .filter(student=student_id, course=course_id)
            .first()
        ):
            return live, False
        course = _open_course(course_id, student_id=student_id)
        if enrollment := _create(student_id=student_id, course=course):
            # Only now the seat: its row is the one that everybody who enrolls in the course waits for.
            take_seat(course_id=course_id)
            _begin(enrollment, by_id=by_id, reason=reason, at=at)
            return enrollment, True
    raise EnrollmentBusy


def _open_course(course_id: UUID, *, student_id: UUID) -> Course:
    course = (
        Course.objects.published()
        .select_related("instructor")
        .defer("search_vector")
        .filter(pk=course_id)
        .first()
    )
    if course is None:
        raise CourseNotFound
    if course.instructor_id == student_id:
        raise OwnCourse
    if not course.is_free:
        raise PaymentRequired
    if not get_user_model().objects.filter(pk=student_id, is_active=True).exists():
        raise StudentNotFound
    return course


def _create(*, student_id: UUID, course: Course) -> Enrollment | None:
    """Write the row; None where a concurrent request wrote the learner's live enrollment first."""
    try:
        with transaction.atomic():
            return Enrollment.objects.create(student_id=student_id, course=course)
    except IntegrityError as error:
        if "one_live_enrollment_per_course" not in str(error):
            raise
        return None


def _begin(enrollment: Enrollment, *, by_id: UUID, reason: str, at: datetime) -> None:
    _record_change(enrollment, from_status="", by_id=by_id, reason=reason, at=at)
    publish(
        EnrollmentCreated(
            enrollment_id=enrollment.pk, student_id=enrollment.student_id, course_id=enrollment.course_id
        )
    )
    run = workflows.start("enrollment", subject=enrollment.pk, key=str(enrollment.pk), requested_by=by_id)
    enrollment.follow(run.pk)


@transaction.atomic
def activate_enrollment(*, enrollment_id: UUID, at: datetime) -> Enrollment:
    """Open the classroom of a PENDING enrollment; any other (dropped meanwhile, already active) stays as it is.

    Raises:
        EnrollmentNotFound: there is none.
    """
    enrollment = _locked(enrollment_id)
    if enrollment.status != EnrollmentStatus.PENDING:
        return enrollment
    enrollment.activate(at=at)
    _record_change(enrollment, from_status=EnrollmentStatus.PENDING, by_id=None, at=at)
    publish(
        EnrollmentActivated(
            enrollment_id=enrollment.pk,
            student_id=enrollment.student_id,
            course_id=enrollment.course_id,
            course_title=enrollment.course.title,
        )
    )
    return enrollment


@transaction.atomic
def release_enrollment(*, enrollment_id: UUID, reason: str, at: datetime) -> Enrollment:
    """Undo a PENDING enrollment that could not be brought about; any other stays as it is.

    Raises:
        EnrollmentNotFound: there is none.
    """
    enrollment = _locked(enrollment_id)
    if enrollment.status == EnrollmentStatus.PENDING:
        _end(enrollment, by_id=None, reason=reason, at=at)
    return enrollment


@transaction.atomic
def release_pending_enrollments(*, course_id: UUID, reason: str, at: datetime) -> int:
    """Undo the enrollments in a course that are not active yet, and return how many there were."""
    waiting = Enrollment.objects.filter(course=course_id, status=EnrollmentStatus.PENDING).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True))
    for enrollment_id in ids:
        release_enrollment(enrollment_id=enrollment_id, reason=reason, at=at)
    return len(ids)


@transaction.atomic
def drop_enrollment(*, enrollment_id: UUID, by_id: UUID, reason: str = "", at: datetime) -> Enrollment:
    """End a live enrollment and free its seat; one that has ended stays as it is.

    Raises:
        EnrollmentNotFound: there is none.
        ReasonRequired: it is another person's, and no reason is given.
        CompletedCannotBeDropped: the learner completed the course, and asks to drop it.
    """
    enrollment = _locked(enrollment_id)
    own = enrollment.student_id == by_id
    if not own and not reason:
        raise ReasonRequired
    if enrollment.has_ended:
        return enrollment
    if own and enrollment.status == EnrollmentStatus.COMPLETED:
        raise CompletedCannotBeDropped
    _end(enrollment, by_id=by_id, reason=reason, at=at)
    return enrollment


@transaction.atomic
def drop_enrollments_of(*, student_id: UUID, reason: str, at: datetime) -> int:
    """End what a person has not completed, who is not coming back, and return how many it was; the seats are free."""
    live = Enrollment.objects.live().filter(student=student_id).exclude(status=EnrollmentStatus.COMPLETED)
    ids = list(live.order_by("pk").values_list("pk", flat=True))
    for enrollment_id in ids:
        enrollment = _locked(enrollment_id)
        if not enrollment.has_ended and enrollment.status != EnrollmentStatus.COMPLETED:
            _end(enrollment, by_id=None, reason=reason, at=at)
    return len(ids)


def _end(enrollment: Enrollment, *, by_id: UUID | None, reason: str, at: datetime) -> None:
    before = enrollment.status
    enrollment.drop(at=at)
    if before in SEATED:
        release_seat(course_id=enrollment.course_id)
    _record_change(enrollment, from_status=before, by_id=by_id, reason=reason, at=at)
    publish(
        EnrollmentDropped(
            enrollment_id=enrollment.pk,
            student_id=enrollment.student_id,
            course_id=enrollment.course_id,
            reason=reason,
        )
    )


def record_progress(*, enrollment_id: UUID, percentage: float) -> None:
    """Set the headline (0 to 100) that progress has worked out; whether it may sink is for progress to say."""
    Enrollment.objects.filter(pk=enrollment_id).update(percentage=percentage)


@transaction.atomic
def complete_enrollment(*, enrollment_id: UUID, at: datetime) -> Enrollment:
    """Mark an ACTIVE enrollment COMPLETED; one that is completed already stays as it is, without a second fact.

    Raises:
        EnrollmentNotFound: there is none.
        EnrollmentNotActive: it was dropped, suspended, or never activated.
    """
    enrollment = _locked(enrollment_id)
    if enrollment.status == EnrollmentStatus.COMPLETED:
        return enrollment
    if enrollment.status != EnrollmentStatus.ACTIVE:
        raise EnrollmentNotActive
    enrollment.complete(at=at)
    _record_change(enrollment, from_status=EnrollmentStatus.ACTIVE, by_id=enrollment.student_id, at=at)
    publish(
        EnrollmentCompleted(
            enrollment_id=enrollment.pk,
            student_id=enrollment.student_id,
            course_id=enrollment.course_id,
            course_title=enrollment.course.title,
        )
    )
    return enrollment


def reading_enrollment(*, student_id: UUID, course_id: UUID) -> Enrollment | None:
    """Return the enrollment that lets the student read the course, if there is one."""
    return Enrollment.objects.reading().filter(student=student_id, course=course_id).first()


@transaction.atomic
def recount_learners(*, course_id: UUID) -> None:
    """Count the course's learners and its instructor's students anew, and set both down where they are shown."""
    instructor_id = Course.objects.values_list("instructor_id", flat=True).get(pk=course_id)
    # Counting without it, two recounts could each miss the other's enrollment, and the older one be written last.
    get_user_model().objects.select_for_update(no_key=True).get(pk=instructor_id)
    reading = Enrollment.objects.reading()
    record_learner_count(course_id=course_id, count=reading.filter(course=course_id).count())
    students = reading.filter(course__instructor=instructor_id).values("student").distinct().count()
    record_total_students(user_id=instructor_id, count=students)


def _locked(enrollment_id: UUID) -> Enrollment:
    # NO KEY: rows that refer to the enrollment may be written meanwhile.
    enrollment = (
        Enrollment.objects.with_course()
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=enrollment_id)
        .first()
    )
    if enrollment is None:
        raise EnrollmentNotFound
    return enrollment


def _record_change(
    enrollment: Enrollment, *, from_status: str, by_id: UUID | None, at: datetime, reason: str = ""
) -> None:
    EnrollmentChange.objects.create(
        enrollment=enrollment,
        by_id=by_id,
        from_status=from_status,
        to_status=enrollment.status,
        reason=reason,
        at=at,
    )
