"""What learners did."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone

from courses.models import Assignment, Quiz
from enrollments.models import Enrollment
from smartcourse.db.models import Entity


class LessonStatus(models.TextChoices):
    NOT_STARTED = "NOT_STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"


class CourseProgressQuerySet(models.QuerySet["CourseProgress"]):
    def with_outline(self) -> Self:
        """The enrollment, its course and what learners read of it, fetched along."""
        return self.select_related("enrollment__course__current_publication").defer(
            "enrollment__course__search_vector", "enrollment__course__description"
        )

    def visible_to(self, user: Any) -> Self:
        """One's own, those in one's courses for an instructor, all for staff."""
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))


class CourseProgress(models.Model):
    """A learner's standing in a course; its row is the lock under which completions are counted."""

    enrollment = models.OneToOneField(
        Enrollment, primary_key=True, on_delete=models.CASCADE, related_name="progress"
    )
    percentage = models.FloatField(default=0, validators=[MaxValueValidator(100)])
    last_accessed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CourseProgressQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "course progress"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percentage__gte=0, percentage__lte=100),
                name="progress_is_between_0_and_100",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percentage:g} %"

    def stand_at(self, percentage: float, *, at: datetime | None = None) -> None:
        """Set the percentage (0 to 100), and when the learner's own work brought it there."""
        self.percentage = percentage
        self.last_accessed_at = at or self.last_accessed_at
        self.save(update_fields=["percentage", "last_accessed_at", "updated_at"])


class LessonProgressQuerySet(models.QuerySet["LessonProgress"]):
    def completed(self) -> Self:
        """Lessons that were finished."""
        return self.filter(status=LessonStatus.COMPLETED)

    def visible_to(self, user: Any) -> Self:
        """One's own, those in one's courses for an instructor, all for staff."""
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))


class LessonProgress(Entity):
    """What a learner did with one lesson. `lesson_id` is the lasting id of the lesson, in whichever publication."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="lessons_progress")
    lesson_id = models.UUIDField()
    status = models.CharField(max_length=12, choices=LessonStatus.choices, default=LessonStatus.NOT_STARTED)
    first_read_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    position_seconds = models.PositiveIntegerField(default=0, help_text="Where to resume.")
    seconds_spent = models.PositiveIntegerField(default=0)

    objects = LessonProgressQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "lesson progress"
        constraints = [
            models.UniqueConstraint(fields=["enrollment", "lesson_id"], name="one_progress_per_lesson"),
            models.CheckConstraint(
                condition=models.Q(status=LessonStatus.COMPLETED, completed_at__isnull=False)
                | (~models.Q(status=LessonStatus.COMPLETED) & models.Q(completed_at=None)),
                name="completed_lessons_have_their_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lesson_id}: {self.status.lower()}"


class RecordQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> Self:
        """One's own, those in one's courses for an instructor, all for staff."""
        return self.filter(enrollment__in=Enrollment.objects.visible_to(user))


class QuizAttempt(Entity):
    """One attempt at a quiz; what was answered and what it came to never changes after `submitted_at`."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="quiz_attempts")
    quiz = models.ForeignKey(Quiz, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    answers = models.JSONField(default=dict)
    score = models.FloatField(null=True, help_text="Points.")
    maximum = models.FloatField(null=True, help_text="Points.")
    passed = models.BooleanField(null=True)
    results = models.JSONField(
        default=list, help_text="Rows of question_id, correct, points, explanation."
    )
    submitted_at = models.DateTimeField(null=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["enrollment", "quiz", "number"], name="one_attempt_per_number"),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number}"

    @property
    def percentage(self) -> float | None:
        """What was reached, 0 to 100; None before the attempt is handed in."""
        if self.score is None or self.maximum is None:
            return None
        return round(self.score * 100 / self.maximum, 2) if self.maximum else 100.0

    @property
    def attempts_left(self) -> int | None:
        """How many attempts remain after this one; None without a limit."""
        limit = self.quiz.attempt_limit
        return None if limit is None else max(0, limit - self.number)

    def hand_in(
        self,
        answers: dict[str, Any],
        *,
        score: float,
        maximum: float,
        passed: bool,
        results: list[dict[str, Any]],
        at: datetime,
    ) -> None:
        """Close the attempt with what was answered and what that came to."""
        self.answers, self.score, self.maximum = answers, score, maximum
        self.passed, self.results, self.submitted_at = passed, results, at
        self.save()


class Submission(Entity):
    """What a learner handed in for an assignment; handing in again adds a row."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="submissions")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    text = models.TextField()
    submitted_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = RecordQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment", "assignment", "number"], name="one_submission_per_number"
            ),
        ]

    def __str__(self) -> str:
        return f"Submission {self.number}"
