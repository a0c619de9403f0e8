"""The learner's journey, by a client that openapi-python-client made from the schema.

Run against a live server: SMARTCOURSE_URL says where it is, SMARTCOURSE_SEARCH which course to look for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID, uuid4

from smartcourse_client import AuthenticatedClient, Client
from smartcourse_client.api.auth import auth_login_create, auth_me_retrieve, auth_register_create
from smartcourse_client.api.certificates import (
    certificates_list,
    certificates_pdf_retrieve,
    certificates_verify_retrieve,
)
from smartcourse_client.api.courses import courses_list
from smartcourse_client.api.enrollments import (
    enrollments_create,
    enrollments_progress_retrieve,
    enrollments_retrieve,
)
from smartcourse_client.api.lessons import lessons_complete_create, lessons_retrieve
from smartcourse_client.models import (
    EnrollmentStatus,
    EnrollRequest,
    LoginRequest,
    Problem,
    ProblemCode,
    RegistrationRequest,
    Role,
    SignedIn,
)

T = TypeVar("T")

URL, SEARCH = os.environ["SMARTCOURSE_URL"], os.environ["SMARTCOURSE_SEARCH"]
EMAIL = f"py-{uuid4().hex}@example.org"
PASSWORD = "a passphrase of mine, with spaces"
NAME = "Pia Thon"


def given(answer: T | Problem | None) -> T:
    """Return what a request gave; a refusal is an error with its code."""
    assert answer is not None
    assert not isinstance(answer, Problem), f"{answer.status} {answer.code}: {answer.detail}"
    return answer


def refused(problem: object, status: HTTPStatus, code: ProblemCode) -> Problem:
    """Return the problem; fail unless it is one, of that status and code."""
    assert isinstance(problem, Problem)
    assert (problem.status, problem.code) == (status, code)
    assert problem.request_id
    return problem


def eventually(look: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + 30
    while (found := look()) is None:
        assert time.monotonic() < deadline, "nothing after 30 seconds"
        time.sleep(0.1)
    return found


def register_and_log_in(visitor: Client) -> AuthenticatedClient:
    form = RegistrationRequest(email=EMAIL, password=PASSWORD, full_name="P")
    wrong = auth_register_create.sync(client=visitor, body=form)
    problem = refused(wrong, HTTPStatus.BAD_REQUEST, ProblemCode.INVALID)
    assert isinstance(problem.errors, list)
    assert problem.errors[0].field == "full_name"

    form.full_name = NAME
    assert given(auth_register_create.sync(client=visitor, body=form)).roles == [Role.STUDENT]
    again = auth_register_create.sync(client=visitor, body=form)
    refused(again, HTTPStatus.CONFLICT, ProblemCode.DUPLICATE)

    mistyped = LoginRequest(email=EMAIL, password="something else")
    wrong_one = auth_login_create.sync(client=visitor, body=mistyped)
    refused(wrong_one, HTTPStatus.UNAUTHORIZED, ProblemCode.INVALID_CREDENTIALS)
    signed_in = given(
        auth_login_create.sync(client=visitor, body=LoginRequest(email=EMAIL, password=PASSWORD))
    )
    # By bearer, or in cookies: the answer has one of two shapes.
    assert isinstance(signed_in, SignedIn)
    learner = AuthenticatedClient(base_url=URL, token=signed_in.access_token)
    assert given(auth_me_retrieve.sync(client=learner)).full_name == NAME
    return learner


def enroll(learner: AuthenticatedClient) -> UUID:
    course = given(courses_list.sync(client=learner, search=SEARCH)).results[0]
    nowhere = enrollments_create.sync(client=learner, body=EnrollRequest(course_id=uuid4()))
    refused(nowhere, HTTPStatus.NOT_FOUND, ProblemCode.NOT_FOUND)

    body, key = EnrollRequest(course_id=course.id), str(uuid4())
    first = enrollments_create.sync_detailed(client=learner, body=body, idempotency_key=key)
    enrollment = given(first.parsed)
    assert (first.status_code, enrollment.status) == (HTTPStatus.CREATED, EnrollmentStatus.PENDING)
    again = enrollments_create.sync_detailed(client=learner, body=body, idempotency_key=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert given(again.parsed).id == enrollment.id

    def is_active() -> bool | None:
        now = given(enrollments_retrieve.sync(enrollment.id, client=learner))
        return now.status is EnrollmentStatus.ACTIVE or None

    eventually(is_active)
    return enrollment.id


def study(learner: AuthenticatedClient, enrollment_id: UUID) -> None:
    progress = given(enrollments_progress_retrieve.sync(enrollment_id, client=learner))
    seen = [0.0]
    for lesson in [lesson for module in progress.modules for lesson in module.lessons]:
        assert given(lessons_retrieve.sync(lesson.id, client=learner)).content
        seen.append(given(lessons_complete_create.sync(lesson.id, client=learner)).percentage)
    assert seen == sorted(set(seen))
    assert seen[-1] == 100


def certify(learner: AuthenticatedClient) -> None:
    certificate = eventually(lambda: next(iter(given(certificates_list.sync(client=learner)).results), None))
    assert certificate.recipient_name == NAME
    pdf = given(certificates_pdf_retrieve.sync(certificate.id, client=learner))
    assert pdf.payload.read(5) == b"%PDF-"
    verified = given(certificates_verify_retrieve.sync(certificate.code, client=learner))
    assert (verified.valid, verified.recipient_name) == (True, NAME)
    unknown = certificates_verify_retrieve.sync("NOTACODE", client=learner)
    refused(unknown, HTTPStatus.NOT_FOUND, ProblemCode.NOT_FOUND)


def main() -> None:
    visitor = Client(base_url=URL)
    # Without a token, most operations do not even compile; a wrong one is a refusal like others.
    impostor = AuthenticatedClient(base_url=URL, token="no token")
    refused(auth_me_retrieve.sync(client=impostor), HTTPStatus.UNAUTHORIZED, ProblemCode.INVALID_TOKEN)
    learner = register_and_log_in(visitor)
    study(learner, enroll(learner))
    certify(learner)


if __name__ == "__main__":
    main()
