"""What an author does inside a course, over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from courses import services
from courses.api import inputs, serializers
from courses.api.access import editable_course
from courses.models import Lesson, Material, Module, Quiz
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import SignedIn
from smartcourse.api.viewsets import ContextViewSet

# Each looks by itself whether the course is the caller's to edit; see `editable_course`.
AUTHOR = (SignedIn,)
ARCHIVED = (services.CourseArchivedAlready,)
UNLESS_CHANGED = dict.fromkeys(("update", "partial_update", "destroy"), "retrieve")


class ModuleViewSet(ContextViewSet):
    """The modules of a draft, for those who may edit it."""

    scope = "courses"
    queryset = Module.objects.prefetch_related("lessons")
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("list", "create", "retrieve", "update", "partial_update"), serializers.ModuleSerializer
    )
    inputs: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("create", "update", "partial_update"), inputs.ModuleInput),
        "reorder": inputs.OrderInput,
    }
    permissions: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("list", "create", "retrieve", "update", "partial_update", "destroy", "reorder"), AUTHOR
    )
    raises: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("create", "update", "partial_update", "destroy"), ARCHIVED),
        "reorder": [services.OrderInvalid, services.CourseArchivedAlready],
    }
    statuses: ClassVar[dict[str, int]] = {"create": 201}
    unless_changed: ClassVar[dict[str, str]] = UNLESS_CHANGED

    def subject_of_change(self) -> Any:
        services.lock_course(editable_course(self.request.user, self.kwargs["course_pk"]).pk)
        return self.get_object()

    def get_queryset(self) -> Any:
        course = editable_course(self.request.user, self.kwargs["course_pk"])
        return Module.objects.filter(course=course).prefetch_related("lessons")

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Show a module of the draft, with its lessons by title."""
        return super().retrieve(request)

    def create(self, request: Request, course_pk: UUID) -> Response:
        """Add a module at the end."""
        course = editable_course(request.user, course_pk)
        return self.respond(services.add_module(course_id=course.pk, **self.validated(request)))

    def update(self, request: Request, course_pk: UUID, pk: UUID) -> Response:
        """Call a module something else."""
        module = self.get_object()
        changes = self.validated(request)
        return self.respond(services.update_module(module_id=module.pk, **changes) if changes else module)

    partial_update = update

    def destroy(self, request: Request, course_pk: UUID, pk: UUID) -> Response:
        """Take the module and its lessons out of the draft."""
        services.delete_module(module_id=self.get_object().pk)
        return self.respond()

    def reorder(self, request: Request, course_pk: UUID) -> Response:
        """Set the whole order of modules and lessons at once."""
        course = editable_course(request.user, course_pk)
        order = [(module["id"], module["lessons"]) for module in self.validated(request)["modules"]]
        services.reorder_course(course_id=course.pk, order=order)
        return self.respond()


class LessonViewSet(ContextViewSet):
    """The lessons of a draft, for those who may edit it: content as written, notes included."""

    scope = "courses"
    queryset = Lesson.objects.prefetch_related("materials")
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("list", "create", "retrieve", "update", "partial_update"), serializers.LessonSerializer
    )
    inputs: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("create", "update", "partial_update"), inputs.LessonInput
    )
    permissions: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("list", "create", "retrieve", "update", "partial_update", "destroy"), AUTHOR
    )
    raises: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("create", "update", "partial_update"), (services.LessonContentInvalid, *ARCHIVED)),
        "destroy": [services.CourseArchivedAlready],
    }
    statuses: ClassVar[dict[str, int]] = {"create": 201}
    unless_changed: ClassVar[dict[str, str]] = UNLESS_CHANGED

    def subject_of_change(self) -> Any:
        services.lock_course(editable_course(self.request.user, self.kwargs["course_pk"]).pk)
        return self.get_object()

    def _module(self) -> Module:
        course = editable_course(self.request.user, self.kwargs["course_pk"])
        return get_object_or_404(Module, course=course, pk=self.kwargs["module_pk"])

    def get_queryset(self) -> Any:
        return Lesson.objects.filter(module=self._module()).prefetch_related("materials")

    def create(self, request: Request, **_path: UUID) -> Response:
        """Add a lesson at the end of the module."""
        return self.respond(services.add_lesson(module_id=self._module().pk, **self.validated(request)))

    def update(self, request: Request, **_path: UUID) -> Response:
        """Change the draft of the lesson; learners go on reading what was published."""
        lesson = self.get_object()
        return self.respond(services.update_lesson(lesson_id=lesson.pk, changes=self.validated(request)))

    partial_update = update

    def destroy(self, request: Request, **_path: UUID) -> Response:
        """Take the lesson out of the draft."""
        services.delete_lesson(lesson_id=self.get_object().pk)
        return self.respond()


class MaterialViewSet(ContextViewSet):
    """The files of a course, for those who may edit it."""

    scope = "courses"
    queryset = Material.objects.all()
    pagination_class = CursorPagination
    parser_classes = (MultiPartParser,)
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(("list", "create"), serializers.MaterialSerializer)
    inputs: ClassVar[dict[str, Any]] = {"create": inputs.MaterialInput}
    permissions: ClassVar[dict[str, Any]] = dict.fromkeys(("list", "create"), AUTHOR)
    raises: ClassVar[dict[str, Any]] = {"create": [services.FileRefused, services.LessonsForeign, *ARCHIVED]}
    statuses: ClassVar[dict[str, int]] = {"create": 201}
    throttle_scopes: ClassVar[dict[str, str]] = {"create": "uploads"}

    def get_queryset(self) -> Any:
        return Material.objects.filter(course=editable_course(self.request.user, self.kwargs["course_pk"]))

    def create(self, request: Request, course_pk: UUID) -> Response:
        """Upload a file; its extension, its stated type and its content must agree."""
        course = editable_course(request.user, course_pk)
        form = self.validated(request)
        material = services.store_upload(
            course_id=course.pk, upload=form["file"], lesson_ids=form.get("lesson_ids", ())
        )
        return self.respond(material)


class QuizViewSet(ContextViewSet):
    """Quizzes with their keys, for those who may edit the course."""

    scope = "courses"
    queryset = Quiz.objects.select_related("lesson__module").prefetch_related("questions")
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("create", "retrieve", "update"), serializers.QuizSerializer
    )
    inputs: ClassVar[dict[str, Any]] = {"create": inputs.QuizInput, "update": inputs.QuizChange}
    permissions: ClassVar[dict[str, Any]] = dict.fromkeys(("create", "retrieve", "update"), AUTHOR)
    raises: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("create", "update"), (services.QuestionInvalid, *ARCHIVED)
    )
    statuses: ClassVar[dict[str, int]] = {"create": 201}
    unless_changed: ClassVar[dict[str, str]] = {"update": "retrieve"}

    def subject_of_change(self) -> Any:
        services.lock_course(self.get_object().lesson.module.course_id)
        # Once more: what was read before the lock may have been changed since.
        return self.get_object()

    def get_queryset(self) -> Any:
        return Quiz.objects.select_related("lesson__module").prefetch_related("questions")

    def get_object(self) -> Quiz:
        quiz: Quiz = super().get_object()
        editable_course(self.request.user, quiz.lesson.module.course_id)
        return quiz

    def create(self, request: Request, course_pk: UUID) -> Response:
        """Set the quiz of a quiz lesson of the course."""
        course = editable_course(request.user, course_pk)
        form = self.validated(request)
        get_object_or_404(Lesson, module__course=course, pk=form["lesson_id"])
        return self.respond(services.define_quiz(**form))

    def update(self, request: Request, pk: UUID) -> Response:
        """Set the questions anew."""
        quiz = self.get_object()
        return self.respond(services.define_quiz(lesson_id=quiz.lesson_id, **self.validated(request)))
