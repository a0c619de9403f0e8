"""Reads the demo courses from `content/`: a `course.toml` for each, and beside it a Markdown file for each lesson.

Everything is checked here, before a row is written: a demo that breaks in the middle of loading is worse than none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from urllib.parse import urlsplit

from smartcourse.demo.errors import DemoContentError
from smartcourse.demo.questions import DemoChoice, DemoQuestion, NumericAnswer, QuestionKind, read_question
from smartcourse.demo.tables import Table

__all__ = [
    "DemoCategory", "DemoChoice", "DemoContentError", "DemoCourse", "DemoLesson", "DemoLevel", "DemoModule",
    "DemoQuestion", "DemoQuiz", "LessonKind", "NumericAnswer", "QuestionKind", "read_demo_courses",
]  # fmt: skip

LONGEST_SUMMARY = 200


class DemoLevel(StrEnum):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class LessonKind(StrEnum):
    TEXT = "text"
    LINK = "link"
    DISCUSSION = "discussion"
    ASSIGNMENT = "assignment"
    QUIZ = "quiz"


@dataclass(frozen=True)
class DemoCategory:
    slug: str
    name: str


@dataclass(frozen=True)
class DemoQuiz:
    pass_percentage: int
    questions: tuple[DemoQuestion, ...]


@dataclass(frozen=True)
class DemoLesson:
    """A lesson. `content` is Markdown; for a link, an https address. `points` belong to an assignment only."""

    title: str
    type: LessonKind
    content: str
    estimated_minutes: int
    is_preview: bool
    points: int | None
    quiz: DemoQuiz | None


@dataclass(frozen=True)
class DemoModule:
    title: str
    lessons: tuple[DemoLesson, ...]


@dataclass(frozen=True)
class DemoCourse:
    """A course of the demo; `instructor` is an address of `people.toml`, `description` Markdown."""

    title: str
    slug: str
    summary: str
    description: str
    category: DemoCategory
    level: DemoLevel
    language: str
    goals: tuple[str, ...]
    instructor: str
    is_published: bool
    modules: tuple[DemoModule, ...]

    @property
    def lessons(self) -> Iterator[DemoLesson]:
        """Its lessons in the order of reading."""
        return (lesson for module in self.modules for lesson in module.lessons)


def read_demo_courses(content: Traversable | None = None) -> list[DemoCourse]:
    """The demo courses, in the order of their slugs; from another folder than the package's own where one is given.

    Raises: DemoContentError naming the file, the place and the rule that is broken.
    """
    content = content or files("smartcourse.demo") / "content"
    folders = sorted((entry for entry in content.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    return [_read_course(folder) for folder in folders]


def _read_course(folder: Traversable) -> DemoCourse:
    table = Table(_parse(folder), f"{folder.name}/course.toml")
    category = table.table("category")
    course = DemoCourse(
        title=table.text("title"),
        slug=table.text("slug"),
        summary=table.text("summary"),
        description=table.text("description").strip(),
        category=DemoCategory(category.text("slug"), category.text("name")),
        level=table.choice("level", DemoLevel),
        language=table.text("language"),
        goals=table.texts("goals"),
        instructor=table.text("instructor"),
        is_published=table.flag("published"),
        modules=tuple(_read_module(module, folder) for module in table.tables("modules")),
    )
    category.refuse_unknown()
    table.refuse_unknown()
    _check_course(course, folder, table)
    return course


def _check_course(course: DemoCourse, folder: Traversable, table: Table) -> None:
    """What can be said of a course only as a whole."""
    if course.slug != folder.name:
        raise table.error("slug", f"is not the name of its folder, {folder.name!r}")
    if len(course.summary) > LONGEST_SUMMARY:
        raise table.error("summary", f"has more than {LONGEST_SUMMARY} characters")
    if course.is_published and sum(lesson.quiz is not None for lesson in course.lessons) != 1:
        raise table.error("modules", "hold one quiz in a published course, neither more nor fewer")
    _check_files(folder, table)


def _check_files(folder: Traversable, table: Table) -> None:
    """A file that no lesson names would be lost in silence; one named twice is a slip of copying."""
    named = [
        lesson.text("file")
        for module in table.tables("modules")
        for lesson in module.tables("lessons")
        if lesson.has("file")
    ]
    present = {entry.name for entry in folder.iterdir() if entry.name.endswith(".md")}
    if unused := present - set(named):
        raise table.error("modules", f"name no lesson for {', '.join(sorted(unused))}")
    if len(named) > len(set(named)):
        raise table.error("modules", "name the same file twice")


def _read_module(table: Table, folder: Traversable) -> DemoModule:
    lessons = tuple(_read_lesson(lesson, folder) for lesson in table.tables("lessons"))
    module = DemoModule(table.text("title"), lessons)
    table.refuse_unknown()
    return module


def _read_lesson(table: Table, folder: Traversable) -> DemoLesson:
    kind = table.choice("type", LessonKind)
    lesson = DemoLesson(
        title=table.text("title"),
        type=kind,
        content=_read_address(table) if kind is LessonKind.LINK else _read_markdown(table, folder),
        estimated_minutes=table.whole_number("minutes", least=1, most=1440),
        is_preview=table.flag("preview") if table.has("preview") else False,
        points=table.whole_number("points", least=1) if kind is LessonKind.ASSIGNMENT else None,
        quiz=_read_quiz(table.table("quiz")) if kind is LessonKind.QUIZ else None,
    )
    table.refuse_unknown()
    return lesson


def _read_quiz(table: Table) -> DemoQuiz:
    quiz = DemoQuiz(
        pass_percentage=table.whole_number("pass_percentage", least=0, most=100),
        questions=tuple(read_question(question) for question in table.tables("questions")),
    )
    table.refuse_unknown()
    return quiz


def _read_address(table: Table) -> str:
    address = table.text("url")
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        raise table.error("url", "is not an https address")
    return address


def _read_markdown(table: Table, folder: Traversable) -> str:
    name = table.text("file")
    try:
        content = (folder / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise table.error("file", f"names {name!r}, which cannot be read: {error}") from error
    if not content:
        raise table.error("file", f"names {name!r}, which is empty")
    return content


def _parse(folder: Traversable) -> dict[str, object]:
    try:
        return tomllib.loads((folder / "course.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DemoContentError(f"{folder.name}/course.toml: {error}") from error
