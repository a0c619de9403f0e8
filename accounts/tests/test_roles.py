"""Roles and the active flag over HTTP: for administrators, and never one's own."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts import services
from accounts.models import Role, User
from accounts.tests.factories import UserFactory
from accounts.tests.signing_in import ME, bearer, log_in

pytestmark = pytest.mark.django_db


def role_url(user: Any, role: str) -> str:
    return f"/api/v1/users/{user.pk}/roles/{role}"


class TestRoles:
    def test_are_given_and_taken(self, administrator: Any, student: Any, client_of: Any) -> None:
        client = client_of(administrator)
        for _ in range(2):
            answer = client.put(role_url(student, "staff"))
            assert (answer.status_code, answer.json()["roles"]) == (200, ["staff", "student"])
        assert User.objects.get(pk=student.pk).is_staff
        for _ in range(2):
            assert client.delete(role_url(student, "staff")).json()["roles"] == ["student"]
        assert not User.objects.get(pk=student.pk).is_staff

    def test_are_for_administrators_to_give(
        self, student: Any, stranger: Any, instructor: Any, staff: Any, client_of: Any
    ) -> None:
        for who, status in ((None, 401), (student, 403), (instructor, 403), (staff, 403)):
            client = client_of(who)
            assert client.put(role_url(stranger, "instructor")).status_code == status
            assert client.delete(role_url(stranger, "student")).status_code == status

    def test_are_not_ones_own_to_change(self, administrator: Any, client_of: Any) -> None:
        client = client_of(administrator)
        assert client.put(role_url(administrator, "staff")).status_code == 403
        assert client.delete(role_url(administrator, "admin")).status_code == 403

    def test_are_those_that_exist(self, administrator: Any, student: Any, client_of: Any) -> None:
        client = client_of(administrator)
        for role in ("superuser", "Staff", "admin/x"):
            assert client.put(role_url(student, role)).status_code == 404
        assert (
            client.put(role_url(student, "staff"), {"is_superuser": True}, format="json").status_code == 400
        )
        assert client.put(f"/api/v1/users/{administrator.pk}x/roles/staff").status_code == 404

    def test_taken_opens_nothing_on_the_next_request(
        self, administrator: Any, staff: Any, client_of: Any
    ) -> None:
        client = bearer(log_in(staff)["access_token"])
        assert client.get("/api/v1/users").status_code == 200
        client_of(administrator).delete(role_url(staff, "staff"))
        assert client.get("/api/v1/users").status_code == 401
        assert bearer(log_in(staff)["access_token"]).get("/api/v1/users").status_code == 403


class TestActiveFlag:
    def test_is_set_again_by_administrators(
        self, administrator: Any, student: Any, staff: Any, client_of: Any
    ) -> None:
        url = f"/api/v1/users/{student.pk}"
        assert client_of(administrator).delete(url).status_code == 204
        assert client_of(staff).post(f"{url}/reactivate").status_code == 403
        for _ in range(2):
            assert client_of(administrator).post(f"{url}/reactivate").json()["is_active"] is True
        assert bearer(log_in(student)["access_token"]).get(ME).status_code == 200


class TestUserList:
    URL = "/api/v1/users"

    def test_is_filtered(self, staff: Any, student: Any, instructor: Any, client_of: Any) -> None:
        User.objects.filter(pk=student.pk).update(is_verified=False, created_at="2020-02-02T00:00:00Z")
        client = client_of(staff)

        def found(query: str) -> set[str]:
            return {row["id"] for row in client.get(f"{self.URL}?{query}").json()["results"]}

        assert found("role=instructor") == {str(instructor.pk)}
        assert found("is_verified=false") == {str(student.pk)}
        assert found("search=sofia") == {str(student.pk)}
        assert found("created_before=2021-01-01T00:00:00Z") == {str(student.pk)}
        assert str(student.pk) not in found("created_after=2021-01-01T00:00:00Z")
        between = "created_after=2020-02-02T00:00:00Z&created_before=2020-02-03T00:00:00Z&role=student&is_active=true"
        assert found(between) == {str(student.pk)}
        assert client.get(f"{self.URL}?created_after=yesterday").status_code == 400

    @pytest.mark.parametrize("offset", ["-23:45", "%2B23:59", "-16:00"])
    def test_is_filtered_by_moments_of_any_offset_and_beyond_the_calendar(
        self, staff: Any, student: Any, client_of: Any, offset: str
    ) -> None:
        client = client_of(staff)
        for moment, found in (
            ("0001-01-01T00:00:00", 2),
            ("2020-02-02T00:00:00", 2),
            ("9999-12-31T23:59:59", 0),
        ):
            answer = client.get(f"{self.URL}?created_after={moment}{offset}")
            assert (answer.status_code, len(answer.json()["results"])) == (200, found), answer.json()

    def test_costs_as_many_queries_however_many_there_are(
        self, staff: Any, client_of: Any, django_assert_num_queries: Any
    ) -> None:
        client = client_of(staff)
        # Her own roles are looked up once.
        client.get(self.URL)
        for _ in range(2):
            UserFactory.create_batch(3)
            with django_assert_num_queries(2):
                client.get(self.URL)


class TestErasedAccount:
    def test_is_given_nothing_back(self, administrator: Any, student: Any) -> None:
        student.vacate(at=timezone.now())
        with pytest.raises(services.AccountErased):
            services.reactivate_user(user_id=student.pk, by=administrator)
        with pytest.raises(services.AccountErased):
            services.grant_role(user_id=student.pk, role=Role.STAFF, by=administrator)
