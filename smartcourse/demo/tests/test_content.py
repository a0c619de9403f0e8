"""The demo is read by people: what they are promised of it, and that mistakes in it are caught before loading."""

from __future__ import annotations

import shutil
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from courses import models
from smartcourse.demo.accounts import (
    DemoRole,
    Standing,
    demo_accounts,
    read_demo_people,
    read_demo_standings,
)
from smartcourse.demo.errors import DemoContentError
from smartcourse.demo.reading import DemoLevel, LessonKind, QuestionKind, read_demo_courses

SECRET = "the secret of one data folder"
OTHER_SECRET = "the secret of another data folder"


@pytest.fixture(scope="module")
def courses():
    return read_demo_courses()


@pytest.fixture(scope="module")
def published(courses):
    return [course for course in courses if course.is_published]


@pytest.fixture(scope="module")
def quizzes(published):
    return [lesson.quiz for course in published for lesson in course.lessons if lesson.quiz]


class TestCourses:
    def test_are_three_published_and_one_draft(self, courses):
        assert Counter(course.is_published for course in courses) == {True: 3, False: 1}

    def test_stand_on_four_different_shelves(self, courses):
        assert len({course.category.slug for course in courses}) == 4

    def test_have_lessons_with_titles_of_their_own(self, courses):
        for course in courses:
            titles = [lesson.title for lesson in course.lessons]
            assert len(set(titles)) == len(titles), course.slug

    def test_have_a_size_that_can_be_worked_through(self, published):
        for course in published:
            assert 2 <= len(course.modules) <= 4, course.slug
            assert all(2 <= len(module.lessons) <= 4 for module in course.modules), course.slug

    def test_show_a_lesson_to_everybody(self, courses):
        for course in courses:
            assert any(lesson.is_preview for lesson in course.lessons), course.slug

    def test_have_text_lessons_that_are_worth_opening(self, courses):
        lengths = {
            lesson.title: len(lesson.content.split())
            for course in courses
            for lesson in course.lessons
            if lesson.type is LessonKind.TEXT
        }
        assert {title: words for title, words in lengths.items() if not 250 <= words <= 500} == {}

    def test_show_every_type_of_lesson(self, published):
        assert {lesson.type for course in published for lesson in course.lessons} == set(LessonKind)

    def test_use_only_words_that_the_courses_context_knows(self):
        assert {*DemoLevel} <= {*models.CourseLevel.values}
        assert {*LessonKind} <= {*models.LessonType.values}
        assert {*QuestionKind} <= {*models.QuestionKind.values}

    def test_are_taught_by_instructors_of_the_demo(self, courses):
        instructors = {person.email for person in read_demo_people() if person.role is DemoRole.INSTRUCTOR}
        assert {course.instructor for course in courses} == instructors


class TestQuizzes:
    def test_are_one_for_each_published_course(self, quizzes, published):
        assert len(quizzes) == len(published)

    def test_have_four_to_six_questions(self, quizzes):
        assert all(4 <= len(quiz.questions) <= 6 for quiz in quizzes)

    def test_show_every_kind_of_question_together(self, quizzes):
        assert {question.kind for quiz in quizzes for question in quiz.questions} == set(QuestionKind)

    def test_can_be_failed_and_passed(self, quizzes):
        assert all(0 < quiz.pass_percentage < 100 for quiz in quizzes)

    def test_offer_a_wrong_choice_wherever_there_are_choices(self, quizzes):
        for quiz in quizzes:
            for question in quiz.questions:
                assert not question.choices or len(question.answer_as_json) < len(question.choices)

    def test_give_answers_in_the_form_that_the_courses_context_keeps(self, quizzes):
        form = {
            QuestionKind.SINGLE_CHOICE: list,
            QuestionKind.MULTIPLE_CHOICE: list,
            QuestionKind.SHORT_TEXT: list,
            QuestionKind.TRUE_FALSE: bool,
            QuestionKind.NUMERIC: dict,
        }
        for quiz in quizzes:
            for question in quiz.questions:
                assert type(question.answer_as_json) is form[question.kind]


class TestReading:
    """A copy of a course with one mistake in it."""

    SLUG = "statistics-you-can-use-on-monday"

    @pytest.fixture
    def content(self, tmp_path):
        source = Path(str(files("smartcourse.demo") / "content" / self.SLUG))
        shutil.copytree(source, tmp_path / self.SLUG)
        return tmp_path

    def spoil(self, content: Path, old: str, new: str) -> None:
        document = content / self.SLUG / "course.toml"
        text = document.read_text(encoding="utf-8")
        assert old in text
        document.write_text(text.replace(old, new, 1), encoding="utf-8")

    def test_reads_a_course_from_another_folder(self, content):
        assert [course.slug for course in read_demo_courses(content)] == [self.SLUG]

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('answer = ["b"]', 'answer = ["z"]', r"questions\[1\]: answer names no choice: z"),
            ('answer = ["b"]', 'answer = ["a", "b"]', "answer of a single choice is one key"),
            ("answer = false", 'answer = "no"', "answer is neither true nor false"),
            ("tolerance = 0.05", "tolerance = -1", "tolerance is negative"),
            ("value = 7.5", "value = nan", "value is not a number"),
            (
                '{ key = "a", text = "The mean rent" }',
                '{ key = "b", text = "The mean rent" }',
                "same key twice",
            ),
            ("explanation =", "explanatoin =", "explanation is missing"),
            ('type = "discussion"', 'type = "chat"', "type is 'chat', none of text, link"),
            ('type = "quiz"', 'type = "text"', r"lessons\[4\]: unknown: quiz"),
            ('file = "spread.md"', 'file = "spraed.md"', "cannot be read"),
            ('file = "spread.md"', 'file = "samples.md"', "name no lesson for spread.md"),
            ('url = "https:', 'url = "javascript:', "url is not an https address"),
            ("minutes = 8", "minutes = 0", "minutes is not from 1 to 1440"),
            ('summary = "', f'summary = "{"long " * 40}', "summary has more than 200 characters"),
            ('slug = "statistics-you', 'slug = "statistic-you', "slug is not the name of its folder"),
            ('title = "Statistics', 'titel = "Statistics', "title is missing"),
            ("[[modules]]", "[[modules]", "course.toml: "),
        ],
    )
    def test_refuses_a_mistake_and_says_where_it_is(self, content, old, new, message):
        self.spoil(content, old, new)
        with pytest.raises(DemoContentError, match=message):
            read_demo_courses(content)

    def test_refuses_an_empty_lesson(self, content):
        (content / self.SLUG / "spread.md").write_text(" \n", encoding="utf-8")
        with pytest.raises(DemoContentError, match=r"spread\.md.* is empty"):
            read_demo_courses(content)

    def test_refuses_a_published_course_without_a_quiz(self, content):
        document = content / self.SLUG / "course.toml"
        text = document.read_text(encoding="utf-8")
        (content / self.SLUG / "check-yourself.md").unlink()
        last_lesson = text.index('[[modules.lessons]]\ntitle = "Check yourself"')
        document.write_text(text[:last_lesson], encoding="utf-8")
        with pytest.raises(DemoContentError, match="one quiz in a published course"):
            read_demo_courses(content)


class TestAccounts:
    def test_are_one_of_each_role(self):
        assert [account.role for account in demo_accounts(SECRET)] == list(DemoRole)

    def test_have_the_same_passwords_for_the_same_secret(self):
        assert demo_accounts(SECRET) == demo_accounts(SECRET)

    def test_share_no_password_between_secrets_or_people(self):
        passwords = [
            account.password for secret in (SECRET, OTHER_SECRET) for account in demo_accounts(secret)
        ]
        assert len(set(passwords)) == 6

    def test_have_four_words_and_four_digits(self):
        words = set((files("smartcourse.demo") / "words.txt").read_text(encoding="utf-8").split())
        for account in demo_accounts(SECRET):
            *chosen, digits = account.password.split("-")
            assert len(chosen) == 4
            assert set(chosen) <= words
            assert len(digits) == 4
            assert digits.isdecimal()

    def test_draw_from_words_enough(self):
        words = (files("smartcourse.demo") / "words.txt").read_text(encoding="utf-8").split()
        assert len(words) == len(set(words)) >= 512

    def test_have_passwords_that_the_product_accepts(self, django_user_model):
        refused = []
        for number in range(100):
            for account in demo_accounts(f"data folder number {number}"):
                person = django_user_model(email=account.email, full_name=account.full_name)
                try:
                    validate_password(account.password, user=person)
                except ValidationError as error:
                    refused.append((account.password, error.messages))
        assert refused == []

    def test_do_not_show_the_password_where_they_are_printed(self):
        account = demo_accounts(SECRET)[0]
        assert account.password not in repr(account)

    def test_refuse_a_secret_that_could_be_guessed(self):
        with pytest.raises(ValueError, match="at least 16"):
            demo_accounts("short")


class TestStandings:
    def test_refer_to_published_courses(self, published):
        assert {row.course_slug for row in read_demo_standings()} == {course.slug for course in published}

    def test_place_every_student(self):
        students = {person.email for person in read_demo_people() if person.role is DemoRole.STUDENT}
        assert {row.email for row in read_demo_standings()} == students

    def test_show_every_standing_and_a_completion_of_each_course(self, published):
        rows = read_demo_standings()
        assert {row.standing for row in rows} == set(Standing)
        completed = {row.course_slug for row in rows if row.standing is Standing.COMPLETED}
        assert completed == {course.slug for course in published}

    def test_count_lessons_from_none_to_all(self):
        assert [standing.lessons_done(10) for standing in Standing] == [0, 3, 9, 10]
