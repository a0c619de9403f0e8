"""What learners read: immutable trees, one a publication."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

from courses.models.authoring import ContentFormat, Course, LessonType
from smartcourse.db.models import Entity


class Publication(Entity):
    """One frozen version of a course.

    `outline` is the tree as everybody may see it: `[{id, title, lessons: [{id, title, type, estimated_minutes,
    is_preview}]}]`.
    """

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="publications")
    number = models.PositiveIntegerField()
    outline = models.JSONField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    published_at = models.DateTimeField(null=True, help_text="Empty while the publication is being made.")

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["course", "number"], name="one_publication_per_number")
        ]

    def __str__(self) -> str:
        return f"Publication {self.number}"

    def keep_outline(self, outline: list[dict[str, Any]]) -> None:
        """Set the tree, while the publication is being made."""
        self.outline = outline
        self.save(update_fields=["outline", "updated_at"])

    def publish(self, *, at: datetime) -> None:
        """From now on it does not change."""
        self.published_at = at
        self.save(update_fields=["published_at", "updated_at"])


class PublishedLesson(Entity):
    """A lesson as it was frozen. `lesson_id` is the draft's id, which outlives versions, and even the draft."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="lessons")
    lesson_id = models.UUIDField()
    module_id = models.UUIDField()
    position = models.PositiveIntegerField(help_text="In the whole course.")
    title = models.CharField(max_length=255)
    type = models.CharField(max_length=12, choices=LessonType.choices)
    content = models.TextField(blank=True)
    content_format = models.CharField(max_length=10, choices=ContentFormat.choices)
    is_preview = models.BooleanField(default=False)
    estimated_minutes = models.PositiveSmallIntegerField()
    materials = models.ManyToManyField("courses.Material", blank=True, related_name="+")
    questions = models.JSONField(
        null=True, editable=False, help_text="Of a quiz lesson, keys included: rows like Question."
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["publication", "lesson_id"], name="one_lesson_per_publication"),
        ]
        indexes = [models.Index(fields=["lesson_id"], name="published_by_lesson")]

    def __str__(self) -> str:
        return self.title


class ContentChunk(models.Model):
    """A piece of the text of a published lesson or of one of its files; what search finds."""

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="chunks")
    lesson_id = models.UUIDField(null=True)
    material = models.ForeignKey("courses.Material", null=True, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.text[:60]
