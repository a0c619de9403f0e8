"""What a test that commits leaves behind is taken away; what `migrate` has brought is there for the next one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from accounts.tests.factories import UserFactory
from smartcourse.testing.emptying import Emptying

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def emptying() -> Emptying:
    emptying = Emptying()
    emptying.look()
    return emptying


class TestEmptying:
    def test_takes_away_what_a_test_has_left(self, emptying: Emptying) -> None:
        groups = Group.objects.count()
        UserFactory.create_batch(3, role="staff")
        assert emptying.empty()
        assert not User.objects.exists()
        assert Group.objects.count() == groups > 0

    def test_leaves_it_to_django_where_a_test_touched_the_rest(self, emptying: Emptying) -> None:
        UserFactory()
        Group.objects.create(name="guests")
        assert not emptying.empty()
        assert User.objects.exists(), "nothing half done"

    def test_left_nothing_of_that(self) -> None:
        assert not User.objects.exists()
        assert not Group.objects.filter(name="guests").exists()
