"""Courses in the back office: all for staff, one's own for instructors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from courses import policies, services
from courses.models import (
    LANGUAGE_TAG,
    Category,
    Course,
    CourseStatus,
    Lesson,
    Material,
    Module,
    Publication,
    Quiz,
)
from smartcourse.backoffice.admin import ReadOnlyAdmin, ReadOnlyInline
from smartcourse.errors import DomainError


class ModuleInline(ReadOnlyInline):
    model = Module
    fields = ("position", "title")
    show_change_link = True


class LessonInline(ReadOnlyInline):
    model = Lesson
    fields = ("position", "title", "type", "is_preview", "estimated_minutes")
    show_change_link = True


class PublicationInline(ReadOnlyInline):
    model = Publication
    fields = ("number", "published_at", "published_by")


class OfCoursesAdmin(ReadOnlyAdmin):
    """Rows that belong to a course; instructors see those of their own."""

    for_instructors = True
    course_path = "course"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super(ReadOnlyAdmin, self).get_queryset(request)
        user: Any = request.user
        return rows if user.is_staff else rows.filter(**{f"{self.course_path}__instructor": user.pk})


class CourseForm(forms.ModelForm[Course]):
    """What is said of a course, held to what the API takes."""

    language = forms.RegexField(rf"^{LANGUAGE_TAG}\Z", max_length=12, help_text="Like en or pt-BR.")
    currency = forms.RegexField(r"^[A-Z]{3}\Z", max_length=3, help_text="ISO 4217, like EUR.")

    class Meta:
        model = Course
        fields = [
            "title", "summary", "description", "category", "level", "language", "price_cents", "currency",
        ]  # fmt: skip


@admin.register(Course)
class CourseAdmin(ReadOnlyAdmin):
    """Courses, drafts among them: what is said of one is changed here; publishing and archiving are actions."""

    for_instructors = True
    form = CourseForm
    list_display = (
        "title",
        "status",
        "instructor",
        "category",
        "level",
        "learner_count",
        "seats",
        "published_at",
    )
    list_filter = ("status", "category", "level", "language")
    search_fields = ("title", "slug", "instructor__full_name", "=id")
    list_select_related = ("instructor", "category", "seats")
    fields = (
        "title", "slug", "status", "instructor", "category", "level", "language", "summary", "description", "goals",
        "price_cents", "currency", "seats", "learner_count", "published_at", "archived_at",
    )  # fmt: skip
    readonly_fields = (
        "slug", "status", "instructor", "goals", "seats", "learner_count", "published_at", "archived_at",
    )  # fmt: skip
    inlines = (ModuleInline, PublicationInline)
    actions = ("publish_selected", "archive_selected")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # A published course is everybody's to read; in the back office an instructor works with her own.
        courses = Course.objects.defer("search_vector")
        user: Any = request.user
        return courses if user.is_staff else courses.taught_by(user)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if not isinstance(obj, Course):
            return self.has_view_permission(request)
        return obj.status != CourseStatus.ARCHIVED and policies.can_edit_course(request.user, obj)

    def changeform_view(self, request: HttpRequest, *args: Any, **words: Any) -> HttpResponse:
        """Show the page again with what a rule had against a change."""
        try:
            return super().changeform_view(request, *args, **words)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Course, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            services.update_course(course_id=obj.pk, changes=changes)

    @admin.action(description="Publish the selected courses")
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._for_each(
            request,
            queryset,
            lambda course: services.request_publication(course_id=course.pk, by=request.user.pk),
            "being published",
        )

    @admin.action(description="Archive the selected courses")
    def archive_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._for_each(
            request,
            queryset,
            lambda course: services.request_archiving(course_id=course.pk, by=request.user.pk),
            "being archived",
        )

    def _for_each(
        self, request: HttpRequest, queryset: QuerySet[Any], deed: Callable[[Course], object], done: str
    ) -> None:
        """Do the deed for each course, and say what became of it."""
        for course in queryset:
            try:
                deed(course)
            except DomainError as error:
                self.message_user(request, f"{course.title}: {error.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{course.title} is {done}.", messages.SUCCESS)


@admin.register(Module)
class ModuleAdmin(OfCoursesAdmin):
    """The parts of drafts."""

    list_display = ("title", "course", "position")
    search_fields = ("title", "course__title")
    list_select_related = ("course",)
    ordering = ("course", "position")
    inlines = (LessonInline,)


@admin.register(Lesson)
class LessonAdmin(OfCoursesAdmin):
    """The lessons of drafts; their markup is shown as text."""

    course_path = "module__course"
    list_display = ("title", "type", "module", "position", "is_preview")
    list_filter = ("type", "is_preview")
    search_fields = ("title", "module__title", "module__course__title")
    list_select_related = ("module",)
    ordering = ("module__course", "module__position", "position")


@admin.register(Publication)
class PublicationAdmin(OfCoursesAdmin):
    """What learners read, and read before."""

    list_display = ("course", "number", "published_at", "published_by")
    search_fields = ("course__title",)
    list_select_related = ("course", "published_by")
    ordering = ("-published_at",)


@admin.register(Material)
class MaterialAdmin(OfCoursesAdmin):
    """The files of courses."""

    list_display = ("name", "course", "content_type", "size", "created_at")
    list_filter = ("content_type",)
    search_fields = ("name", "course__title")
    list_select_related = ("course",)
    # The address of a file is not for everybody; it is downloaded through the API, after a look at who asks.
    exclude = ("file",)


@admin.register(Quiz)
class QuizAdmin(OfCoursesAdmin):
    """Quizzes."""

    course_path = "lesson__module__course"
    list_display = ("lesson", "pass_percentage", "attempt_limit")
    list_select_related = ("lesson",)


@admin.register(Category)
class CategoryAdmin(ReadOnlyAdmin):
    """The shelves of the catalogue; staff may set up new ones."""

    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)
