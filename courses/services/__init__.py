"""What other contexts, processes and endpoints may ask of courses."""

from courses.services.archiving import (
    close_enrollment,
    mark_archived,
    reopen_course,
    request_archiving,
    withdraw_from_search,
)
from courses.services.assessments import (
    GradedAnswers,
    QuestionInvalid,
    define_quiz,
    grade_answers,
    questions_of,
)
from courses.services.authoring import (
    CategoryUnknown,
    CourseArchivedAlready,
    LessonContentInvalid,
    OrderInvalid,
    SlugTaken,
    add_lesson,
    add_module,
    category_of,
    create_course,
    delete_lesson,
    delete_module,
    lock_course,
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
    LessonsForeign,
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
from courses.services.seats import (
    CapacityBelowTaken,
    CourseFull,
    EnrollmentClosed,
    change_capacity,
    release_seat,
    take_seat,
)

__all__ = [
    "CapacityBelowTaken", "CategoryUnknown", "CourseArchivedAlready", "CourseFull", "CourseIncomplete",
    "EnrollmentClosed", "FileRefused", "GradedAnswers", "ImportResult", "ImportRow", "LessonContentInvalid",
    "LessonNotFound", "LessonsForeign", "LinkInvalid", "OrderInvalid", "QuestionInvalid", "SlugTaken",
    "add_lesson", "add_material", "add_module", "category_of", "change_capacity", "close_enrollment",
    "create_course", "define_quiz", "delete_lesson", "delete_module", "discard_publication", "grade_answers",
    "import_course", "lock_course", "mark_archived", "mark_published", "material_link", "open_material",
    "process_content", "published_lesson", "published_lessons_of", "questions_of", "record_learner_count",
    "record_publishing_failure", "record_rating", "release_seat", "rendered_content", "rendered_description",
    "reopen_course", "reorder_course", "request_archiving", "request_publication", "restore_search_index",
    "store_upload", "take_seat", "update_course", "update_lesson", "update_module", "update_search_index",
    "validate_course", "withdraw_from_search",
]  # fmt: skip
