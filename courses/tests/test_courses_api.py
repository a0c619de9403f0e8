"""Courses over HTTP: works, anonymous, stranger, invalid, repeated; and who may do what."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from courses.models import Course, CourseSeats, CourseStatus
from courses.services.materials import store_cover
from courses.tests.factories import CategoryFactory, CourseFactory
from smartcourse.events.models import OutboxFact

pytestmark = pytest.mark.django_db
URL = "/api/v1/courses"
CARD = {
    "id", "slug", "title", "summary", "category", "level", "language", "price_cents", "currency", "capacity",
    "seats_left", "instructor", "learner_count", "rating_average", "rating_count", "cover_url", "published_at",
}  # fmt: skip


class TestCatalogue:
    def test_shows_published_courses_newest_first(self, anonymous: Any) -> None:
        CourseFactory()
        courses = [CourseFactory(published=True) for _ in range(3)]
        page = anonymous.get(URL).json()
        assert set(page) == {"count", "next", "previous", "results"}
        assert [row["id"] for row in page["results"]] == [str(c.pk) for c in reversed(courses)]
        assert set(page["results"][0]) == CARD
        assert set(page["results"][0]["instructor"]) == {"id", "full_name"}

    def test_counts_the_seats_that_are_left(self, anonymous: Any) -> None:
        course = CourseFactory(published=True, capacity=3)
        CourseSeats.objects.filter(course=course).update(taken=1)
        [row] = anonymous.get(URL).json()["results"]
        assert (row["capacity"], row["seats_left"]) == (3, 2)

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, anonymous: Any, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(6):
            CourseFactory(published=True, category=CategoryFactory())
        with django_assert_max_num_queries(2):
            assert len(anonymous.get(URL).json()["results"]) == 6

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("level=advanced", 1), ("category=knots", 1), ("category=none", 0), ("language=de", 1),
            ("max_price=0", 2), ("min_price=100", 1), ("free=true", 2), ("free=false", 1),
            ("level=advanced&language=de", 0),
        ],
    )  # fmt: skip
    def test_filters(self, anonymous: Any, query: str, found: int) -> None:
        CourseFactory(published=True, level="advanced", price_cents=500)
        CourseFactory(published=True, language="de")
        CourseFactory(published=True, category=CategoryFactory(slug="knots"))
        assert anonymous.get(f"{URL}?{query}").json()["count"] == found

    @pytest.mark.parametrize(
        "query",
        [
            "level=wizard",
            "free=perhaps",
            "instructor=me",
            "min_price=cheap",
            "page=0",
            "page=x",
            "search=" + "x" * 300,
        ],
    )
    def test_refuses_what_it_does_not_understand(self, anonymous: Any, query: str) -> None:
        answer = anonymous.get(f"{URL}?{query}")
        assert answer.status_code in (400, 404)
        assert answer["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize(
        "query", ["search=%00", "search=%ff%fe", "page_size=1e9", "search=%27%22%5C%3A*%26", "search="]
    )
    def test_never_breaks(self, anonymous: Any, query: str) -> None:
        assert anonymous.get(f"{URL}?{query}").status_code in (200, 400)

    def test_gives_at_most_a_hundred(self, anonymous: Any) -> None:
        assert anonymous.get(f"{URL}?page_size=100000").status_code == 200


class TestRetrieve:
    def test_shows_the_outline_and_no_content(self, anonymous: Any) -> None:
        course = CourseFactory(published=True, description="Hello <script>alert(1)</script> **you**")
        shown = anonymous.get(f"{URL}/{course.pk}").json()
        assert [len(m["lessons"]) for m in shown["modules"]] == [3]
        assert "<strong>you</strong>" in shown["description_html"]
        assert "<script" not in shown["description_html"]
        assert "Some *text*" not in json.dumps(shown)

    def test_shows_an_author_the_outline_of_a_draft_and_everybody_what_was_published(
        self, instructor: Any, client_of: Any
    ) -> None:
        draft = CourseFactory(instructor=instructor, modules=2, lessons=2)
        shown = client_of(instructor).get(f"{URL}/{draft.pk}").json()["modules"]
        assert [[lesson["title"] for lesson in module["lessons"]] for module in shown] == [
            ["Lesson 1.1", "Lesson 1.2"], ["Lesson 2.1", "Lesson 2.2"],
        ]  # fmt: skip
        published = CourseFactory(instructor=instructor, published=True)
        published.modules.all()[0].rename("Renamed since")
        shown = client_of(None).get(f"{URL}/{published.pk}").json()["modules"]
        assert [module["title"] for module in shown] == ["Module 1"]

    def test_hides_drafts_from_all_but_their_author_and_staff(
        self, instructor: Any, rival: Any, student: Any, staff: Any, administrator: Any, client_of: Any
    ) -> None:
        url = f"{URL}/{CourseFactory(instructor=instructor).pk}"
        asked = [
            client_of(who).get(url).status_code
            for who in (None, student, rival, instructor, staff, administrator)
        ]
        assert asked == [404, 404, 404, 200, 200, 200]

    @pytest.mark.parametrize("pk", ["0190b6a4-0000-7000-8000-000000000000", "nonsense", "1", "%00"])
    def test_knows_no_other(self, anonymous: Any, pk: str) -> None:
        answer = anonymous.get(f"{URL}/{pk}")
        assert answer.status_code in (400, 404)
        assert answer["Content-Type"] == "application/problem+json"


class TestCreate:
    BODY = {"title": "Knots", "summary": "Three of them.", "description": "For **life**."}

    def test_begins_a_draft_of_ones_own(self, instructor: Any, client_of: Any) -> None:
        category = CategoryFactory()
        body = {
            **self.BODY,
            "category": category.slug,
            "level": "advanced",
            "capacity": 5,
            "price_cents": 100,
        }
        answer = client_of(instructor).post(URL, body)
        assert answer.status_code == 201, answer.content
        made = answer.json()
        assert (made["status"], made["slug"], made["instructor"]["id"]) == (
            "DRAFT",
            "knots",
            str(instructor.pk),
        )
        assert (made["category"], made["capacity"], made["seats_left"]) == (category.slug, 5, 5)
        assert OutboxFact.objects.filter(type="course.created").count() == 1

    def test_is_for_those_who_teach(
        self, student: Any, staff: Any, administrator: Any, client_of: Any
    ) -> None:
        asked = [
            client_of(who).post(URL, self.BODY).status_code for who in (None, student, staff, administrator)
        ]
        assert asked == [401, 403, 201, 201]

    def test_gives_a_slug_a_suffix_where_it_is_taken(self, instructor: Any, client_of: Any) -> None:
        slugs = [client_of(instructor).post(URL, self.BODY).json()["slug"] for _ in range(3)]
        assert slugs == ["knots", "knots-2", "knots-3"]

    def test_refuses_a_slug_that_was_asked_for_and_is_taken(self, instructor: Any, client_of: Any) -> None:
        answers = [client_of(instructor).post(URL, {**self.BODY, "slug": "mine"}) for _ in range(2)]
        assert [a.status_code for a in answers] == [201, 409]
        assert answers[1].json()["code"] == "duplicate"
        assert Course.objects.count() == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"title": ""}, {"title": "K" * 256}, {"title": "nul\x00"}, {"title": None}, {"level": "wizard"},
            {"category": ""}, {"category": "no slug"}, {"category": "\x00"},
            {"category": 1}, {"price_cents": -1}, {"price_cents": 10**12}, {"price_cents": "x"}, {"capacity": 0},
            {"language": "klingon!"}, {"currency": "euro"}, {"instructor": "me"}, {"status": "PUBLISHED"},
            {"learner_count": 9}, {"id": "x"}, {"slug": "not a slug"}, {"goals": "all"}, {"search_vector": "x"},
        ],
    )  # fmt: skip
    def test_refuses_bad_input_and_writes_nothing(
        self, instructor: Any, client_of: Any, changes: Any
    ) -> None:
        answer = client_of(instructor).post(URL, {**self.BODY, **changes})
        assert answer.status_code == 400, answer.content
        assert answer.json()["errors"][0]["field"] in changes
        assert not Course.objects.exists()

    def test_refuses_a_category_that_does_not_exist(self, instructor: Any, client_of: Any) -> None:
        course = CourseFactory(instructor=instructor)
        client = client_of(instructor)
        for answer in (
            client.post(URL, {**self.BODY, "category": "none"}),
            client.patch(f"{URL}/{course.pk}", {"category": "none"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "unacceptable")
            assert answer.json()["errors"][0]["field"] == "category"
        assert [left.pk for left in Course.objects.all()] == [course.pk]

    def test_takes_a_course_out_of_its_category(self, instructor: Any, client_of: Any) -> None:
        course = CourseFactory(instructor=instructor, category=CategoryFactory())
        answer = client_of(instructor).patch(f"{URL}/{course.pk}", {"category": None})
        assert (answer.status_code, answer.json()["category"]) == (200, None)


class TestUpdate:
    def test_changes_what_is_said_of_it(self, instructor: Any, client_of: Any) -> None:
        course = CourseFactory(instructor=instructor)
        for _ in range(2):
            answer = client_of(instructor).patch(f"{URL}/{course.pk}", {"summary": "New.", "capacity": 7})
            assert (answer.json()["summary"], answer.json()["capacity"]) == ("New.", 7)
        assert client_of(instructor).put(f"{URL}/{course.pk}", {"summary": "No title."}).status_code == 400

    def test_is_found_by_its_new_words_at_once(
        self, instructor: Any, client_of: Any, anonymous: Any, settle: Any
    ) -> None:
        course = CourseFactory(instructor=instructor, title="Knots")
        client_of(instructor).post(f"{URL}/{course.pk}/publish")
        settle()
        client_of(instructor).patch(f"{URL}/{course.pk}", {"title": "Zeppelins"})
        found = [
            anonymous.get(f"{URL}?search={word}").json()["count"] for word in ("zeppelins", "knots", "read")
        ]
        assert found == [1, 0, 1]

    def test_says_nothing_where_nothing_was_changed(self, instructor: Any, client_of: Any) -> None:
        course = CourseFactory(instructor=instructor)
        assert client_of(instructor).patch(f"{URL}/{course.pk}", {}).status_code == 200
        assert not OutboxFact.objects.filter(type="course.updated").exists()

    def test_refuses_a_capacity_below_those_enrolled(self, instructor: Any, client_of: Any) -> None:
        course = CourseFactory(instructor=instructor)
        CourseSeats.objects.filter(course=course).update(taken=3)
        answer = client_of(instructor).patch(f"{URL}/{course.pk}", {"capacity": 2, "summary": "Never."})
        assert (answer.status_code, answer.json()["code"]) == (422, "capacity_below_enrolled")
        course.refresh_from_db()
        assert course.summary != "Never.", "all or nothing"

    @pytest.mark.parametrize("verb", ["put", "patch", "delete", "publish"])
    def test_is_for_its_author_and_staff(
        self, verb: str, instructor: Any, rival: Any, student: Any, staff: Any, client_of: Any
    ) -> None:
        def ask(who: Any, course: Course) -> int:
            client, url = client_of(who), f"{URL}/{course.pk}"
            if verb == "publish":
                return int(client.post(f"{url}/publish").status_code)
            body = {} if verb == "delete" else {"title": "Mine now"}
            return int(getattr(client, verb)(url, body).status_code)

        drafts = [CourseFactory(instructor=instructor) for _ in range(5)]
        published = [CourseFactory(instructor=instructor, published=True) for _ in range(5)]
        who = (None, student, rival, instructor, staff)
        done = {"put": 200, "patch": 200, "delete": 204, "publish": 202}[verb]
        assert [ask(w, c) for w, c in zip(who, drafts, strict=True)] == [401, 404, 404, done, done]
        assert [ask(w, c) for w, c in zip(who, published, strict=True)] == [401, 403, 403, done, done]

    def test_archives_and_lets_an_archived_course_rest(
        self, instructor: Any, client_of: Any, settle: Any
    ) -> None:
        course = CourseFactory(instructor=instructor, published=True)
        client = client_of(instructor)
        assert [client.delete(f"{URL}/{course.pk}").status_code for _ in range(2)] == [204, 204]
        assert client_of(None).get(f"{URL}/{course.pk}").status_code == 404
        assert client.patch(f"{URL}/{course.pk}", {"title": "Back"}).status_code == 409
        assert client.post(f"{URL}/{course.pk}/publish").status_code == 409
        settle()
        assert client.delete(f"{URL}/{course.pk}").status_code == 204
        settle()
        assert OutboxFact.objects.filter(type="course.archived").count() == 1

    def test_an_instructor_who_no_longer_is_one_is_a_visitor(self, instructor: Any, client_of: Any) -> None:
        draft = CourseFactory(instructor=instructor)
        published = CourseFactory(instructor=instructor, published=True)
        instructor.groups.clear()
        instructor.__dict__.pop("roles", None)
        client = client_of(instructor)
        urls = [f"{URL}/{course.pk}" for course in (draft, published)]
        assert [client.get(url).status_code for url in urls] == [404, 200]
        assert [client.patch(url, {"title": "Still mine"}).status_code for url in urls] == [404, 403]


class TestMine:
    def test_lists_ones_drafts(self, instructor: Any, rival: Any, student: Any, client_of: Any) -> None:
        CourseFactory(instructor=rival)
        CourseFactory(instructor=instructor)
        [row] = client_of(instructor).get(f"{URL}/mine").json()["results"]
        assert row["status"] == CourseStatus.DRAFT
        assert [client_of(who).get(f"{URL}/mine").status_code for who in (None, student)] == [401, 403]


class TestCover:
    def test_is_seen_by_whoever_sees_the_course(self, instructor: Any, student: Any, client_of: Any) -> None:
        out = io.BytesIO()
        Image.new("RGB", (2, 2)).save(out, "PNG")
        for published, statuses in ((False, [404, 404, 200]), (True, [200, 200, 200])):
            course = CourseFactory(instructor=instructor, published=published)
            store_cover(course=course, name="a.png", stream=io.BytesIO(out.getvalue()))
            url = client_of(instructor).get(f"{URL}/{course.pk}").json()["cover_url"]
            answers = [client_of(who).get(url) for who in (None, student, instructor)]
            assert [answer.status_code for answer in answers] == statuses
            assert answers[-1]["Content-Type"] == "image/png"
            # Each is read to its end, which closes its file.
            images = [b"".join(answer.streaming_content) for answer in answers if answer.status_code == 200]
            assert all(image.startswith(b"\x89PNG") for image in images)
            course.cover.storage.delete(course.cover.name)
            assert client_of(instructor).get(url).status_code == 404


class TestCategories:
    def test_are_public(self, anonymous: Any) -> None:
        CategoryFactory(slug="knots", name="Knots")
        assert anonymous.get("/api/v1/categories").json() == [{"slug": "knots", "name": "Knots"}]
