"""Which course an author may touch: hidden ones are a 404, others' a 403."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404

from courses import policies
from courses.models import Course
from smartcourse.errors import NotAllowed


def editable_course(user: Any, pk: UUID) -> Course:
    """Return the course for somebody who may edit it.

    Raises:
        Http404: it does not exist, or is hidden from this person.
        NotAllowed: it can be seen, and is not theirs to edit.
    """
    course = get_object_or_404(Course.objects.visible_to(user), pk=pk)
    if not policies.can_edit_course(user, course):
        raise NotAllowed
    return course
