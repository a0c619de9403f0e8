"""What an author edits: courses, their modules and lessons, and the files that belong to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.policies import can_teach, is_staff
from smartcourse.db.models import Entity

# BCP 47, as far as courses need it: a language, and where it matters a script or a region.
LANGUAGE_TAG = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?"


class CourseStatus(models.TextChoices):
    DRAFT = "DRAFT"
    PUBLISHING = "PUBLISHING"
    PUBLISHED = "PUBLISHED"
    ARCHIVED = "ARCHIVED"


class CourseLevel(models.TextChoices):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class LessonType(models.TextChoices):
    TEXT = "text"
    VIDEO = "video"
    FILE = "file"
    QUIZ = "quiz"
    ASSIGNMENT = "assignment"
    DISCUSSION = "discussion"
    LINK = "link"
    EMBED = "embed"


class ContentFormat(models.TextChoices):
    MARKDOWN = "markdown"
    HTML = "html"


class Category(Entity):
    """A shelf of the catalogue."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80)

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["slug"], name="one_category_per_slug")]

    def __str__(self) -> str:
        return self.name


class CourseQuerySet(models.QuerySet["Course"]):
    def published(self) -> Self:
        """Courses in the catalogue."""
        return self.filter(status=CourseStatus.PUBLISHED)

    def taught_by(self, user: Any) -> Self:
        """Courses of that instructor."""
        return self.filter(instructor=user.pk)

    def visible_to(self, user: Any) -> Self:
        """Published courses for everybody, one's own for an instructor for as long as she is one, all for staff."""
        if is_staff(user):
            return self
        public = models.Q(status=CourseStatus.PUBLISHED)
        return self.filter(public | models.Q(instructor=user.pk)) if can_teach(user) else self.filter(public)

    def editable_by(self, user: Any) -> Self:
        """Courses that the person may change: one's own for an instructor, all for staff, none for others."""
        if is_staff(user):
            return self
        return self.taught_by(user) if can_teach(user) else self.none()

    def with_card(self) -> Self:
        """Everything that a catalogue item shows, fetched along; the search index stays in the database."""
        return self.select_related("category", "instructor", "seats").defer("search_vector", "description")

    def with_detail(self) -> Self:
        """Everything that a course's own page shows, fetched along, but for the outline of a draft."""
        related = self.select_related("category", "instructor", "seats", "current_publication")
        return related.defer("search_vector")

    def with_draft_outline(self) -> Self:
        """The titles of modules and lessons as the author has them, fetched along."""
        titles = models.Prefetch("modules__lessons", Lesson.objects.defer("content", "instructor_notes"))
        return self.prefetch_related("modules", titles)


class Course(Entity):
    """A course as its author edits it; what learners read is frozen in its current publication."""

    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=120, allow_unicode=True)
    summary = models.CharField(max_length=500, blank=True)
    description = models.TextField(blank=True, help_text="Markdown.")
    goals = models.JSONField(
        default=list, blank=True, help_text="What a learner can do afterwards, one line each."
    )
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="courses"
    )
    level = models.CharField(max_length=20, choices=CourseLevel.choices, default=CourseLevel.BEGINNER)
    language = models.CharField(max_length=12, default="en")
    price_cents = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, default="EUR")
    cover = models.FileField(upload_to="covers/", blank=True)
    instructor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="courses")
    status = models.CharField(max_length=12, choices=CourseStatus.choices, default=CourseStatus.DRAFT)
    current_publication = models.ForeignKey(
        "courses.Publication", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    # Set down by enrollments, by recount, off the request; the catalogue reads them here.
    learner_count = models.PositiveIntegerField(default=0, editable=False)
    rating_average = models.FloatField(null=True, editable=False)
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    search_vector = SearchVectorField(null=True, editable=False)

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="one_course_per_slug"),
            models.CheckConstraint(
                condition=~models.Q(status=CourseStatus.PUBLISHED)
                | models.Q(current_publication__isnull=False),
                name="a_published_course_has_a_publication",
            ),
        ]
        indexes = [
            GinIndex(fields=["search_vector"], name="courses_by_words"),
            models.Index(
                fields=["-published_at", "-id"],
                condition=models.Q(status=CourseStatus.PUBLISHED),
                name="catalogue_newest_first",
            ),
            models.Index(fields=["instructor", "-id"], name="courses_by_instructor"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_free(self) -> bool:
        return self.price_cents == 0

    def describe(self, **changes: Any) -> None:
        """Change what is said of the course."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.save(update_fields=[*changes, "updated_at"])

    def become(self, status: CourseStatus) -> None:
        """Change the status, and nothing else."""
        self.status = status
        self.save(update_fields=["status", "updated_at"])

    def archive(self, *, at: datetime) -> None:
        """Rest: closed, told, and kept for those who are in it."""
        self.status, self.archived_at = CourseStatus.ARCHIVED, at
        self.save(update_fields=["status", "archived_at", "updated_at"])

    def put_forward(self, publication: Any, *, at: datetime) -> None:
        """From now on learners read this publication."""
        self.current_publication, self.status = publication, CourseStatus.PUBLISHED
        self.published_at = self.published_at or at
        self.save(update_fields=["current_publication", "status", "published_at", "updated_at"])


class CourseSeats(models.Model):
    """How many may be in a course, and how many are: a row of its own, so that enrolling never rewrites the course.

    `capacity` None means without limit; seats are counted all the same, for the day that a limit is set.
    """

    course = models.OneToOneField(Course, primary_key=True, on_delete=models.CASCADE, related_name="seats")
    capacity = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    taken = models.PositiveIntegerField(default=0, editable=False)
    is_closed = models.BooleanField(default=False, editable=False, help_text="No seat is given out any more.")

    class Meta:
        verbose_name_plural = "course seats"
        constraints = [
            # Never more learners than seats, whatever the code above does.
            models.CheckConstraint(
                condition=models.Q(capacity=None) | models.Q(taken__lte=models.F("capacity")),
                name="seats_taken_within_capacity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.taken} of {self.capacity or 'any number'}"

    @property
    def left(self) -> int | None:
        """Seats still free; None without a limit."""
        return None if self.capacity is None else self.capacity - self.taken


class Module(Entity):
    """A part of a course; its place is its position among its siblings."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="modules")
    title = models.CharField(max_length=255)
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            # Deferred to the commit, so that reordering may pass through equal positions.
            models.UniqueConstraint(
                fields=["course", "position"],
                name="one_module_per_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def rename(self, title: str) -> None:
        """Call it something else."""
        self.title = title
        self.save(update_fields=["title", "updated_at"])


class Lesson(Entity):
    """The draft of a lesson. Its id is what learners' progress refers to, in every publication."""

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="lessons")
    title = models.CharField(max_length=255)
    type = models.CharField(max_length=12, choices=LessonType.choices, default=LessonType.TEXT)
    content = models.TextField(
        blank=True, help_text="Text as written; for link, video and embed, an https address."
    )
    content_format = models.CharField(
        max_length=10, choices=ContentFormat.choices, default=ContentFormat.MARKDOWN
    )
    is_preview = models.BooleanField(default=False, help_text="Readable by everybody, like the outline.")
    estimated_minutes = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    instructor_notes = models.TextField(blank=True, help_text="Never shown to learners.")
    position = models.PositiveIntegerField()
    materials = models.ManyToManyField("courses.Material", blank=True, related_name="lessons")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["module", "position"],
                name="one_lesson_per_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def rewrite(self, **changes: Any) -> None:
        """Change the draft."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.save(update_fields=[*changes, "updated_at"])


class Material(Entity):
    """A file of a course, attached to any number of its lessons, or to the course as a whole."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="materials")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to="materials/%Y/%m/", max_length=255)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
