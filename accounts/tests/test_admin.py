"""People in the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import Role, Session, User
from accounts.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
URL = "/admin/accounts/user/"


class TestSite:
    def test_lets_in_by_role(self, client: Client, staff: Any, instructor: Any, student: Any) -> None:
        for who, status in ((staff, 200), (instructor, 200), (student, 302)):
            client.logout()
            client.post("/admin/login/", {"username": who.email, "password": PASSWORD})
            assert client.get("/admin/").status_code == status, who


class TestPasswordChange:
    def test_ends_the_sessions_of_the_api_and_keeps_this_one(self, client: Client, staff: Any) -> None:
        device = services.Device()
        services.log_in(email=staff.email, password=PASSWORD, device=device, at=timezone.now())
        client.force_login(staff)
        new = "another fine passphrase"
        form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert client.post("/admin/password_change/", form).status_code == 302
        assert not Session.objects.filter(revoked_at=None).exists()
        assert client.get("/admin/").status_code == 200
        assert User.objects.get(pk=staff.pk).check_password(new)


class TestUserAdmin:
    def test_shows_staff_everybody_and_instructors_nobody(
        self, client: Client, staff: Any, instructor: Any, student: Any, django_assert_max_num_queries: Any
    ) -> None:
        client.force_login(staff)
        with django_assert_max_num_queries(14):
            page = client.get(URL)
        assert student.email in page.content.decode()
        page = client.get(f"{URL}{student.pk}/change/")
        assert page.status_code == 200
        assert "md5" not in page.content.decode(), "no hash is shown"
        client.force_login(instructor)
        assert client.get(URL).status_code == 403

    def test_gives_roles_by_administrators_alone(
        self, client: Client, staff: Any, administrator: Any, student: Any
    ) -> None:
        form = {"action": "make_staff", "_selected_action": [str(student.pk)]}
        client.force_login(staff)
        client.post(URL, form)
        assert not User.objects.get(pk=student.pk).has_role(Role.STAFF)
        client.force_login(administrator)
        client.post(URL, form)
        assert User.objects.get(pk=student.pk).has_role(Role.STAFF)

    def test_lets_staff_approve_instructors(self, client: Client, staff: Any, student: Any) -> None:
        client.force_login(staff)
        client.post(URL, {"action": "make_instructor", "_selected_action": [str(student.pk)]})
        assert User.objects.get(pk=student.pk).has_role(Role.INSTRUCTOR)

    def test_gives_and_takes_administration_too(
        self, client: Client, administrator: Any, student: Any
    ) -> None:
        client.force_login(administrator)
        for action, may in (("make_admin", True), ("take_admin", False)):
            client.post(URL, {"action": action, "_selected_action": [str(student.pk)]})
            changed = User.objects.get(pk=student.pk)
            assert (changed.has_role(Role.ADMIN), changed.is_staff) == (may, may)

    @pytest.mark.parametrize("lookup", ["password__startswith", "password", "password__regex"])
    def test_tells_no_hash_by_a_filter(self, client: Client, staff: Any, lookup: str) -> None:
        client.force_login(staff)
        assert client.get(URL, {lookup: "md5"}).status_code == 400

    def test_says_so_where_it_is_ones_own_account(self, client: Client, administrator: Any) -> None:
        client.force_login(administrator)
        form = {"action": "deactivate", "_selected_action": [str(administrator.pk)]}
        page = client.post(URL, form, follow=True).content.decode()
        assert "cannot be done to one&#x27;s own account" in page
        assert User.objects.get(pk=administrator.pk).is_active


class TestSessionAdmin:
    URL = "/admin/accounts/session/"

    @pytest.fixture(autouse=True)
    def signed_in(self, student: Any) -> None:
        device = services.Device(user_agent="Telephone")
        services.log_in(email=student.email, password=PASSWORD, device=device, at=timezone.now())

    def test_is_shown_to_staff_alone(
        self, client: Client, staff: Any, instructor: Any, django_assert_max_num_queries: Any
    ) -> None:
        client.force_login(staff)
        with django_assert_max_num_queries(10):
            assert "Telephone" in client.get(self.URL).content.decode()
        assert "Telephone" not in client.get(self.URL, {"state": "ended"}).content.decode()
        assert client.get(f"{self.URL}{Session.objects.get().pk}/change/").status_code == 200
        client.force_login(instructor)
        assert client.get(self.URL).status_code == 403

    def test_is_ended_by_administrators_alone(self, client: Client, staff: Any, administrator: Any) -> None:
        form = {"action": "end", "_selected_action": [str(Session.objects.get().pk)]}
        for who, ended in ((staff, False), (administrator, True)):
            client.force_login(who)
            client.post(self.URL, form)
            assert (Session.objects.get().revoked_at is not None) is ended
        assert "Telephone" in client.get(self.URL, {"state": "ended"}).content.decode()
