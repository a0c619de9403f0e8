"""The words by which a course is found: those of its card at once, those of its lessons as they were published."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.search import SearchVector
from django.db import OperationalError, transaction
from django.db.models import Value
from psycopg.errors import ProgramLimitExceeded

from courses.models import Course, Publication
from courses.search import configurations_of

# What of a course's own description is searched; a change of these is found at once.
INDEXED = frozenset({"title", "summary", "description", "goals", "language"})
# The words of the first chunks are enough to find a course by.
SEARCHED_CHARACTERS = 400_000


def index_course(course: Course, publication: Publication | None = None) -> None:
    """Make the course findable by its own words and those of the publication, the title weighing most.

    Without a publication it is the newest: the one that learners read, or are about to. A course that has none is not
    to be found, and nothing is done.
    """
    publication = publication or course.publications.first()
    if publication is None:
        return
    words = " ".join(publication.chunks.values_list("text", flat=True))[:SEARCHED_CHARACTERS]
    while not _indexed(course, words):
        # How much room words take depends on how many differ, so it is tried: with half as many it fits, or the next.
        words = words[: len(words) // 2]


def _indexed(course: Course, words: str) -> bool:
    """Set the index, and return whether it fitted: a tsvector holds a megabyte."""
    try:
        with transaction.atomic():
            Course.objects.filter(pk=course.pk).update(search_vector=_vector_of(course, words))
    except OperationalError as error:
        if not words or not isinstance(error.__cause__, ProgramLimitExceeded):
            raise
        return False
    return True


def _vector_of(course: Course, words: str) -> Any:
    weighted = (
        (course.title, "A"),
        (f"{course.summary} {' '.join(course.goals)}", "B"),
        (course.description, "C"),
        (words, "D"),
    )
    vector: Any = None
    for config in configurations_of(course.language):
        for text, weight in weighted:
            part = SearchVector(Value(text), weight=weight, config=config)
            vector = part if vector is None else vector + part
    return vector
