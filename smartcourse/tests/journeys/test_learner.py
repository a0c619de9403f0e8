"""The whole journey on a real course: imported, published, found, enrolled in, studied, certified, verified.

One installation, one story; each chapter needs the ones before it, so they run in one worker in this order.
"""

from __future__ import annotations

import io
import json
import re
from functools import cached_property
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from smartcourse.testing.content import real_cartridge
from smartcourse.tests.journeys.conftest import Installation, eventually

pytestmark = [pytest.mark.xdist_group("journey"), pytest.mark.slow]

NAME = "Nguyễn Thị Ánh Tuyết"
ADDRESS = "anh.tuyet@example.org"
PASSWORD = "a passphrase of mine, with spaces"


class Story:
    """What one chapter leaves for the next."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.course_id = ""
        self.enrollment_id = ""
        self.lesson_ids: list[str] = []
        self.certificate: dict[str, Any] = {}

    @cached_property
    def visitor(self) -> httpx.Client:
        return self.installation.visitor()

    @cached_property
    def instructor(self) -> httpx.Client:
        return self.installation.signed_in_as("instructor")

    @cached_property
    def staff(self) -> httpx.Client:
        return self.installation.signed_in_as("admin")

    @cached_property
    def stranger(self) -> httpx.Client:
        return self.installation.signed_in_as("student")

    @cached_property
    def learner(self) -> httpx.Client:
        return self.installation.signed_in(ADDRESS, PASSWORD)


@pytest.fixture(scope="module")
def story(installation: Installation) -> Story:
    return Story(installation)


def page_of(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


class TestJourney:
    def test_1_the_operator_imports_the_cartridge(self, story: Story) -> None:
        owner = story.installation.account("instructor")["email"]
        done = story.installation.manage("import_course", str(real_cartridge()), "--owner", owner, "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert set(report) == {"course_id", "imported", "skipped"}
        story.course_id = report["course_id"]
        assert story.visitor.get(f"courses/{story.course_id}").status_code == 404, "a draft is hidden"

    def test_2_the_instructor_publishes(self, story: Story) -> None:
        answer = story.instructor.post(f"courses/{story.course_id}/publish")
        assert answer.status_code == 202, answer.text
        workflow = f"workflows/{answer.json()['workflow_id']}"
        eventually(lambda: story.instructor.get(workflow).json()["status"] == "COMPLETED", 30)

    def test_3_a_visitor_finds_it_and_sees_the_outline_only(self, story: Story) -> None:
        found = page_of(story.visitor, "courses?search=accessibility")
        assert story.course_id in [course["id"] for course in found]
        course = story.visitor.get(f"courses/{story.course_id}").json()
        story.lesson_ids = [lesson["id"] for module in course["modules"] for lesson in module["lessons"]]
        assert len(story.lesson_ids) > 10
        assert "content" not in json.dumps(course["modules"])
        assert {story.visitor.get(f"lessons/{i}").status_code for i in story.lesson_ids} == {401}

    def test_4_a_person_registers_and_enrolls(self, story: Story) -> None:
        form = {"email": ADDRESS, "password": PASSWORD, "full_name": NAME}
        assert story.visitor.post("auth/register", json=form).status_code == 201
        answer = story.learner.post("enrollments", json={"course_id": story.course_id})
        assert (answer.status_code, answer.json()["status"]) == (201, "PENDING")
        story.enrollment_id = answer.json()["id"]
        enrollment = f"enrollments/{story.enrollment_id}"
        eventually(lambda: story.learner.get(enrollment).json()["status"] == "ACTIVE", 5)
        again = story.learner.post("enrollments", json={"course_id": story.course_id})
        assert (again.status_code, again.json()["id"]) == (200, story.enrollment_id)

    def test_5_she_reads_the_lessons_and_downloads_their_files(self, story: Story) -> None:
        links = set()
        for lesson_id in story.lesson_ids:
            lesson = story.learner.get(f"lessons/{lesson_id}")
            assert lesson.status_code == 200, lesson.text
            content = lesson.json()["content"]
            assert "<script" not in content
            assert "IMS-CC-FILEBASE" not in content
            # Addressed from the root of the site, as a browser would resolve them.
            found = re.findall(r"/api/v1/materials/[0-9a-f-]{36}/download", content)
            links |= {story.installation.info["url"] + link for link in found}
        assert len(links) > 10
        for link in links:
            file = story.learner.get(link, follow_redirects=True)
            assert file.status_code == 200, link
            assert file.headers["Content-Disposition"].startswith("attachment")
            assert len(file.content) > 1000
            assert story.stranger.get(link).status_code == 403
            assert story.visitor.get(link).status_code == 401

    def test_6_every_completed_lesson_moves_the_percentage(self, story: Story) -> None:
        seen = [0.0]
        for lesson_id in story.lesson_ids:
            answer = story.learner.post(f"lessons/{lesson_id}/complete")
            assert answer.status_code == 200, answer.text
            seen.append(answer.json()["percentage"])
        assert seen == sorted(set(seen)), "up with every lesson"
        assert seen[-1] == 100
        progress = story.learner.get(f"enrollments/{story.enrollment_id}/progress").json()
        assert (progress["status"], progress["percentage"]) == ("COMPLETED", 100)
        assert {module["percentage"] for module in progress["modules"]} == {100}

    def test_7_the_certificate_comes_by_itself(self, story: Story) -> None:
        [story.certificate] = eventually(lambda: page_of(story.learner, "certificates"), 10)
        assert story.certificate["recipient_name"] == NAME
        assert story.certificate["course"]["id"] == story.course_id
        pdf = story.learner.get(story.certificate["pdf_url"])
        assert pdf.headers["Content-Type"] == "application/pdf"
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages)
        assert NAME in text
        assert story.certificate["course"]["title"] in " ".join(text.split())
        assert story.certificate["code"] in text.replace("-", "").replace(" ", "")

    def test_8_anybody_can_verify_it(self, story: Story) -> None:
        verified = story.visitor.get(f"certificates/verify/{story.certificate['code']}").json()
        assert verified["valid"] is True
        assert verified["recipient_name"] == NAME
        assert set(verified) == {
            "valid",
            "status",
            "recipient_name",
            "course_title",
            "issued_at",
            "signature",
        }
        assert story.visitor.get("certificates/verify/NOTACODE").status_code == 404
        page = story.visitor.get(story.certificate["verify_url"])
        assert page.status_code == 200
        assert NAME in page.text

    def test_9_the_mails_were_really_sent(self, story: Story) -> None:
        mailbox = story.installation.mailbox
        wanted = ("You are in:", "Your certificate for", "Welcome to", "Please confirm")

        def subjects() -> list[str]:
            return [str(mail["Subject"]) for mail in mailbox.to(ADDRESS)]

        eventually(lambda: all(any(s.startswith(w) for s in subjects()) for w in wanted), 15)
        assert all(sum(s.startswith(w) for s in subjects()) == 1 for w in wanted), "each of them once"
        types = {notice["type"] for notice in page_of(story.learner, "notifications?page_size=100")}
        assert {"course_welcome", "certificate_ready"} <= types

    def test_10_the_numbers_count_it(self, story: Story) -> None:
        def numbers() -> dict[str, Any]:
            answer = story.staff.get("analytics/platform")
            assert answer.status_code == 200, answer.text
            return dict(answer.json())

        eventually(
            lambda: numbers()["completions"]["daily"] >= 1 and numbers()["new_enrollments"]["daily"] >= 1, 10
        )
        assert story.learner.get("analytics/platform").status_code == 403
        assert story.visitor.get("analytics/platform").status_code == 401

    def test_11_a_stranger_finds_nothing_of_hers(self, story: Story) -> None:
        hidden = [
            f"enrollments/{story.enrollment_id}",
            f"enrollments/{story.enrollment_id}/progress",
            f"certificates/{story.certificate['id']}",
            f"certificates/{story.certificate['id']}/pdf",
        ]
        assert {path: story.stranger.get(path).status_code for path in hidden} == dict.fromkeys(hidden, 404)
        assert {path: story.visitor.get(path).status_code for path in hidden} == dict.fromkeys(hidden, 401)
        assert {story.stranger.get(f"lessons/{i}").status_code for i in story.lesson_ids} == {403}
        assert story.stranger.post(f"lessons/{story.lesson_ids[0]}/complete").status_code == 403


class TestCourseMadeByTheAPI:
    def test_is_published_and_completed_like_an_imported_one(self, story: Story) -> None:
        made = story.instructor.post(
            "courses", json={"title": "Knots", "summary": "Three knots.", "description": "For **life**."}
        )
        assert made.status_code == 201, made.text
        course = f"courses/{made.json()['id']}"
        module = story.instructor.post(f"{course}/modules", json={"title": "Bends"}).json()
        text = "Right over left, <script>x()</script>then left."
        lesson = {"title": "The reef knot", "type": "text", "content": text}
        answer = story.instructor.post(f"{course}/modules/{module['id']}/lessons", json=lesson)
        assert answer.status_code == 201, answer.text
        run = story.instructor.post(f"{course}/publish").json()["workflow_id"]
        eventually(lambda: story.instructor.get(f"workflows/{run}").json()["status"] == "COMPLETED", 30)
        enrollment = story.learner.post("enrollments", json={"course_id": made.json()["id"]}).json()["id"]
        eventually(lambda: story.learner.get(f"enrollments/{enrollment}").json()["status"] == "ACTIVE", 5)
        lesson_id = answer.json()["id"]
        assert "script" not in story.learner.get(f"lessons/{lesson_id}").json()["content"]
        done = story.learner.post(f"lessons/{lesson_id}/complete")
        assert done.json()["percentage"] == 100
        titles = lambda: [c["course"]["title"] for c in page_of(story.learner, "certificates")]  # noqa: E731 - local and short
        eventually(lambda: "Knots" in titles(), 10)
