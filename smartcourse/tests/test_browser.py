"""The pages of the site in a real browser: nothing in them violates the Content-Security-Policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from accounts.tests.factories import PASSWORD, UserFactory
from courses.tests.factories import CourseFactory
from smartcourse.tests.matrix import ADMIN

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="selenium is not installed (pip install selenium)"
)
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed"),
]
# The browser tells each violation on its console, whatever a page does about it.
VIOLATION = "Content Security Policy"


@pytest.fixture
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_page_load_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()


def violations(browser: Any, url: str) -> list[str]:
    browser.get(url)
    return [entry["message"] for entry in browser.get_log("browser") if VIOLATION in entry["message"]]


def sign_in(browser: Any, site: str, user: Any) -> None:
    browser.get(f"{site}{reverse('admin:login')}")
    browser.find_element("name", "username").send_keys(user.email)
    browser.find_element("name", "password").send_keys(PASSWORD)
    browser.find_element("css selector", "form [type=submit]").click()


class TestPolicy:
    def test_is_seen_to_be_violated(self, browser: Any, live_server: LiveServer) -> None:
        browser.get(live_server.url)
        browser.execute_script("document.body.insertAdjacentHTML('beforeend', '<p onclick=\"1\">x</p>')")
        told = [entry["message"] for entry in browser.get_log("browser")]
        assert any(VIOLATION in message for message in told)

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/api/v1/docs",
            "/verify/nothing",
            "/verify-email?token=x",
            "/confirm-email?token=x",
            "/forgot-password",
            "/reset-password?token=x",
            "/admin/login/",
        ],
    )
    def test_is_kept_by_every_page_for_visitors(
        self, browser: Any, live_server: LiveServer, path: str
    ) -> None:
        assert violations(browser, live_server.url + path) == []

    def test_is_kept_by_the_admin(self, browser: Any, live_server: LiveServer) -> None:
        administrator = UserFactory(role="admin")
        course = CourseFactory(published=True)
        sign_in(browser, live_server.url, administrator)
        lists = [reverse(f"admin:{label.lower().replace('.', '_')}_changelist") for label in ADMIN]
        forms = [
            reverse("admin:courses_course_change", args=[course.pk]),
            reverse("admin:accounts_user_changelist"),
        ]
        pages = [
            reverse("admin:index"),
            *lists,
            *forms,
            reverse("admin:accounts_user_change", args=[administrator.pk]),
        ]
        told = {page: found for page in pages if (found := violations(browser, live_server.url + page))}
        assert told == {}
        assert "Log in" not in browser.title
