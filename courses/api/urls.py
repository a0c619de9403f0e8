"""Addresses of courses."""

from typing import Any

from django.urls import path

from courses.api.authoring import LessonViewSet, MaterialViewSet, ModuleViewSet, QuizViewSet
from courses.api.instructors import InstructorViewSet
from courses.api.views import CategoryViewSet, CourseViewSet, MyCoursesViewSet

CHANGE: dict[str, Any] = {"put": "update", "patch": "partial_update", "delete": "destroy"}
MODULES = "courses/<uuid:course_pk>/modules"
LESSONS = f"{MODULES}/<uuid:module_pk>/lessons"

urlpatterns = [
    path("instructors", InstructorViewSet.as_view({"get": "list"}), name="instructor-list"),
    path("instructors/me", InstructorViewSet.as_view({"patch": "update_mine"}), name="instructor-me"),
    path("instructors/<uuid:pk>", InstructorViewSet.as_view({"get": "retrieve"}), name="instructor-detail"),
    path("categories", CategoryViewSet.as_view({"get": "list"}), name="category-list"),
    path("courses", CourseViewSet.as_view({"get": "list", "post": "create"}), name="course-list"),
    path("courses/mine", MyCoursesViewSet.as_view({"get": "list"}), name="course-mine"),
    path("courses/<uuid:pk>", CourseViewSet.as_view({"get": "retrieve", **CHANGE}), name="course-detail"),
    path("courses/<uuid:pk>/publish", CourseViewSet.as_view({"post": "publish"}), name="course-publish"),
    path("courses/<uuid:pk>/cover", CourseViewSet.as_view({"get": "cover"}), name="course-cover"),
    path("courses/<uuid:course_pk>/order", ModuleViewSet.as_view({"put": "reorder"}), name="course-order"),
    path(MODULES, ModuleViewSet.as_view({"get": "list", "post": "create"}), name="module-list"),
    path(f"{MODULES}/<uuid:pk>", ModuleViewSet.as_view({"get": "retrieve", **CHANGE}), name="module-detail"),
    path(LESSONS, LessonViewSet.as_view({"get": "list", "post": "create"}), name="draft-lesson-list"),
    path(
        f"{LESSONS}/<uuid:pk>",
        LessonViewSet.as_view({"get": "retrieve", **CHANGE}),
        name="draft-lesson-detail",
    ),
    path(
        "courses/<uuid:course_pk>/materials",
        MaterialViewSet.as_view({"get": "list", "post": "create"}),
        name="material-list",
    ),
    path("courses/<uuid:course_pk>/quizzes", QuizViewSet.as_view({"post": "create"}), name="quiz-list"),
    path("quizzes/<uuid:pk>", QuizViewSet.as_view({"get": "retrieve", "put": "update"}), name="quiz-detail"),
]
