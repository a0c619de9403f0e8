"""What progress does for others: completions, the classroom, attempts and submissions."""

from enrollments.services import EnrollmentNotActive
from progress.services.assessments import (
    AssignmentNotFound,
    AttemptAlreadySubmitted,
    AttemptLimitReached,
    AttemptNotFound,
    QuizNotFound,
    attempts_at,
    enter_assignment,
    enter_quiz,
    start_attempt,
    submissions_for,
    submit_assignment,
    submit_attempt,
)
from progress.services.classroom import (
    LessonPage,
    MaterialNotFound,
    course_materials,
    download_link,
    enter_lesson,
    read_lesson,
    record_position,
)
from progress.services.completion import (
    AssignmentNotSubmitted,
    NotEnrolled,
    QuizNotPassed,
    complete_lesson,
    complete_where_nothing_is_left,
    initialise_progress,
    progress_tree,
    recompute_progress,
)
from progress.services.going_on import UNDER_WAY, UnderWay, courses_under_way
from progress.services.outline import LessonNode, ModuleNode, ProgressTree

__all__ = [
    "UNDER_WAY", "AssignmentNotFound", "AssignmentNotSubmitted", "AttemptAlreadySubmitted", "AttemptLimitReached",
    "AttemptNotFound", "EnrollmentNotActive", "LessonNode", "LessonPage", "MaterialNotFound", "ModuleNode",
    "NotEnrolled", "ProgressTree", "QuizNotFound", "QuizNotPassed", "UnderWay", "attempts_at", "complete_lesson",
    "complete_where_nothing_is_left", "course_materials", "courses_under_way", "download_link", "enter_assignment",
    "enter_lesson", "enter_quiz", "initialise_progress", "progress_tree", "read_lesson", "recompute_progress",
    "record_position", "start_attempt", "submissions_for", "submit_assignment", "submit_attempt",
]  # fmt: skip
