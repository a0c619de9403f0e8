"""What courses holds of a person: who wrote and who published. The courses are the place's, and their learners'."""

from __future__ import annotations

from smartcourse.db.personal import Holding, declare

THE_COURSE = "the course, which its learners go on reading"
NAMELESS = "leads to a row in which nobody is any more"
OURS = "how we keep the row, and nothing about the person"
COPY = "a copy of the draft, as it was published"
MOMENTS = ("id", "created_at", "updated_at")

declare(
    "courses",
    Holding(
        model="courses.Course",
        person="instructor",
        told=(
            *MOMENTS,
            "title",
            "slug",
            "summary",
            "description",
            "goals",
            "category",
            "level",
            "language",
            "price_cents",
            "currency",
            "instructor",
            "status",
            "published_at",
            "archived_at",
            "learner_count",
            "rating_average",
            "rating_count",
        ),
        files=("cover",),
        untold=dict.fromkeys(("current_publication", "search_vector"), OURS),
        kept={"instructor": NAMELESS}
        | dict.fromkeys(
            (
                "title",
                "slug",
                "summary",
                "description",
                "goals",
                "language",
                "currency",
                "level",
                "status",
                "cover",
                "search_vector",
                "current_publication",
                "category",
            ),
            THE_COURSE,
        ),
    ),
    Holding(
        model="courses.Module",
        person="course__instructor",
        told=(*MOMENTS, "course", "title", "position"),
        kept=dict.fromkeys(("course", "title"), THE_COURSE),
    ),
    Holding(
        model="courses.Lesson",
        person="module__course__instructor",
        told=(
            *MOMENTS,
            "module",
            "title",
            "type",
            "content",
            "content_format",
            "is_preview",
            "estimated_minutes",
            "instructor_notes",
            "position",
        ),
        kept=dict.fromkeys(
            ("module", "title", "type", "content", "content_format", "instructor_notes"), THE_COURSE
        ),
    ),
    Holding(
        model="courses.Material",
        person="course__instructor",
        told=(*MOMENTS, "course", "name", "content_type", "size", "sha256"),
        files=("file",),
        kept=dict.fromkeys(("course", "name", "content_type", "sha256", "file"), THE_COURSE),
    ),
    Holding(
        model="courses.Quiz",
        person="lesson__module__course__instructor",
        told=(*MOMENTS, "lesson", "pass_percentage", "attempt_limit"),
        kept={"lesson": THE_COURSE},
    ),
    Holding(
        model="courses.Question",
        person="quiz__lesson__module__course__instructor",
        told=(*MOMENTS, "quiz", "kind", "prompt", "choices", "key", "explanation", "points", "position"),
        kept=dict.fromkeys(("quiz", "kind", "prompt", "choices", "key", "explanation"), THE_COURSE),
    ),
    Holding(
        model="courses.Assignment",
        person="lesson__module__course__instructor",
        told=(*MOMENTS, "lesson", "points"),
        kept={"lesson": THE_COURSE},
    ),
    Holding(
        model="courses.Publication",
        person="published_by",
        told=(*MOMENTS, "course", "number", "published_at"),
        untold={"outline": COPY, "published_by": OURS},
        kept={"published_by": NAMELESS, "course": THE_COURSE, "outline": THE_COURSE},
    ),
    impersonal={
        "courses.Category": "shelves of the catalogue",
        "courses.CourseSeats": "how many, and not who",
        "courses.Lesson_materials": "which file belongs to which lesson",
        "courses.PublishedLesson": COPY,
        "courses.PublishedLesson_materials": COPY,
        "courses.ContentChunk": COPY,
    },
)
