"""Modules, lessons, order, files and quizzes of a draft, over HTTP."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from courses.models import Course, Lesson, Material, Module
from courses.tests.factories import CourseFactory, LessonFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def course(instructor: Any) -> Course:
    return CourseFactory(instructor=instructor, modules=2, lessons=2)


def url_of(course: Course, *rest: object) -> str:
    return "/".join(["/api/v1/courses", str(course.pk), *(str(part) for part in rest)])


class TestModules:
    def test_are_added_renamed_and_removed(self, course: Course, instructor: Any, client_of: Any) -> None:
        client = client_of(instructor)
        answer = client.post(url_of(course, "modules"), {"title": "Third"})
        assert (answer.status_code, answer.json()["position"]) == (201, 2)
        url = url_of(course, "modules", answer.json()["id"])
        assert client.patch(url, {"title": "Last"}).json()["title"] == "Last"
        assert [client.delete(url).status_code for _ in range(2)] == [204, 404]
        assert len(client.get(url_of(course, "modules")).json()["results"]) == 2

    @pytest.mark.parametrize(
        "body", [{}, {"title": ""}, {"title": "x", "position": 0}, {"title": "x", "course": "y"}]
    )
    def test_refuse_bad_input(self, course: Course, instructor: Any, client_of: Any, body: Any) -> None:
        assert client_of(instructor).post(url_of(course, "modules"), body).status_code == 400

    def test_are_their_authors_business(
        self, course: Course, student: Any, rival: Any, staff: Any, client_of: Any
    ) -> None:
        url = url_of(course, "modules")
        asked = [
            client_of(who).post(url, {"title": "x"}).status_code for who in (None, student, rival, staff)
        ]
        assert asked == [401, 404, 404, 201]
        asked = [client_of(who).get(url).status_code for who in (None, student, rival, staff)]
        assert asked == [401, 404, 404, 200]

    def test_of_another_course_are_not_found_under_this_one(
        self, course: Course, instructor: Any, client_of: Any
    ) -> None:
        other = CourseFactory()
        url = url_of(course, "modules", Module.objects.filter(course=other)[0].pk)
        assert client_of(instructor).patch(url, {"title": "Mine"}).status_code == 404
        assert client_of(instructor).delete(url).status_code == 404


class TestLessons:
    def url(self, course: Course, *rest: object) -> str:
        return url_of(course, "modules", course.modules.all()[0].pk, "lessons", *rest)

    def test_are_written_read_and_removed(self, course: Course, instructor: Any, client_of: Any) -> None:
        client = client_of(instructor)
        body = {
            "title": "Bowline",
            "type": "text",
            "content": "Up *through* the hole.",
            "instructor_notes": "Slowly.",
        }
        answer = client.post(self.url(course), body)
        assert answer.status_code == 201, answer.content
        url = self.url(course, answer.json()["id"])
        assert client.get(url).json()["content"] == "Up *through* the hole."
        assert client.patch(url, {"estimated_minutes": 9}).json()["estimated_minutes"] == 9
        assert [client.delete(url).status_code for _ in range(2)] == [204, 404]

    @pytest.mark.parametrize(
        "body",
        [
            {"title": "x", "type": "link", "content": "javascript:alert(1)"},
            {"title": "x", "type": "embed", "content": "x"},
            {"title": "x", "type": "poem"}, {"title": "", "type": "text"}, {"title": "x", "estimated_minutes": 0},
            {"title": "x", "content": "\x00"}, {"title": "x", "module": "y"}, {"title": "x", "materials": []},
        ],
    )  # fmt: skip
    def test_refuse_bad_input_and_write_nothing(
        self, course: Course, instructor: Any, client_of: Any, body: Any
    ) -> None:
        of_its_type = "type" in body and body["type"] in ("link", "embed")
        answer = client_of(instructor).post(self.url(course), body)
        assert answer.status_code == (422 if of_its_type else 400)
        assert Lesson.objects.count() == 4

    def test_are_hidden_from_strangers(
        self, course: Course, student: Any, rival: Any, client_of: Any
    ) -> None:
        lesson = course.modules.all()[0].lessons.all()[0]
        asked = [
            client_of(who).get(self.url(course, lesson.pk)).status_code for who in (None, student, rival)
        ]
        assert asked == [401, 404, 404]

    def test_keep_what_a_change_does_not_name(self, course: Course, instructor: Any, client_of: Any) -> None:
        link = LessonFactory(
            module=course.modules.all()[0], type="link", content="https://knots.example", position=9
        )
        for verb in ("put", "patch"):
            answer = getattr(client_of(instructor), verb)(self.url(course, link.pk), {"title": verb})
            assert (answer.json()["type"], answer.json()["content"]) == ("link", "https://knots.example")

    def test_of_another_module_are_not_found_under_this_one(
        self, course: Course, instructor: Any, client_of: Any
    ) -> None:
        foreign = LessonFactory(module=CourseFactory(lessons=0).modules.all()[0])
        assert client_of(instructor).patch(self.url(course, foreign.pk), {"title": "Mine"}).status_code == 404


class TestOrder:
    def test_is_set_as_a_whole(self, course: Course, instructor: Any, client_of: Any) -> None:
        first, second = course.modules.all()
        a, b = first.lessons.all()
        c, d = second.lessons.all()
        body = {
            "modules": [
                {"id": str(second.pk), "lessons": [str(d.pk), str(a.pk), str(c.pk)]},
                {"id": str(first.pk), "lessons": [str(b.pk)]},
            ]
        }
        for _ in range(2):
            assert client_of(instructor).put(url_of(course, "order"), body).status_code == 204
        assert list(course.modules.all()) == [second, first]
        assert list(second.lessons.all()) == [d, a, c]

    def test_names_everything_once(self, course: Course, instructor: Any, rival: Any, client_of: Any) -> None:
        first, second = course.modules.all()
        everything = [
            {"id": str(m.pk), "lessons": [str(lesson.pk) for lesson in m.lessons.all()]}
            for m in (first, second)
        ]
        foreign = str(LessonFactory(module=CourseFactory(lessons=0).modules.all()[0]).pk)
        wrong = [
            everything[:1],
            [*everything, everything[0]],
            [{**everything[0], "lessons": [*everything[0]["lessons"], foreign]}, everything[1]],
            [{**everything[0], "lessons": []}, everything[1]],
        ]
        for modules in wrong:
            assert client_of(instructor).put(url_of(course, "order"), {"modules": modules}).status_code == 422
        assert client_of(rival).put(url_of(course, "order"), {"modules": everything}).status_code == 404


def png(size: tuple[int, int] = (2, 2)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size).save(out, "PNG")
    return out.getvalue()


class TestMaterials:
    def upload(self, client: Any, course: Course, name: str, content: bytes, kind: str) -> Any:
        form = {"file": SimpleUploadedFile(name, content, content_type=kind)}
        return client.post(url_of(course, "materials"), form, format="multipart")

    def test_are_kept_with_their_checksum(self, course: Course, instructor: Any, client_of: Any) -> None:
        client = client_of(instructor)
        answer = self.upload(client, course, "notes.pdf", b"%PDF-1.4 hello", "application/pdf")
        assert answer.status_code == 201, answer.content
        assert answer.json()["download_url"].endswith("/download")
        material = Material.objects.get()
        assert (material.size, len(material.sha256)) == (14, 64)
        assert [row["name"] for row in client.get(url_of(course, "materials")).json()["results"]] == [
            "notes.pdf"
        ]

    def test_images_are_written_anew(self, course: Course, instructor: Any, client_of: Any) -> None:
        polyglot = png() + b"<script>alert(1)</script>"
        assert self.upload(client_of(instructor), course, "a.png", polyglot, "image/png").status_code == 201
        with Material.objects.get().file.open("rb") as kept:
            assert b"script" not in kept.read()

    @pytest.mark.parametrize(
        ("name", "content", "kind"),
        [
            ("a.html", b"<h1>", "text/html"), ("a.svg", b"<svg>", "image/svg+xml"), ("a.exe", b"MZ", "application/x"),
            ("a.pdf", b"<html>", "application/pdf"), ("a.png", b"%PDF-1.4", "image/png"), ("a.png", png(), "text/html"),
            ("a.png", b"\x89PNG\r\n\x1a\n broken", "image/png"), ("noextension", b"x", "text/plain"),
            ("a.mp4", b"<html><script>", "video/mp4"), ("a.txt", b"MZ\x00\x01", "text/plain"),
            ("a.webp", b"RIFF\x24\x00\x00\x00WAVEfmt ", "image/webp"),
        ],
    )  # fmt: skip
    def test_are_refused_where_name_type_and_content_disagree(
        self, course: Course, instructor: Any, client_of: Any, name: str, content: bytes, kind: str
    ) -> None:
        assert self.upload(client_of(instructor), course, name, content, kind).status_code == 422
        assert not Material.objects.exists()

    @pytest.mark.parametrize(
        ("name", "content", "kind"),
        [
            ("a.mp4", b"\x00\x00\x00\x20ftypisom", "video/mp4"), ("a.txt", "Grüße".encode(), "text/plain"),
            ("a.csv", b"a;b", "application/vnd.ms-excel"), ("a.zip", b"PK\x03\x04", "application/x-zip-compressed"),
            ("A.PDF", b"%PDF-1.7", "application/octet-stream"),
        ],
    )  # fmt: skip
    def test_are_taken_by_the_names_that_systems_have_for_them(
        self, course: Course, instructor: Any, client_of: Any, name: str, content: bytes, kind: str
    ) -> None:
        assert self.upload(client_of(instructor), course, name, content, kind).status_code == 201

    def test_images_stand_as_their_camera_held_them(
        self, course: Course, instructor: Any, client_of: Any
    ) -> None:
        image, out = Image.new("RGB", (4, 2)), io.BytesIO()
        turned = image.getexif()
        turned[0x0112] = 6
        image.save(out, "JPEG", exif=turned, comment=b"<script>")
        self.upload(client_of(instructor), course, "a.jpg", out.getvalue(), "image/jpeg")
        with Material.objects.get().file.open("rb") as kept, Image.open(kept) as shown:
            assert shown.size == (2, 4)
            assert not shown.getexif()
            assert "comment" not in shown.info

    def test_images_that_move_go_on_moving(self, course: Course, instructor: Any, client_of: Any) -> None:
        frames, out = [Image.new("RGB", (4, 2), colour) for colour in ("red", "blue")], io.BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], comment=b"<script>")
        self.upload(client_of(instructor), course, "a.gif", out.getvalue(), "image/gif")
        with Material.objects.get().file.open("rb") as kept, Image.open(kept) as shown:
            assert shown.n_frames == 2
            assert "comment" not in shown.info

    @pytest.mark.parametrize(("name", "kind"), [("notes.txt", "text/plain"), ("a.png", "image/png")])
    def test_with_nothing_in_them_are_refused(
        self, course: Course, instructor: Any, client_of: Any, name: str, kind: str
    ) -> None:
        answer = self.upload(client_of(instructor), course, name, b"", kind)
        assert (answer.status_code, answer.json()["code"]) == (422, "file_refused")
        assert not Material.objects.exists()

    def test_floods_of_pixels_are_refused(self, course: Course, instructor: Any, client_of: Any) -> None:
        out = io.BytesIO()
        Image.new("1", (8000, 8000)).save(out, "PNG")
        answer = self.upload(client_of(instructor), course, "a.png", out.getvalue(), "image/png")
        assert (answer.status_code, answer.json()["code"]) == (422, "file_refused")

    def test_are_attached_to_lessons_of_their_own_course_only(
        self, course: Course, instructor: Any, client_of: Any
    ) -> None:
        mine = course.modules.all()[0].lessons.all()[0]
        foreign = CourseFactory(instructor=instructor).modules.get().lessons.all()[0]
        for lesson, status in ((mine, 201), (foreign, 422)):
            form = {
                "file": SimpleUploadedFile("a.pdf", b"%PDF-1", "application/pdf"),
                "lesson_ids": [str(lesson.pk)],
            }
            answer = client_of(instructor).post(url_of(course, "materials"), form, format="multipart")
            assert answer.status_code == status
        assert list(mine.materials.all()) == list(Material.objects.all())

    def test_a_path_in_the_name_leads_nowhere(self, course: Course, instructor: Any, client_of: Any) -> None:
        self.upload(client_of(instructor), course, "../../etc/a.pdf", b"%PDF-1.4", "application/pdf")
        material = Material.objects.get()
        assert material.name == "a.pdf"
        assert ".." not in material.file.name

    def test_are_their_authors_business(
        self, course: Course, student: Any, rival: Any, client_of: Any
    ) -> None:
        asked = [
            self.upload(client_of(who), course, "a.pdf", b"%PDF-1", "application/pdf").status_code
            for who in (None, student, rival)
        ]
        assert asked == [401, 404, 404]


QUESTION = {
    "kind": "single_choice", "prompt": "Which?", "key": ["a"],
    "choices": [{"key": "a", "text": "This"}, {"key": "b", "text": "That"}],
}  # fmt: skip


class TestQuizzes:
    def test_are_defined_and_read_with_their_keys_by_their_author(
        self, course: Course, instructor: Any, client_of: Any
    ) -> None:
        lesson = LessonFactory(module=course.modules.all()[0], type="quiz", content="", position=9)
        client = client_of(instructor)
        body = {"lesson_id": str(lesson.pk), "pass_percentage": 50, "questions": [QUESTION]}
        answers = [client.post(url_of(course, "quizzes"), body) for _ in range(2)]
        assert [a.status_code for a in answers] == [201, 201]
        assert answers[0].json()["id"] == answers[1].json()["id"], "a lesson has one quiz"
        url = f"/api/v1/quizzes/{answers[0].json()['id']}"
        assert client.get(url).json()["questions"][0]["key"] == ["a"]
        body = {"questions": [QUESTION, {**QUESTION, "kind": "true_false", "key": True, "choices": []}]}
        assert len(client.put(url, body).json()["questions"]) == 2

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"key": []}, 422), ({"key": ["z"]}, 422), ({"key": ["a", "b"]}, 422), ({"choices": []}, 422),
            ({"kind": "true_false"}, 422), ({"kind": "numeric", "key": {"value": "x"}}, 400),
            ({"kind": "numeric", "key": {"value": 10**400}}, 422), ({"kind": "short_text", "key": []}, 422),
            ({"kind": "short_text", "key": ["a\x00b"], "choices": []}, 400), ({"prompt": "Wh\x00ich?"}, 400),
            ({"key": ["a\x00"], "choices": [{"key": "a\x00", "text": "This"}]}, 400),
            ({"choices": [{"key": "a", "text": "\x00"}]}, 400),
            ({"kind": "essay"}, 400), ({"points": 0}, 400), ({"extra": 1}, 400), ({"key": {"a": "b"}}, 400),
        ],
    )  # fmt: skip
    def test_are_refused_where_a_key_does_not_fit(
        self, course: Course, instructor: Any, client_of: Any, changes: Any, status: int
    ) -> None:
        lesson = LessonFactory(module=course.modules.all()[0], type="quiz", content="", position=9)
        body = {"lesson_id": str(lesson.pk), "questions": [{**QUESTION, **changes}]}
        assert client_of(instructor).post(url_of(course, "quizzes"), body).status_code == status

    def test_keys_are_hidden_from_everybody_else(
        self, course: Course, instructor: Any, rival: Any, student: Any, staff: Any, client_of: Any
    ) -> None:
        lesson = LessonFactory(module=course.modules.all()[0], type="quiz", content="", position=9)
        body = {"lesson_id": str(lesson.pk), "questions": [QUESTION]}
        url = f"/api/v1/quizzes/{client_of(instructor).post(url_of(course, 'quizzes'), body).json()['id']}"
        asked = [client_of(who).get(url).status_code for who in (None, student, rival, staff)]
        assert asked == [401, 404, 404, 200]


class TestArchivedCourses:
    def test_are_not_edited_any_more(self, course: Course, instructor: Any, client_of: Any) -> None:
        module = course.modules.all()[0]
        lesson = LessonFactory(module=module, type="quiz", content="", position=9)
        quiz = {"lesson_id": str(lesson.pk), "questions": [QUESTION]}
        client = client_of(instructor)
        client.post(url_of(course, "quizzes"), quiz)
        client.delete(url_of(course))
        form = {"file": SimpleUploadedFile("a.pdf", b"%PDF-1", content_type="application/pdf")}
        lessons = url_of(course, "modules", module.pk, "lessons")
        answers = [
            client.post(url_of(course, "modules"), {"title": "x"}),
            client.patch(url_of(course, "modules", module.pk), {"title": "x"}),
            client.delete(url_of(course, "modules", module.pk)),
            client.post(lessons, {"title": "x"}),
            client.patch(f"{lessons}/{lesson.pk}", {"title": "x"}),
            client.delete(f"{lessons}/{lesson.pk}"),
            client.put(url_of(course, "order"), {"modules": []}),
            client.post(url_of(course, "materials"), form, format="multipart"),
            client.post(url_of(course, "quizzes"), quiz),
        ]
        assert [answer.status_code for answer in answers] == [409] * len(answers)
        assert not Material.objects.exists()


class TestPublishedCourses:
    def test_of_others_are_forbidden_rather_than_hidden(
        self, instructor: Any, student: Any, rival: Any, client_of: Any
    ) -> None:
        course = CourseFactory(instructor=instructor, published=True)
        module = course.modules.get()
        lesson = module.lessons.all()[0]
        urls = [
            ("get", url_of(course, "modules")), ("post", url_of(course, "modules")),
            ("delete", url_of(course, "modules", module.pk)), ("put", url_of(course, "order")),
            ("get", url_of(course, "modules", module.pk, "lessons", lesson.pk)),
            ("patch", url_of(course, "modules", module.pk, "lessons", lesson.pk)),
            ("get", url_of(course, "materials")), ("post", url_of(course, "quizzes")),
        ]  # fmt: skip
        for who, status in ((None, 401), (student, 403), (rival, 403)):
            client = client_of(who)
            body = {"title": "x", "modules": [], "lesson_id": str(lesson.pk), "questions": [QUESTION]}
            told = [
                getattr(client, verb)(url, None if verb == "delete" else body).status_code
                for verb, url in urls
            ]
            assert told == [status] * len(urls)


class TestQueries:
    @pytest.mark.parametrize(("modules", "lessons"), [(2, 2), (6, 9)])
    def test_are_as_many_for_a_large_course_as_for_a_small_one(
        self, instructor: Any, client_of: Any, django_assert_max_num_queries: Any, modules: int, lessons: int
    ) -> None:
        course = CourseFactory(instructor=instructor, modules=modules, lessons=lessons, published=True)
        client, module = client_of(instructor), course.modules.all()[0]
        client.get(url_of(course))  # The roles of the caller are asked for once.
        budgets = {
            url_of(course): 1,
            url_of(course, "modules"): 4,
            url_of(course, "modules", module.pk, "lessons"): 5,
            url_of(course, "materials"): 2,
            "/api/v1/courses/mine": 3,
        }
        for url, budget in budgets.items():
            with django_assert_max_num_queries(budget):
                assert client.get(url).status_code == 200
