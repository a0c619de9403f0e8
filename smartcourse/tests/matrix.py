"""Who may do what, as tables: one row for each method and route under /api/v1, and the bodies that writes need.

A column a role (see `world.ROLES`), in it the status of the answer. A word after the path tells rows of one route
apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from string import Formatter
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import resolve
from django.utils import timezone

from accounts.tests.factories import PASSWORD
from accounts.tests.second_factors import code_now
from smartcourse.tests.world import World

Body = dict[str, Any]

PUBLISHED = """
                                                               AN  ST  EN  OS  IO  OI  SF  AD
GET    health                                                  200 200 200 200 200 200 200 200
GET    ready                                                   200 200 200 200 200 200 200 200
GET    schema                                                  401 403 403 403 403 403 200 200
GET    docs                                                    401 403 403 403 403 403 200 200

POST   auth/register                                           201 201 201 201 201 201 201 201
POST   auth/login                                              200 200 200 200 200 200 200 200
POST   auth/token                                              200 200 200 200 200 200 200 200
POST   auth/refresh                                            200 200 200 200 200 200 200 200
POST   auth/verify-email                                       200 200 200 200 200 200 200 200
POST   auth/logout                                             401 204 204 204 204 204 204 204
POST   auth/logout-all                                         401 204 204 204 204 204 204 204
POST   auth/password/change                                    401 204 204 204 204 204 204 204
POST   auth/password/reset                                     202 202 202 202 202 202 202 202
POST   auth/password/reset/confirm                             204 204 204 204 204 204 204 204
POST   auth/verify-email/resend                                202 202 202 202 202 202 202 202
POST   auth/email/change                                       401 202 202 202 202 202 202 202
POST   auth/email/change/confirm                               200 200 200 200 200 200 200 200
GET    auth/mfa                                                401 200 200 200 200 200 200 200
POST   auth/mfa/verify                                         200 200 200 200 200 200 200 200
POST   auth/mfa/mail-code                                      202 202 202 202 202 202 202 202
POST   auth/mfa/totp                                           401 409 200 200 200 200 200 200
POST   auth/mfa/totp/confirm                                   401 409 200 200 200 200 200 200
POST   auth/mfa/email                                          401 409 200 200 200 200 200 200
POST   auth/mfa/remove                                         401 204 404 404 404 404 404 404
POST   auth/mfa/recovery-codes                                 401 200 422 422 422 422 422 422
GET    auth/me                                                 401 200 200 200 200 200 200 200
PATCH  auth/me                                                 401 200 200 200 200 200 200 200
GET    auth/sessions                                           401 200 200 200 200 200 200 200
DELETE auth/sessions/{session}                                 401 404 204 404 404 404 404 404
GET    auth/api-keys                                           401 200 200 200 200 200 200 200
POST   auth/api-keys                                           401 201 201 201 201 201 201 201
DELETE auth/api-keys/{api_key}                                 401 404 204 404 404 404 404 404
GET    users                                                   401 403 403 403 403 403 200 200
GET    users/{user_EN}                                         401 200 200 200 200 200 200 200
PUT    users/{user_EN}                                         401 403 200 403 403 403 200 200
PATCH  users/{user_EN}                                         401 403 200 403 403 403 200 200
DELETE users/{user_EN}                                         401 403 403 403 403 403 403 204
DELETE users/{user_AD}                                         401 403 403 403 403 403 403 403
POST   users/{user_EN}/reactivate                              401 403 403 403 403 403 403 200
POST   users/{user_AD}/reactivate                              401 403 403 403 403 403 403 403
PUT    users/{user_EN}/roles/staff                             401 403 403 403 403 403 403 200
DELETE users/{user_IO}/roles/instructor                        401 403 403 403 403 403 403 200
PUT    users/{user_AD}/roles/staff                             401 403 403 403 403 403 403 403
DELETE users/{user_AD}/roles/admin                             401 403 403 403 403 403 403 403
GET    me/dashboard                                            401 200 200 200 200 200 200 200
GET    me/exports                                              401 200 200 200 200 200 200 200
POST   me/exports                                              401 202 202 202 202 202 202 202
GET    me/exports/{export}                                     401 404 200 404 404 404 404 404
GET    me/exports/{export}/download                            401 404 302 404 404 404 404 404
GET    exports/{export}/content?{export_link}                  200 200 200 200 200 200 200 200
GET    exports/{export}/content?signature=x                    404 404 404 404 404 404 404 404
GET    me/erasure                                              401 404 404 200 404 404 404 404
POST   me/erasure                                              401 202 202 202 202 202 202 422
DELETE me/erasure                                              401 404 404 204 404 404 404 404
GET    instructors                                             200 200 200 200 200 200 200 200
GET    instructors/{user_IO}                                   200 200 200 200 200 200 200 200
PATCH  instructors/me                                          401 403 403 403 200 200 200 200
GET    instructors/applications                                401 200 200 200 200 200 200 200
POST   instructors/applications                                401 201 409 201 409 409 201 201
GET    instructors/applications/{application}                  401 404 200 404 404 404 200 200
POST   instructors/applications/{application}/approve          401 403 403 403 403 403 200 200
POST   instructors/applications/{application}/reject           401 403 403 403 403 403 200 200

GET    categories                                              200 200 200 200 200 200 200 200
GET    courses                                                 200 200 200 200 200 200 200 200
POST   courses                                                 401 403 403 403 201 201 201 201
GET    courses/mine                                            401 403 403 403 200 200 200 200
GET    courses/{course}                                        200 200 200 200 200 200 200 200
PUT    courses/{course}                                        401 403 403 403 200 403 200 200
PATCH  courses/{course}                                        401 403 403 403 200 403 200 200
DELETE courses/{course}                                        401 403 403 403 204 403 204 204
POST   courses/{course}/publish                                401 403 403 403 202 403 202 202
GET    courses/{course}/cover                                  200 200 200 200 200 200 200 200
PUT    courses/{course}/order                                  401 403 403 403 204 403 204 204
GET    courses/{course}/modules                                401 403 403 403 200 403 200 200
POST   courses/{course}/modules                                401 403 403 403 201 403 201 201
GET    courses/{course}/modules/{module}                       401 403 403 403 200 403 200 200
PUT    courses/{course}/modules/{module}                       401 403 403 403 200 403 200 200
PATCH  courses/{course}/modules/{module}                       401 403 403 403 200 403 200 200
DELETE courses/{course}/modules/{module}                       401 403 403 403 204 403 204 204
GET    courses/{course}/modules/{module}/lessons               401 403 403 403 200 403 200 200
POST   courses/{course}/modules/{module}/lessons               401 403 403 403 201 403 201 201
GET    courses/{course}/modules/{module}/lessons/{lesson}      401 403 403 403 200 403 200 200
PUT    courses/{course}/modules/{module}/lessons/{lesson}      401 403 403 403 200 403 200 200
PATCH  courses/{course}/modules/{module}/lessons/{lesson}      401 403 403 403 200 403 200 200
DELETE courses/{course}/modules/{module}/lessons/{lesson}      401 403 403 403 204 403 204 204
GET    courses/{course}/materials                              401 403 403 403 200 403 200 200
POST   courses/{course}/materials                              401 403 403 403 201 403 201 201
POST   courses/{course}/quizzes                                401 403 403 403 201 403 201 201
GET    quizzes/{quiz}                                          401 403 403 403 200 403 200 200
PUT    quizzes/{quiz}                                          401 403 403 403 200 403 200 200

POST   enrollments                                             401 201 200 200 403 201 201 201
POST   enrollments for-another                                 401 403 403 403 403 403 201 201
GET    enrollments/my-courses                                  401 200 200 200 200 200 200 200
GET    enrollments/{enrollment}                                401 404 200 404 200 404 200 200
DELETE enrollments/{enrollment}                                401 404 204 404 204 404 204 204
GET    enrollments/{enrollment}/progress                       401 404 200 404 200 404 200 200
GET    enrollments/{enrollment}/materials                      401 404 200 404 200 404 200 200
POST   enrollments/{finished}/certificate                      401 404 202 404 202 404 202 202
GET    courses/{course}/roster                                 401 403 403 403 200 404 200 200

GET    lessons/{lesson}                                        401 403 200 200 200 403 200 200
GET    lessons/{preview}                                       200 200 200 200 200 200 200 200
POST   lessons/{lesson}/complete                               401 403 200 200 403 403 403 403
POST   lessons/{lesson}/position                               401 403 200 200 403 403 403 403
GET    progress/{enrollment}                                   401 404 200 404 200 404 200 200
GET    progress/{enrollment}/summary                           401 404 200 404 200 404 200 200
GET    materials/{material}/download                           401 403 302 302 302 403 302 302
GET    materials/{material}/content?{file_link}                200 200 200 200 200 200 200 200
GET    materials/{material}/content?signature=x                404 404 404 404 404 404 404 404
GET    quizzes/{quiz}/attempts                                 401 403 200 200 200 404 200 200
POST   quizzes/{quiz}/attempts                                 401 403 200 200 403 404 403 403
POST   quizzes/{quiz}/submit                                   401 403 200 404 403 404 403 403
GET    assignments/{assignment}/submissions                    401 403 200 200 200 404 200 200
POST   assignments/{assignment}/submissions                    401 403 201 201 403 404 403 403

GET    certificates                                            401 200 200 200 200 200 200 200
GET    certificates/{certificate}                              401 404 200 404 403 404 200 200
GET    certificates/{certificate}/pdf                          401 404 200 404 403 404 200 200
GET    certificates/keys                                       200 200 200 200 200 200 200 200
GET    certificates/verify/{code}                              200 200 200 200 200 200 200 200

GET    notifications                                           401 200 200 200 200 200 200 200
GET    notifications/unread-count                              401 200 200 200 200 200 200 200
POST   notifications/read-all                                  401 200 200 200 200 200 200 200
POST   notifications/{notice}/read                             401 404 200 404 404 404 404 404

GET    webhooks                                                401 200 200 200 200 200 200 200
POST   webhooks                                                401 201 201 201 201 201 201 201
POST   webhooks of-the-platform                                401 403 403 403 403 403 201 201
GET    webhooks/fact-types                                     401 200 200 200 200 200 200 200
GET    webhooks/{hook}                                         401 404 200 404 404 404 404 404
PATCH  webhooks/{hook}                                         401 404 200 404 404 404 404 404
DELETE webhooks/{hook}                                         401 404 204 404 404 404 404 404
GET    webhooks/{platform_hook}                                401 404 404 404 404 404 200 200
POST   webhooks/{hook}/rotate-secret                           401 404 200 404 404 404 404 404
POST   webhooks/{hook}/ping                                    401 404 202 404 404 404 404 404
GET    webhooks/{hook}/deliveries                              401 404 200 404 404 404 404 404
GET    webhooks/{hook}/deliveries/{hook_delivery}              401 404 200 404 404 404 404 404
POST   webhooks/{hook}/deliveries/{hook_delivery}/redeliver    401 404 202 404 404 404 404 404

GET    analytics/platform                                      401 403 403 403 403 403 200 200
GET    analytics/courses/{course}                              401 403 403 403 200 404 200 200
GET    workflows/{run}                                         401 404 200 404 404 404 200 200
"""

DRAFT = """
                                                               AN  ST  IO  OI  SF  AD
GET    courses/{course}                                        404 404 200 404 200 200
PUT    courses/{course}                                        401 404 200 404 200 200
PATCH  courses/{course}                                        401 404 200 404 200 200
DELETE courses/{course}                                        401 404 204 404 204 204
POST   courses/{course}/publish                                401 404 202 404 202 202
GET    courses/{course}/cover                                  404 404 200 404 200 200
PUT    courses/{course}/order                                  401 404 204 404 204 204
GET    courses/{course}/modules                                401 404 200 404 200 200
POST   courses/{course}/modules                                401 404 201 404 201 201
PUT    courses/{course}/modules/{module}                       401 404 200 404 200 200
DELETE courses/{course}/modules/{module}                       401 404 204 404 204 204
GET    courses/{course}/modules/{module}/lessons               401 404 200 404 200 200
POST   courses/{course}/modules/{module}/lessons               401 404 201 404 201 201
GET    courses/{course}/modules/{module}/lessons/{lesson}      401 404 200 404 200 200
PATCH  courses/{course}/modules/{module}/lessons/{lesson}      401 404 200 404 200 200
DELETE courses/{course}/modules/{module}/lessons/{lesson}      401 404 204 404 204 204
GET    courses/{course}/materials                              401 404 200 404 200 200
POST   courses/{course}/materials                              401 404 201 404 201 201
POST   courses/{course}/quizzes                                401 404 201 404 201 201
GET    quizzes/{quiz}                                          401 404 200 404 200 200
PUT    quizzes/{quiz}                                          401 404 200 404 200 200
POST   enrollments                                             401 404 404 404 404 404
GET    courses/{course}/roster                                 401 403 200 404 200 200
GET    lessons/{lesson}                                        404 404 404 404 404 404
GET    lessons/{preview}                                       404 404 404 404 404 404
POST   lessons/{lesson}/complete                               401 404 404 404 404 404
POST   lessons/{lesson}/position                               401 404 404 404 404 404
GET    materials/{material}/download                           404 404 302 404 302 302
GET    quizzes/{quiz}/attempts                                 401 404 404 404 404 404
POST   quizzes/{quiz}/attempts                                 401 404 404 404 404 404
GET    assignments/{assignment}/submissions                    401 404 404 404 404 404
POST   assignments/{assignment}/submissions                    401 404 404 404 404 404
GET    analytics/courses/{course}                              401 403 200 404 200 200
"""

PERSON: Body = {"full_name": "Another Name"}
COURSE: Body = {"title": "A new title"}
MODULE: Body = {"title": "A module"}
LESSON: Body = {"title": "A lesson", "type": "text", "content": "Words."}
HOOK: Body = {"url": "https://hooks.example.org/in", "fact_types": ["enrollment.activated"]}
QUESTION: Body = {"kind": "true_false", "prompt": "Is it?", "key": True}


def upload() -> Body:
    return {"file": SimpleUploadedFile("more.txt", b"More notes.", "text/plain")}


def whole_order(world: World) -> Body:
    lessons = [world[name] for name in ("assignment_lesson", "quiz_lesson", "preview", "lesson")]
    return {"modules": [{"id": world["module"], "lessons": lessons}]}


def credentials(world: World) -> Body:
    return {"email": world.role("EN").email, "password": PASSWORD}


# By the row's name, what is sent: always what a permitted caller may send, so that a 400 never hides a 403.
BODIES: dict[str, Callable[[World], Body]] = {
    "POST auth/register": lambda _: {"email": "new@example.org", "password": "a long enough phrase", **PERSON},
    "POST auth/login": credentials,
    "POST auth/token": lambda w: {"username": w.role("EN").email, "password": PASSWORD},
    "POST auth/refresh": lambda w: {"refresh_token": w["refresh_token"]},
    "POST auth/verify-email": lambda w: {"token": w["verification"]},
    "POST auth/password/change": lambda _: {"current_password": PASSWORD, "new_password": "staple battery horse"},
    "POST auth/password/reset": lambda w: {"email": w.role("EN").email},
    "POST auth/password/reset/confirm": lambda w: {"token": w["reset"], "new_password": "staple battery horse"},
    "POST auth/verify-email/resend": lambda w: {"email": w.role("EN").email},
    "POST auth/email/change": lambda _: {"new_email": "another@example.org", "current_password": PASSWORD},
    "POST auth/email/change/confirm": lambda w: {"token": w["email_change"]},
    "POST auth/mfa/verify": lambda w: {"mfa_token": w["mfa_token"], "method": "totp", "code": code_now()},
    "POST auth/mfa/mail-code": lambda w: {"mfa_token": w["mfa_token"]},
    "POST auth/mfa/totp": lambda _: {"current_password": PASSWORD},
    "POST auth/mfa/totp/confirm": lambda _: {"code": code_now()},
    "POST auth/mfa/email": lambda _: {"current_password": PASSWORD},
    "POST auth/mfa/remove": lambda _: {"method": "email", "current_password": PASSWORD},
    "POST auth/mfa/recovery-codes": lambda _: {"current_password": PASSWORD},
    "PATCH auth/me": lambda _: PERSON,
    "POST auth/api-keys": lambda _: {
        "name": "Nightly sync", "scopes": ["courses:read"], "expires_at": timezone.now() + timedelta(days=30),
    },
    "PUT users/{user_EN}": lambda _: PERSON,
    "PATCH users/{user_EN}": lambda _: PERSON,
    "POST me/erasure": lambda _: {"current_password": PASSWORD},
    "POST instructors/applications": lambda _: {"statement": "I have tied knots for twenty years."},
    "POST instructors/applications/{application}/approve": lambda _: {"reason": "Welcome."},
    "POST instructors/applications/{application}/reject": lambda _: {"reason": "Not yet."},
    "PATCH instructors/me": lambda _: {"headline": "Teaches knots"},
    "POST courses": lambda _: COURSE,
    "PUT courses/{course}": lambda _: COURSE,
    "PATCH courses/{course}": lambda _: COURSE,
    "PUT courses/{course}/order": whole_order,
    "POST courses/{course}/modules": lambda _: MODULE,
    "PUT courses/{course}/modules/{module}": lambda _: MODULE,
    "PATCH courses/{course}/modules/{module}": lambda _: MODULE,
    "POST courses/{course}/modules/{module}/lessons": lambda _: LESSON,
    "PUT courses/{course}/modules/{module}/lessons/{lesson}": lambda _: LESSON,
    "PATCH courses/{course}/modules/{module}/lessons/{lesson}": lambda _: {"title": "Renamed"},
    "POST courses/{course}/materials": lambda _: upload(),
    "POST courses/{course}/quizzes": lambda w: {"lesson_id": w["quiz_lesson"], "questions": [QUESTION]},
    "PUT quizzes/{quiz}": lambda _: {"questions": [QUESTION]},
    "POST enrollments": lambda w: {"course_id": w["course"]},
    "POST enrollments for-another": lambda w: {
        "course_id": w["course"], "student_id": w["newcomer"], "reason": "Asked by phone",
    },
    "DELETE enrollments/{enrollment}": lambda _: {"reason": "Asked by phone"},
    "POST lessons/{lesson}/position": lambda _: {"position_seconds": 5},
    # EN's own attempt by its id: to a classmate there is no such attempt.
    "POST quizzes/{quiz}/submit": lambda w: {"attempt_id": w["attempt"], "answers": {w["question"]: True}},
    "POST assignments/{assignment}/submissions": lambda _: {"text": "My essay."},
    "POST webhooks": lambda _: HOOK,
    "POST webhooks of-the-platform": lambda _: {**HOOK, "platform": True},
    "PATCH webhooks/{hook}": lambda _: {"description": "Another name"},
}  # fmt: skip
FORMS = {"POST auth/token": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Row:
    """What everybody gets who sends `method` to the address; by role, or by whatever heads the table's columns."""

    name: str
    statuses: dict[str, int]

    @property
    def method(self) -> str:
        return self.name.split()[0]

    @property
    def template(self) -> str:
        return self.name.split()[1]

    def names(self) -> list[str]:
        """Return what stands between braces in the address, in its order."""
        return [name for _, name, _, _ in Formatter().parse(self.template) if name]

    def action(self) -> tuple[str, str]:
        """Return the method and the route that the URL resolver has for the address."""
        anything = "0190a6c4-0000-7000-8000-000000000000"
        path = "/api/v1/" + self.template.split("?")[0]
        while "{" in path:
            before, rest = path.split("{", 1)
            path = before + anything + rest.split("}", 1)[1]
        return self.method, resolve(path).route

    def __str__(self) -> str:
        return self.name


def rows_of(table: str) -> Iterator[Row]:
    heading, *lines = (line.split() for line in table.splitlines() if line.strip())
    for words in lines:
        name, statuses = words[: -len(heading)], words[-len(heading) :]
        yield Row(" ".join(name), dict(zip(heading, map(int, statuses), strict=True)))


# Who may open the list of a model in the back office; instructors find their own rows there.
TEACHERS = frozenset({"IO", "OI", "SF", "AD"})
STAFF = frozenset({"SF", "AD"})
# The schedules of the machinery are no role's business.
ADMIN = {
    "accounts.ApiKey": STAFF,
    "accounts.InstructorApplication": STAFF,
    "accounts.PrivacyRequest": STAFF,
    "accounts.Session": STAFF,
    "accounts.SignInAttempts": STAFF,
    "accounts.User": STAFF,
    "analytics.DailyMetric": STAFF,
    "analytics.HourlyMetric": STAFF,
    "certificates.Certificate": TEACHERS,
    "courses.Category": STAFF,
    "courses.Course": TEACHERS,
    "courses.Lesson": TEACHERS,
    "courses.Material": TEACHERS,
    "courses.Module": TEACHERS,
    "courses.Publication": TEACHERS,
    "courses.Quiz": TEACHERS,
    "django_celery_beat.ClockedSchedule": STAFF,
    "django_celery_beat.CrontabSchedule": STAFF,
    "django_celery_beat.IntervalSchedule": STAFF,
    "django_celery_beat.PeriodicTask": STAFF,
    "django_celery_beat.SolarSchedule": STAFF,
    "enrollments.Enrollment": TEACHERS,
    "events.ArchivedFact": STAFF,
    "events.Delivery": STAFF,
    "events.OutboxFact": STAFF,
    "notifications.Message": STAFF,
    "progress.CourseProgress": TEACHERS,
    "progress.LessonProgress": TEACHERS,
    "progress.QuizAttempt": TEACHERS,
    "progress.Submission": TEACHERS,
    "queues.DeadLetter": STAFF,
    "webhooks.Endpoint": STAFF,
    "webhooks.WebhookDelivery": STAFF,
    "workflows.Run": STAFF,
}


def ask(client: Any, row: Row, world: World) -> int:
    """Return the status of the answer to the row's request."""
    return int(send(client, row, world, BODIES[row.name](world) if row.name in BODIES else None).status_code)


def send(client: Any, row: Row, world: World, body: Body | None) -> Any:
    """Send the row's request, and undo whatever it did, so that the next role meets the same world."""
    kind = FORMS.get(row.name)
    how = {"content_type": kind} if kind else {"format": "multipart" if body and "file" in body else "json"}
    method = getattr(client, row.method.lower())
    with transaction.atomic():
        answer = method(world.path(row.template), urlencode(body) if kind and body else body, **how)
        transaction.set_rollback(True)
    # A file is closed by reading it to its end; `close()` would take the database connection along.
    b"".join(answer.streaming_content if answer.streaming else ())
    return answer
