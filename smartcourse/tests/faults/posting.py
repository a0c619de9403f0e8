"""Courses made by POSTs that carry a key, and what is left of them."""

from __future__ import annotations

from typing import Any

import httpx

from smartcourse.db.identifiers import uuid7
from smartcourse.tests.faults.load import TIMEOUT, base_url
from smartcourse.tests.faults.platform import Platform


def new_title() -> str:
    return f"Knots {uuid7()}"


def post_course(
    platform: Platform, token: str, key: str, *, title: str, web: str = "web1", timeout: float = TIMEOUT
) -> httpx.Response:
    """Begin a course of that title: without a key, each request would make another one."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    return httpx.post(
        f"{base_url(platform, web)}/api/v1/courses", json={"title": title}, headers=headers, timeout=timeout
    )


def courses_called(platform: Platform, title: str) -> list[dict[str, Any]]:
    """Return the courses of that title, each with how many facts tell of its creation."""
    return platform.rows(
        """
        SELECT id::text, instructor_id::text AS instructor, (
            SELECT count(*) FROM events_outboxfact WHERE type = 'course.created' AND aggregate_id = courses_course.id
        ) AS facts FROM courses_course WHERE title = %s ORDER BY created_at
        """,
        title,
    )
