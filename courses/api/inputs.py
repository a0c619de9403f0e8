"""The shapes of courses, as input."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from courses import services
from courses.api.questions import KeyField
from courses.models import LANGUAGE_TAG, ContentFormat, CourseLevel, LessonType, QuestionKind
from smartcourse.api.serializers import InputSerializer, StorableCharField

MOST_CONTENT = 500_000
MOST_QUESTIONS = 500
# What fits PostgreSQL's integer.
MOST = 2_000_000_000


class CourseInput(InputSerializer):
    """A course as its author describes it; money is in minor units, `category` a slug."""

    title = StorableCharField(min_length=2, max_length=255)
    slug = serializers.SlugField(max_length=120, allow_unicode=True, required=False)
    summary = StorableCharField(max_length=500, allow_blank=True, required=False)
    description = StorableCharField(
        max_length=50_000, allow_blank=True, required=False, help_text="Markdown."
    )
    goals = serializers.ListField(child=StorableCharField(max_length=200), max_length=20, required=False)
    category = serializers.SlugField(max_length=80, allow_null=True, required=False)
    level = serializers.ChoiceField(choices=CourseLevel.choices, required=False)
    language = serializers.RegexField(
        rf"^{LANGUAGE_TAG}$",
        max_length=12,
        required=False,
        error_messages={"invalid": "A language tag is wanted, like en or pt-BR."},
    )
    price_cents = serializers.IntegerField(min_value=0, max_value=MOST, required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)
    capacity = serializers.IntegerField(min_value=1, max_value=MOST, allow_null=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        slug = attrs.get("category")
        return attrs | {"category": services.category_of(slug=slug)} if slug else attrs


class ModuleInput(InputSerializer):
    title = StorableCharField(max_length=255)


class LessonInput(InputSerializer):
    """A lesson as its author writes it: Markdown or HTML, or an address for link, video and embed."""

    title = StorableCharField(max_length=255)
    type = serializers.ChoiceField(choices=LessonType.choices, required=False)
    content = StorableCharField(
        max_length=MOST_CONTENT, allow_blank=True, trim_whitespace=False, required=False
    )
    content_format = serializers.ChoiceField(choices=ContentFormat.choices, required=False)
    is_preview = serializers.BooleanField(required=False)
    estimated_minutes = serializers.IntegerField(min_value=1, max_value=1440, required=False)
    instructor_notes = StorableCharField(max_length=20_000, allow_blank=True, required=False)


class OrderedModule(InputSerializer):
    id = serializers.UUIDField()
    lessons = serializers.ListField(child=serializers.UUIDField(), max_length=5000)


class OrderInput(InputSerializer):
    """The whole order: every module and every lesson of the course, once."""

    modules = OrderedModule(many=True)


class MaterialInput(InputSerializer):
    file = serializers.FileField(max_length=255, allow_empty_file=True)
    lesson_ids = serializers.ListField(child=serializers.UUIDField(), max_length=100, required=False)


class ChoiceInput(InputSerializer):
    key = StorableCharField(max_length=20)
    text = StorableCharField(max_length=2000)


class QuestionInput(InputSerializer):
    """A question; the form of `key` follows from the kind.

    Choices: `["a", ...]` · true_false: `true` · short_text: `["accepted", ...]` · numeric: `{"value": 3.5,
    "tolerance": 0.1}`.
    """

    kind = serializers.ChoiceField(choices=QuestionKind.choices)
    prompt = StorableCharField(max_length=5000)
    choices = ChoiceInput(many=True, required=False)
    key = KeyField()
    explanation = StorableCharField(max_length=5000, allow_blank=True, required=False)
    points = serializers.IntegerField(min_value=1, max_value=1000, required=False)


class QuizChange(InputSerializer):
    pass_percentage = serializers.IntegerField(min_value=0, max_value=100, default=60)
    attempt_limit = serializers.IntegerField(min_value=1, max_value=1000, allow_null=True, default=None)
    # The stubs do not know what `many=True` hands on.
    questions = QuestionInput(many=True, min_length=1, max_length=MOST_QUESTIONS)  # type: ignore[call-arg]  # see above


class QuizInput(QuizChange):
    lesson_id = serializers.UUIDField()
