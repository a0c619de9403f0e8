"""The shapes of courses, as answers."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from accounts.api.serializers import PublicUserSerializer
from courses.api.questions import KeyField
from courses.models import (
    Category,
    ContentFormat,
    Course,
    CourseStatus,
    Lesson,
    LessonType,
    Material,
    Module,
    Quiz,
)
from courses.models import Question as QuestionModel
from courses.services import rendered_description
from smartcourse.workflows.models import RunStatus


class CourseBrief(serializers.ModelSerializer[Course]):
    """A course by id and title, for what points to one."""

    class Meta:
        model = Course
        fields = ["id", "title"]
        read_only_fields = fields


class CategorySerializer(serializers.ModelSerializer[Category]):
    class Meta:
        model = Category
        fields = ["slug", "name"]
        read_only_fields = fields


class CourseCard(serializers.ModelSerializer[Course]):
    """A course as the catalogue shows it; `category` is a slug, money is in minor units."""

    category = serializers.SlugField(source="category.slug", default=None, allow_null=True)
    capacity = serializers.IntegerField(source="seats.capacity", allow_null=True)
    seats_left = serializers.IntegerField(source="seats.left", allow_null=True)
    instructor = PublicUserSerializer()
    cover_url = serializers.SerializerMethodField()

    class Meta:
        model = Course
        fields = [
            "id", "slug", "title", "summary", "category", "level", "language", "price_cents", "currency", "capacity",
            "seats_left", "instructor", "learner_count", "rating_average", "rating_count", "cover_url", "published_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_cover_url(self, course: Course) -> str | None:
        if not course.cover:
            return None
        return reverse("course-cover", kwargs={"pk": course.pk}, request=self.context.get("request"))


class OutlineLesson(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    type = serializers.ChoiceField(choices=LessonType.choices)
    estimated_minutes = serializers.IntegerField()
    is_preview = serializers.BooleanField()


class OutlineModule(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    lessons = OutlineLesson(many=True)


class CourseDetail(CourseCard):
    """A course with its description and, once published, its outline; never the content of lessons."""

    status = serializers.ChoiceField(choices=CourseStatus.choices)
    goals = serializers.ListField(child=serializers.CharField())
    description_html = serializers.SerializerMethodField()
    modules = serializers.SerializerMethodField(
        help_text="As published; of a course that never was, the draft's."
    )

    class Meta(CourseCard.Meta):
        fields = [*CourseCard.Meta.fields, "status", "description", "description_html", "goals", "modules"]
        read_only_fields = fields

    @extend_schema_field(OutlineModule(many=True))
    def get_modules(self, course: Course) -> list[Any]:
        if course.current_publication:
            return list(OutlineModule(course.current_publication.outline, many=True).data)
        # Asked for only here, so that the page of a published course costs one query; a list has fetched it already.
        prefetch_related_objects([course], "modules__lessons")
        drafts = [{"id": m.pk, "title": m.title, "lessons": m.lessons.all()} for m in course.modules.all()]
        return list(OutlineModule(drafts, many=True).data)

    def get_description_html(self, course: Course) -> str:
        return rendered_description(course)


class MaterialSerializer(serializers.ModelSerializer[Material]):
    """A file of a course; `size` is in bytes, `download_url` asks who is calling."""

    download_url = serializers.SerializerMethodField()

    class Meta:
        model = Material
        fields = ["id", "name", "content_type", "size", "download_url"]
        read_only_fields = fields

    def get_download_url(self, material: Material) -> str:
        return reverse("material-download", kwargs={"pk": material.pk}, request=self.context.get("request"))


class LessonSerializer(serializers.ModelSerializer[Lesson]):
    """The draft of a lesson as its author has it: the content as written."""

    content_format = serializers.ChoiceField(choices=ContentFormat.choices)
    materials = MaterialSerializer(many=True)

    class Meta:
        model = Lesson
        fields = [
            "id", "title", "type", "content", "content_format", "is_preview", "estimated_minutes", "instructor_notes",
            "position", "materials",
        ]  # fmt: skip
        read_only_fields = fields


class LessonBrief(serializers.ModelSerializer[Lesson]):
    class Meta:
        model = Lesson
        fields = ["id", "title", "type", "position"]
        read_only_fields = fields


class ModuleSerializer(serializers.ModelSerializer[Module]):
    """The draft of a module as its author has it."""

    lessons = LessonBrief(many=True)

    class Meta:
        model = Module
        fields = ["id", "title", "position", "lessons"]
        read_only_fields = fields


class PublicationRequested(serializers.Serializer[Any]):
    """The process that publishes; `GET /workflows/{workflow_id}` tells how far it is."""

    workflow_id = serializers.UUIDField(source="pk")
    status = serializers.ChoiceField(
        choices=RunStatus.choices, help_text="QUEUED, or RUNNING where it was under way already."
    )


class ChoiceSerializer(serializers.Serializer[Any]):
    """One of the answers to choose from."""

    key = serializers.CharField()
    text = serializers.CharField()


class QuestionSerializer(serializers.ModelSerializer[QuestionModel]):
    """A question with its key, for its author."""

    choices = ChoiceSerializer(many=True)
    key = KeyField()

    class Meta:
        model = QuestionModel
        fields = ["id", "kind", "prompt", "choices", "key", "explanation", "points"]
        read_only_fields = fields


class QuizSerializer(serializers.ModelSerializer[Quiz]):
    """A quiz with its keys, for its author."""

    lesson_id = serializers.UUIDField()
    questions = QuestionSerializer(many=True)

    class Meta:
        model = Quiz
        fields = ["id", "lesson_id", "pass_percentage", "attempt_limit", "questions"]
        read_only_fields = fields
