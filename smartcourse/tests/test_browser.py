"""The pages of the site in a real browser: nothing in them violates the Content-Security-Policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from accounts.models import SecondFactor
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.second_factors import code_now, mail_of
from analytics.models import DailyMetric, MetricName
from progress.models import LessonProgress, Submission
from smartcourse.events.models import ArchivedFact, Delivery, DeliveryStatus, OutboxFact
from smartcourse.queues.models import DeadLetter
from smartcourse.queues.schedule import seed_schedule
from smartcourse.tests.world import build_world

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="selenium is not installed (pip install selenium)"
)
waits = pytest.importorskip("selenium.webdriver.support.ui")
exceptions = pytest.importorskip("selenium.common.exceptions")
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
    submit(browser, "form [type=submit]")


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
            pytest.param("/api/v1/docs", marks=pytest.mark.full),
            pytest.param("/verify/nothing", marks=pytest.mark.full),
            pytest.param("/verify-email?token=x", marks=pytest.mark.full),
            pytest.param("/confirm-email?token=x", marks=pytest.mark.full),
            pytest.param("/forgot-password", marks=pytest.mark.full),
            pytest.param("/reset-password?token=x", marks=pytest.mark.full),
            "/admin/login/",
        ],
    )
    def test_is_kept_by_every_page_for_visitors(
        self, browser: Any, live_server: LiveServer, path: str
    ) -> None:
        assert violations(browser, live_server.url + path) == []

    @pytest.mark.full
    def test_is_kept_by_every_page_of_the_admin(self, browser: Any, live_server: LiveServer) -> None:
        fill()
        sign_in(browser, live_server.url, UserFactory(role="admin"))
        told = {
            page: found for page in admin_pages() if (found := violations(browser, live_server.url + page))
        }
        assert told == {}
        assert "Log in" not in browser.title

    @pytest.mark.full
    def test_is_kept_between_the_password_and_the_first_page(
        self, browser: Any, live_server: LiveServer, settings: Any
    ) -> None:
        settings.MFA_REQUIRED_FOR_STAFF = True
        person = UserFactory(role="admin")
        sign_in(browser, live_server.url, person)
        assert violations(browser, f"{live_server.url}{reverse('first-factor')}") == []
        picture = browser.find_element("css selector", ".step-picture")
        assert picture.get_property("naturalWidth") > 0
        type_code(browser, code_now(SecondFactor.objects.get().secret))
        codes = [found.text for found in browser.find_elements("css selector", ".step-codes code")]
        assert len(codes) == 10
        browser.delete_all_cookies()
        mail_of(person)
        sign_in(browser, live_server.url, person)
        for method in ("totp", "email", "recovery"):
            page = f"{live_server.url}{reverse('second-step')}?method={method}"
            assert violations(browser, page) == []
        type_code(browser, codes[0])
        assert violations(browser, browser.current_url) == []
        assert "Log in" not in browser.title
        assert browser.current_url.endswith(reverse("admin:index"))


def type_code(browser: Any, code: str) -> None:
    browser.find_element("name", "code").send_keys(code)
    submit(browser, "input[type=submit]")


def submit(browser: Any, button: str) -> None:
    """Send the form, and wait until its page has given way to the answer: a click does not, on a busy machine."""
    browser.execute_script("window.isOld = true")
    browser.find_element("css selector", button).click()
    # In between there is no page to ask, which the driver tells in more ways than one.
    waiting = waits.WebDriverWait(browser, 30, ignored_exceptions=[exceptions.WebDriverException])
    waiting.until(
        lambda _: browser.execute_script("return !window.isOld && document.readyState === 'complete'")
    )


def fill() -> None:
    """Make at least one row of everything that the admin shows."""
    world = build_world()
    enrollment, now = world.rows["enrollment"], timezone.now()
    told: dict[str, Any] = {
        "type": "course.created", "version": 1, "aggregate": "course", "aggregate_id": world.course.pk,
        "payload": {}, "occurred_at": now,
    }  # fmt: skip
    fact = OutboxFact.objects.create(id=uuid4(), sequence=90, **told)
    ArchivedFact.objects.create(id=uuid4(), sequence=91, position=1, **told)
    Delivery.objects.create(fact=fact, position=1, subscriber="somebody", status=DeliveryStatus.PARKED)
    DeadLetter.objects.create(task_id="x", task="t", queue="default", cause="c", died_at=now)
    LessonProgress.objects.create(enrollment=enrollment, lesson_id=world.rows["lesson"].pk)
    Submission.objects.create(
        enrollment=enrollment, assignment=world.rows["assignment"], number=1, text="x", submitted_at=now,
        submitted_by=enrollment.student,
    )  # fmt: skip
    DailyMetric.objects.create(name=MetricName.values[0], day=now.date(), value=1, computed_at=now)
    seed_schedule()


def admin_pages() -> Iterator[str]:
    """Yield every page of the admin that there is something for: lists, forms to add and to change, histories."""
    yield reverse("admin:index")
    yield reverse("admin:password_change")
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"admin:{name}_changelist")
        yield reverse(f"admin:{name}_add")
        if row := model._default_manager.first():
            for page in ("change", "history", "delete"):
                yield reverse(f"admin:{name}_{page}", args=[row.pk])
