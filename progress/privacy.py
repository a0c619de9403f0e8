"""What progress holds of a person: what was written goes, and so do its files; that it was done stays counted."""

from __future__ import annotations

from smartcourse.db.personal import Holding, declare

COUNTED = "that it was done, and what it came to: figures of the course, which lead to nobody"
NAMELESS = "leads to a row in which nobody is any more"
MOMENTS = ("id", "created_at", "updated_at")

declare(
    "progress",
    Holding(
        model="progress.CourseProgress",
        person="enrollment__student",
        told=("enrollment", "percentage", "last_accessed_at", "created_at", "updated_at"),
        kept={"enrollment": COUNTED},
    ),
    Holding(
        model="progress.LessonProgress",
        person="enrollment__student",
        told=(
            *MOMENTS,
            "enrollment",
            "lesson_id",
            "status",
            "first_read_at",
            "completed_at",
            "position_seconds",
            "seconds_spent",
        ),
        kept=dict.fromkeys(("enrollment", "lesson_id", "status"), COUNTED),
    ),
    Holding(
        model="progress.QuizAttempt",
        person="enrollment__student",
        told=(
            *MOMENTS,
            "enrollment",
            "quiz",
            "number",
            "answers",
            "score",
            "maximum",
            "passed",
            "results",
            "submitted_at",
        ),
        erased={"answers": {}, "results": []},
        kept=dict.fromkeys(("enrollment", "quiz"), COUNTED),
    ),
    Holding(
        model="progress.Submission",
        person="enrollment__student",
        told=(*MOMENTS, "enrollment", "assignment", "number", "text", "submitted_at", "submitted_by"),
        erased={"text": ""},
        kept={"enrollment": COUNTED, "assignment": COUNTED, "submitted_by": NAMELESS},
    ),
)
