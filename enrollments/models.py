"""The promise between a learner and a course."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models

from accounts.models import Role
from courses.models import Course
from smartcourse.db.models import Entity


class EnrollmentStatus(models.TextChoices):
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    DROPPED = "DROPPED"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    WAITLISTED = "WAITLISTED"


# A learner has at most one of these per course.
LIVE = (
    EnrollmentStatus.PENDING, EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.SUSPENDED,
    EnrollmentStatus.WAITLISTED,
)  # fmt: skip
# These hold one of the course's seats.
SEATED = (
    EnrollmentStatus.PENDING, EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED, EnrollmentStatus.SUSPENDED,
)  # fmt: skip
# These may read the course.
READING = (EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED)


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def live(self) -> Self:
        """Enrollments that stand."""
        return self.filter(status__in=LIVE)

    def seated(self) -> Self:
        """Enrollments that hold a seat."""
        return self.filter(status__in=SEATED)

    def reading(self) -> Self:
        """Enrollments that open the classroom."""
        return self.filter(status__in=READING)

    def of(self, user: Any) -> Self:
        """A person's own enrollments."""
        return self.filter(student=user.pk)

    def with_course(self) -> Self:
        """The course and its instructor fetched along."""
        return self.select_related("course", "course__instructor", "student").defer("course__search_vector")

    def visible_to(self, user: Any) -> Self:
        """One's own, those in one's courses for an instructor, all for staff."""
        if user.is_staff:
            return self
        own = models.Q(student=user.pk)
        # Who is no instructor any more has no say over the courses she once taught.
        return self.filter(
            own | models.Q(course__instructor=user.pk) if user.has_role(Role.INSTRUCTOR) else own
        )


class Enrollment(Entity):
    """That a person learns in a course. `percentage` is the headline that progress sets down (0 to 100)."""

    student = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrollments"
    )
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrollments")
    status = models.CharField(
        max_length=12, choices=EnrollmentStatus.choices, default=EnrollmentStatus.PENDING
    )
    percentage = models.FloatField(default=0, validators=[MaxValueValidator(100)])
    workflow_id = models.UUIDField(null=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Dropped or expired.")

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["student", "course"],
                condition=models.Q(status__in=LIVE),
                name="one_live_enrollment_per_course",
            ),
            models.CheckConstraint(
                condition=models.Q(percentage__gte=0, percentage__lte=100),
                name="percentage_is_between_0_and_100",
            ),
        ]
        indexes = [models.Index(fields=["course", "status"], name="enrollments_by_course")]

    def __str__(self) -> str:
        return f"{self.student} in {self.course}"

    @property
    def has_ended(self) -> bool:
        """Whether it stands no more; a learner who comes back gets a new one."""
        return self.status not in LIVE

    @property
    def may_read(self) -> bool:
        """Whether it opens the classroom."""
        return self.status in READING

    def follow(self, workflow_id: UUID) -> None:
        """Remember the process that brings the enrollment about."""
        self.workflow_id = workflow_id
        self.save(update_fields=["workflow_id", "updated_at"])

    def activate(self, *, at: datetime) -> None:
        """Open the classroom."""
        self._become(EnrollmentStatus.ACTIVE, started_at=at)

    def complete(self, *, at: datetime) -> None:
        """Everything was studied; not before it was begun, whatever the clocks of two machines say."""
        self._become(EnrollmentStatus.COMPLETED, completed_at=max(at, self.started_at or at))

    def drop(self, *, at: datetime) -> None:
        """The learner leaves, or is taken out."""
        self._become(EnrollmentStatus.DROPPED, ended_at=at)

    def _become(self, status: EnrollmentStatus, **moments: datetime) -> None:
        self.status = status
        for name, moment in moments.items():
            setattr(self, name, moment)
        self.save(update_fields=["status", "updated_at", *moments])


class EnrollmentChange(models.Model):
    """One change of an enrollment's status: who, when, from, to, why."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="history")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    from_status = models.CharField(max_length=12, blank=True)
    to_status = models.CharField(max_length=12, choices=EnrollmentStatus.choices)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.from_status or 'nothing'} to {self.to_status}"
