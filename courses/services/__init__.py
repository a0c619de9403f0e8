"""What other contexts, processes and endpoints may ask of courses."""

from courses.services.assessments import (
    GradedAnswers,
    QuestionInvalid,
    define_quiz,
    grade_answers,
    questions_of,
)
from courses.services.authoring import (
    CourseArchivedAlready,
    LessonContentInvalid,
    OrderInvalid,
    SlugTaken,
    add_lesson,
    add_module,
    archive_course,
    create_course,
    delete_lesson,
    delete_module,
    reorder_course,
    update_course,
    update_lesson,
    update_module,
)
from courses.services.catalogue import (
    LessonNotFound,
    published_lesson,
    published_lessons_of,
    record_learner_count,
    record_rating,
    rendered_content,
    rendered_description,
)
from courses.services.imports import ImportResult, ImportRow, import_course
from courses.services.materials import (
    FileRefused,
    LinkInvalid,
    add_material,
    material_link,
    open_material,
    store_upload,
)
from courses.services.publishing import (
    CourseIncomplete,
    discard_publication,
    mark_published,
    process_content,
    record_publishing_failure,
    request_publication,
    restore_search_index,
    update_search_index,
    validate_course,
)
from courses.services.seats import CapacityBelowTaken, CourseFull, change_capacity, release_seat, take_seat

__all__ = [
    "CapacityBelowTaken", "CourseArchivedAlready", "CourseFull", "CourseIncomplete", "FileRefused", "GradedAnswers",
    "ImportResult", "ImportRow", "LessonContentInvalid", "LessonNotFound", "LinkInvalid", "OrderInvalid",
    "QuestionInvalid", "SlugTaken", "add_lesson", "add_material", "add_module", "archive_course", "change_capacity",
    "create_course", "define_quiz", "delete_lesson", "delete_module", "discard_publication", "grade_answers",
    "import_course", "mark_published", "material_link", "open_material", "process_content", "published_lesson",
    "published_lessons_of", "questions_of", "record_learner_count", "record_publishing_failure", "record_rating",
    "release_seat", "rendered_content", "rendered_description", "reorder_course", "request_publication",
    "restore_search_index", "store_upload", "take_seat", "update_course", "update_lesson", "update_module",
    "update_search_index", "validate_course",
]  # fmt: skip
