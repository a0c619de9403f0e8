"""`manage.py import_course`, on the real cartridge."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from courses import services
from courses.models import Course, CourseStatus, Lesson, LessonType, Material
from smartcourse.testing.content import real_cartridge
from smartcourse.workflows.models import Run, RunStatus

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_course", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


class TestImportCourse:
    def test_makes_a_draft_of_everything_and_reports_it(self, instructor: Any) -> None:
        out, err = run(str(real_cartridge()), "--owner", instructor.email.upper(), "--json")
        report = json.loads(out)
        assert set(report) == {"course_id", "imported", "skipped"}
        course = Course.objects.get(pk=report["course_id"])
        assert (course.title, course.status) == ("Ally: Accessibility Workshop", CourseStatus.DRAFT)
        assert course.cover
        titles = [module.title for module in course.modules.all()]
        assert titles[0].startswith("Part 1")
        assert titles[-1] == "More from this course"
        types = set(Lesson.objects.values_list("type", flat=True))
        assert types == {LessonType.TEXT, LessonType.DISCUSSION, LessonType.LINK}
        assert Material.objects.count() == 26
        assert "Module “" in err, "progress is shown, beside the report"

    def test_links_lessons_to_their_files_and_to_each_other(self, instructor: Any) -> None:
        run(str(real_cartridge()), "--owner", instructor.email)
        content = " ".join(Lesson.objects.values_list("content", flat=True))
        linked = set(re.findall(r"/api/v1/materials/([0-9a-f-]{36})/download", content))
        assert len(linked) > 10
        assert linked == {str(m.pk) for m in Material.objects.filter(lessons__isnull=False)}
        pages = set(re.findall(r"/api/v1/lessons/([0-9a-f-]{36})", content))
        assert pages
        assert pages <= {str(pk) for pk in Lesson.objects.values_list("pk", flat=True)}
        assert "material:" not in content
        assert "IMS-CC" not in content

    def test_publishes_at_once_where_it_is_told_to(self, instructor: Any, client_of: Any) -> None:
        run(str(real_cartridge()), "--owner", instructor.email, "--publish", "--json")
        assert Course.objects.get().status == CourseStatus.PUBLISHED
        assert client_of(None).get("/api/v1/courses?search=accessibility").json()["count"] == 1

    def test_publishes_without_leaving_work_to_a_worker(self, instructor: Any) -> None:
        _, err = run(str(real_cartridge()), "--owner", instructor.email, "--publish")
        assert "it is in the catalogue" in err
        assert Run.objects.get().status == RunStatus.COMPLETED

    @pytest.mark.parametrize("fault", ["a rule", "a defect"])
    def test_says_why_it_could_not_be_published_and_keeps_the_draft(
        self, fault: str, instructor: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_: Any) -> None:
            raise (
                services.CourseIncomplete("The lesson “X” is empty.")
                if fault == "a rule"
                else OSError("disk")
            )

        monkeypatch.setattr(services, "process_content", refuse)
        out, err = io.StringIO(), io.StringIO()
        with pytest.raises(CommandError, match=r"not published: .*(is empty|on our side)"):
            call_command(
                "import_course", str(real_cartridge()), "--owner", instructor.email, "--publish", "--json",
                stdout=out, stderr=err,
            )  # fmt: skip
        assert json.loads(out.getvalue())["course_id"] == str(Course.objects.get().pk)
        assert Course.objects.get().status == CourseStatus.DRAFT
        assert Run.objects.get().status == RunStatus.FAILED

    def test_shows_row_by_row_what_it_did(self, instructor: Any) -> None:
        out, _ = run(str(real_cartridge()), "--owner", instructor.email)
        assert re.search(r"page +Accessibility FAQ", out)
        assert re.search(r"file +bad_dog.jpg", out)

    def test_a_dry_run_keeps_nothing(self, instructor: Any) -> None:
        out, _ = run(str(real_cartridge()), "--owner", instructor.email, "--dry-run")
        assert "nothing was kept" in out
        assert not Course.objects.exists()
        assert not stored_files()

    @pytest.mark.parametrize("fault", ["no file", "folder", "no owner", "student", "no cartridge"])
    def test_refuses_with_a_sentence_and_writes_nothing(
        self, fault: str, instructor: Any, student: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "text.imscc").write_text("not a zip")
        path = {
            "no file": tmp_path / "none.imscc",
            "folder": tmp_path,
            "no cartridge": tmp_path / "text.imscc",
        }
        owner = {"no owner": "nobody@example.org", "student": student.email}
        with pytest.raises(CommandError) as refused:
            run(str(path.get(fault, real_cartridge())), "--owner", owner.get(fault, instructor.email))
        assert len(str(refused.value)) > 15
        assert not Course.objects.exists()

    def test_a_failure_in_the_middle_leaves_no_file_behind(
        self, instructor: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError("the disk is full")

        monkeypatch.setattr("courses.services.imports._link_lessons", fail)
        with pytest.raises(OSError, match="disk"):
            services.import_course(path=real_cartridge(), owner=instructor)
        assert not Course.objects.exists()
        assert not stored_files()


def stored_files() -> list[str]:
    """Return what lies in the storage, in any folder."""
    found, waiting = [], [""]
    while waiting:
        folder = waiting.pop()
        try:
            folders, files = default_storage.listdir(folder)
        except FileNotFoundError:
            continue
        found.extend(f"{folder}/{name}" for name in files)
        waiting.extend(f"{folder}/{name}".lstrip("/") for name in folders)
    return found


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> None:
    """Each test has a storage of its own, so that it can look into it."""
    settings.MEDIA_ROOT = tmp_path / "media"
