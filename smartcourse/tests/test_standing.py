"""The permission matrix for those who stand otherwise than they did: learners, closed accounts, former instructors."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Role, User
from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.matrix import ADMIN, DRAFT, PUBLISHED, Row, ask, rows_of
from smartcourse.tests.world import build_world, sign_in

pytestmark = pytest.mark.django_db

# What a learner gets, by where the enrollment stands.
STANDINGS = """
                                             ACTIVE COMPLETED PENDING SUSPENDED DROPPED EXPIRED WAITLISTED
GET    lessons/{lesson}                        200     200      403      403      403     403      403
GET    lessons/{preview}                       200     200      200      200      200     200      200
POST   lessons/{lesson}/complete               200     200      403      403      403     403      403
POST   lessons/{lesson}/position               200     200      403      403      403     403      403
GET    materials/{material}/download           302     302      403      403      403     403      403
GET    quizzes/{quiz}/attempts                 200     200      403      403      403     403      403
POST   quizzes/{quiz}/attempts                 200     200      403      403      403     403      403
POST   quizzes/{quiz}/submit                   200     200      403      403      403     403      403
GET    assignments/{assignment}/submissions    200     200      403      403      403     403      403
POST   assignments/{assignment}/submissions    201     201      403      403      403     403      403
GET    enrollments/{enrollment}                200     200      200      200      200     200      200
GET    enrollments/{enrollment}/progress       200     200      200      200      200     200      200
GET    enrollments/{enrollment}/materials      200     200      403      403      403     403      403
POST   enrollments                             200     200      200      200      201     201      200
"""
# Her course is to her as to any student; only these say something else while it is published.
FORMER_INSTRUCTOR = {"GET instructors/{user_IO}": 404, "POST enrollments": 403}


class TestEnrollment:
    @pytest.mark.parametrize("row", list(rows_of(STANDINGS)), ids=str)
    def test_opens_the_classroom_where_it_stands(self, row: Row, client_of: ClientOf) -> None:
        world, told = build_world(), {}
        for standing in row.statuses:
            world.rows["enrollment"].status = standing
            world.rows["enrollment"].save()
            told[standing] = ask(client_of(world.people["EN"]), row, world)
        assert told == row.statuses


def bearer(user: Any) -> APIClient:
    """Return a client with a token that the log-in gave."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {sign_in(user).access_token}")
    return client


def rows_that_want_an_account() -> list[Row]:
    return [row for row in rows_of(PUBLISHED) if row.statuses["AN"] == 401]


class TestClosedAccount:
    @pytest.mark.parametrize("role", ["EN", "IO", "SF", "AD"])
    def test_is_refused_everywhere_from_the_next_request_on(self, role: str, settings: Any) -> None:
        settings.DOCS_ARE_PUBLIC = False
        world = build_world()
        user = world.role(role)
        client = bearer(user)
        assert client.get("/api/v1/auth/me").status_code == 200
        accounts.deactivate_user(user_id=user.pk, by=User(), at=timezone.now())
        assert {row.name: ask(client, row, world) for row in rows_that_want_an_account()} == {
            row.name: 401 for row in rows_that_want_an_account()
        }

    def test_is_refused_by_its_flag_alone(self) -> None:
        world = build_world()
        client = bearer(world.role("SF"))
        User.objects.filter(pk=world["user_SF"]).update(is_active=False)
        assert {ask(client, row, world) for row in rows_that_want_an_account()} == {403}

    def test_cannot_be_signed_in_to_nor_kept_open(self, anonymous: APIClient) -> None:
        world = build_world()
        accounts.deactivate_user(user_id=world.role("EN").pk, by=User(), at=timezone.now())
        rows = {row.template: row for row in rows_of(PUBLISHED) if row.template.startswith("auth/")}
        for template in ("auth/login", "auth/token", "auth/refresh"):
            assert ask(anonymous, rows[template], world) in {401, 403}

    def test_is_shown_to_staff_alone(self, client_of: ClientOf) -> None:
        world = build_world()
        accounts.deactivate_user(user_id=world.role("EN").pk, by=User(), at=timezone.now())
        row = Row("GET users/{user_EN}", {"OS": 404, "IO": 404, "SF": 200})
        assert {role: ask(client_of(world.people[role]), row, world) for role in row.statuses} == row.statuses

    def test_is_sent_away_by_the_admin(self, client: Client) -> None:
        world = build_world()
        client.force_login(world.role("SF"))
        User.objects.filter(pk=world["user_SF"]).update(is_active=False)
        assert client.get("/admin/").status_code == 302


class TestErasedAccount:
    @pytest.mark.parametrize("role", ["EN", "IO", "SF"])
    def test_is_refused_everywhere_from_the_next_request_on(self, role: str, settings: Any) -> None:
        settings.DOCS_ARE_PUBLIC = False
        world = build_world()
        client = bearer(world.role(role))
        erasure = accounts.erase_user(
            user_id=world.role(role).pk, by=world.role("AD"), reason="By letter", at=timezone.now()
        )
        accounts.close_for_erasure(request_id=erasure.pk, at=timezone.now())
        rows = rows_that_want_an_account()
        assert {ask(client, row, world) for row in rows} == {401}


def dismiss(user: Any) -> User:
    """Take the role of instructor away, and return the person as the next request finds her."""
    accounts.revoke_role(user_id=user.pk, role=Role.INSTRUCTOR, by=None)
    return User.objects.get(pk=user.pk)


class TestFormerInstructor:
    @pytest.mark.parametrize("table", [PUBLISHED, DRAFT], ids=["published", "draft"])
    def test_is_to_her_course_as_any_student(self, table: str, client_of: ClientOf) -> None:
        world = build_world(published=table is PUBLISHED)
        client = client_of(dismiss(world.role("IO")))
        # Of docs, and of second factors (that student has one, she has none), other tests tell.
        elsewhere = ("schema", "docs", "auth/mfa")
        rows = [row for row in rows_of(table) if not row.template.startswith(elsewhere)]
        expected = {row.name: row.statuses["ST"] for row in rows}
        if table is PUBLISHED:
            expected |= FORMER_INSTRUCTOR
        assert {row.name: ask(client, row, world) for row in rows} == expected

    def test_is_refused_from_the_next_request_on(self, client_of: ClientOf) -> None:
        world = build_world()
        teacher = world.role("IO")
        client = bearer(teacher)
        row = Row("GET courses/{course}/roster", {})
        assert ask(client, row, world) == 200
        client_of(world.role("AD")).delete(f"/api/v1/users/{teacher.pk}/roles/instructor")
        assert ask(client, row, world) == 401
        assert ask(bearer(User.objects.get(pk=teacher.pk)), row, world) in {403, 404}

    def test_finds_nothing_of_it_in_lists(self, client_of: ClientOf) -> None:
        world = build_world()
        client = client_of(dismiss(world.role("IO")))
        for path in ("certificates", "enrollments/my-courses", "notifications"):
            assert client.get(world.path(path)).json()["results"] == []

    def test_is_sent_away_by_the_admin(self, client: Client) -> None:
        world = build_world()
        client.force_login(dismiss(world.role("IO")))
        urls = [f"/admin/{label.lower().replace('.', '/')}/" for label in ADMIN]
        assert {client.get(url).status_code for url in urls} == {302}
