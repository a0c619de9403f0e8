"""Addresses of the classroom."""

from __future__ import annotations

from django.urls import path

from progress.api.assessments import QuizAttemptViewSet, SubmissionViewSet
from progress.api.views import CourseMaterialsViewSet, LessonViewSet, MaterialViewSet, ProgressViewSet

progress = ProgressViewSet.as_view({"get": "retrieve"})

urlpatterns = [
    path("lessons/<uuid:pk>", LessonViewSet.as_view({"get": "retrieve"}), name="lesson-detail"),
    path("lessons/<uuid:pk>/complete", LessonViewSet.as_view({"post": "complete"}), name="lesson-complete"),
    path("lessons/<uuid:pk>/position", LessonViewSet.as_view({"post": "position"}), name="lesson-position"),
    path("enrollments/<uuid:pk>/progress", progress, name="enrollment-progress"),
    path("progress/<uuid:pk>", progress, name="progress-detail"),
    path("progress/<uuid:pk>/summary", ProgressViewSet.as_view({"get": "summary"}), name="progress-summary"),
    path(
        "enrollments/<uuid:pk>/materials",
        CourseMaterialsViewSet.as_view({"get": "list"}),
        name="enrollment-materials",
    ),
    path(
        "materials/<uuid:pk>/download", MaterialViewSet.as_view({"get": "download"}), name="material-download"
    ),
    path("materials/<uuid:pk>/content", MaterialViewSet.as_view({"get": "content"}), name="material-content"),
    path(
        "quizzes/<uuid:pk>/attempts",
        QuizAttemptViewSet.as_view({"get": "list", "post": "create"}),
        name="quiz-attempts",
    ),
    path("quizzes/<uuid:pk>/submit", QuizAttemptViewSet.as_view({"post": "submit"}), name="quiz-submit"),
    path(
        "assignments/<uuid:pk>/submissions",
        SubmissionViewSet.as_view({"get": "list", "post": "create"}),
        name="assignment-submissions",
    ),
]
