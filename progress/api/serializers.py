"""Lessons, progress, attempts and submissions as the API shows and takes them."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from courses.api.questions import AnswerField
from courses.api.serializers import CourseBrief, MaterialSerializer
from courses.models import LessonType, QuestionKind
from enrollments.models import EnrollmentStatus
from progress.models import LessonProgress, LessonStatus, QuizAttempt, Submission
from smartcourse.api.middleware import is_storable
from smartcourse.api.serializers import InputSerializer, StorableCharField

Answer = serializers.Serializer[Any]

# A resume point lies within a week of video, and one note tells of at most a day of study.
LONGEST_POSITION = 7 * 24 * 3600
LONGEST_STRETCH = 24 * 3600
LONGEST_TEXT = 50_000
LONGEST_ANSWERS = 100_000


class LessonNodeSerializer(Answer):
    """A lesson, and how far the learner is with it."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    type = serializers.ChoiceField(choices=LessonType.choices)
    status = serializers.ChoiceField(choices=LessonStatus.choices)
    completed_at = serializers.DateTimeField(allow_null=True)


class ModuleNodeSerializer(Answer):
    """A module with its lessons; `percentage` is 0 to 100."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    percentage = serializers.FloatField()
    lessons = LessonNodeSerializer(many=True)


class ProgressTreeSerializer(Answer):
    """How far an enrollment is; `percentage` is 0 to 100."""

    enrollment_id = serializers.UUIDField()
    course_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=EnrollmentStatus.choices)
    percentage = serializers.FloatField()
    last_accessed_at = serializers.DateTimeField(allow_null=True)
    modules = ModuleNodeSerializer(many=True)


class ModuleBriefSerializer(Answer):
    """A module by name."""

    id = serializers.UUIDField()
    title = serializers.CharField()


class QuizBriefSerializer(Answer):
    """A lesson's quiz, and how the reader fared so far."""

    id = serializers.UUIDField()
    pass_percentage = serializers.IntegerField()
    attempt_limit = serializers.IntegerField(allow_null=True)
    attempts_made = serializers.IntegerField()
    passed = serializers.BooleanField()


class AssignmentBriefSerializer(Answer):
    """A lesson's assignment, and how much the reader handed in so far."""

    id = serializers.UUIDField()
    points = serializers.FloatField()
    submissions_made = serializers.IntegerField()


class LessonPageSerializer(Answer):
    """A lesson as its reader sees it; `content` is sanitised HTML, or the address of a link, video or embed."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    type = serializers.ChoiceField(choices=LessonType.choices)
    content = serializers.CharField()
    module = ModuleBriefSerializer()
    course = CourseBrief()
    estimated_minutes = serializers.IntegerField()
    status = serializers.ChoiceField(choices=LessonStatus.choices)
    position_seconds = serializers.IntegerField()
    materials = MaterialSerializer(many=True)
    quiz = QuizBriefSerializer(allow_null=True)
    assignment = AssignmentBriefSerializer(allow_null=True)
    previous_lesson_id = serializers.UUIDField(allow_null=True)
    next_lesson_id = serializers.UUIDField(allow_null=True)


class PositionRequest(InputSerializer):
    """Where the reader stopped, and how long was studied since the last note; both in seconds."""

    position_seconds = serializers.IntegerField(min_value=0, max_value=LONGEST_POSITION)
    seconds_spent = serializers.IntegerField(min_value=0, max_value=LONGEST_STRETCH, default=0)


class PositionSerializer(serializers.ModelSerializer[LessonProgress]):
    """Where the reader stopped, and how long was studied in all; in seconds."""

    class Meta:
        model = LessonProgress
        fields = ["lesson_id", "status", "position_seconds", "seconds_spent"]
        read_only_fields = fields


class AnswerChoiceSerializer(Answer):
    """One of the answers to choose from."""

    key = serializers.CharField()
    text = serializers.CharField()


class AskedQuestionSerializer(Answer):
    """A question without its key."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=QuestionKind.choices)
    prompt = serializers.CharField()
    choices = AnswerChoiceSerializer(many=True)
    points = serializers.IntegerField()


class StartedAttemptSerializer(Answer):
    """An attempt that was begun, with what it asks."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    attempts_left = serializers.IntegerField(allow_null=True)
    questions = AskedQuestionSerializer(many=True)


class QuestionResultSerializer(Answer):
    """What one answer came to."""

    question_id = serializers.UUIDField()
    correct = serializers.BooleanField()
    points = serializers.FloatField()
    explanation = serializers.CharField()


class AttemptSerializer(serializers.ModelSerializer[QuizAttempt]):
    """An attempt, and what it came to; `percentage` is 0 to 100, and all of it null until it is handed in."""

    student_id = serializers.UUIDField(source="enrollment.student_id")
    answers = serializers.DictField(child=AnswerField(), allow_null=True)
    percentage = serializers.FloatField(allow_null=True)
    attempts_left = serializers.IntegerField(allow_null=True)
    results = QuestionResultSerializer(many=True)

    class Meta:
        model = QuizAttempt
        fields = [
            "id", "number", "student_id", "answers", "score", "maximum", "percentage", "passed", "results",
            "attempts_left", "created_at", "submitted_at",
        ]  # fmt: skip
        read_only_fields = fields


class SubmitAttemptRequest(InputSerializer):
    """Answers by question id; without `attempt_id`, for the attempt that is open, or a new one."""

    attempt_id = serializers.UUIDField(required=False)
    answers = serializers.DictField(child=AnswerField())

    def validate_answers(self, answers: dict[str, Any]) -> dict[str, Any]:
        written = json.dumps(answers, ensure_ascii=False)
        # In JSON a NUL is written as an escape, which PostgreSQL refuses all the same.
        if len(written) > LONGEST_ANSWERS or "\\u0000" in written or not is_storable(written):
            raise ValidationError("These answers cannot be stored.", code="invalid")
        return answers


class SubmissionRequest(InputSerializer):
    """What is handed in."""

    text = StorableCharField(max_length=LONGEST_TEXT)


class SubmissionSerializer(serializers.ModelSerializer[Submission]):
    """What was handed in for an assignment."""

    student_id = serializers.UUIDField(source="enrollment.student_id")

    class Meta:
        model = Submission
        fields = ["id", "number", "student_id", "text", "submitted_at"]
        read_only_fields = fields
