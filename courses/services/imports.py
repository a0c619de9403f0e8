"""Importing courses that were exported elsewhere, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.urls import reverse

from accounts.policies import can_teach
from courses.cartridge import (
    Cartridge,
    CartridgeInvalid,
    FileEntry,
    LessonEntry,
    read_cartridge,
    replace_references,
)
from courses.models import LANGUAGE_TAG, ContentFormat, Course, Lesson, LessonType, Material
from courses.services.authoring import add_lesson, add_module, create_course
from courses.services.materials import FileRefused, add_material, store_cover
from smartcourse.errors import NotAllowed

Report = Callable[[str], None]


class OwnerMayNotTeach(NotAllowed):
    """A course belongs to somebody who may teach."""

    message = "The owner is neither an instructor nor staff."


class RolledBack(Exception):
    """Ends the transaction of a dry run."""


@dataclass(frozen=True)
class ImportRow:
    """What became of one thing in the file."""

    kind: str
    title: str
    source: str
    detail: str


@dataclass(frozen=True)
class ImportResult:
    """The course that was made (None in a dry run), and what became of each thing in the file."""

    course: Course | None
    imported: list[ImportRow]
    skipped: list[ImportRow]


def import_course(
    *, path: Path, owner: Any, report: Report = lambda line: None, dry_run: bool = False
) -> ImportResult:
    """Make a draft of a Common Cartridge: modules, lessons, files and the links between them.

    `report` is told what is being worked on. A dry run reads and writes everything, and takes it back.

    Raises:
        CartridgeInvalid: the file is no cartridge, or not a safe one.
        OwnerMayNotTeach: the owner is a student.
    """
    if not can_teach(owner):
        raise OwnerMayNotTeach
    report(f"Reading {path.name}")
    cartridge = read_cartridge(path)
    stored: list[FieldFile] = []
    course: Course | None = None
    try:
        with transaction.atomic():
            course = _write_course(cartridge, owner, stored, report)
            if dry_run:
                raise RolledBack  # noqa: TRY301 - the way out of a transaction
    except RolledBack:
        _remove_files(stored)
        course = None
    except BaseException:
        # The database forgets the rows by itself; the storage does not forget the files.
        _remove_files(stored)
        raise
    return ImportResult(course, *(_rows_of(cartridge, outcome) for outcome in ("imported", "skipped")))


def _rows_of(cartridge: Cartridge, outcome: str) -> list[ImportRow]:
    return [ImportRow(r.kind, r.title, r.source, r.detail) for r in cartridge.rows if r.outcome == outcome]


def _remove_files(stored: list[FieldFile]) -> None:
    for file in stored:
        file.delete(save=False)


def _write_course(cartridge: Cartridge, owner: Any, stored: list[FieldFile], report: Report) -> Course:
    language = cartridge.language if re.fullmatch(LANGUAGE_TAG, cartridge.language or "") else "en"
    course = create_course(
        instructor=owner,
        title=cartridge.title[:255] or "Imported course",
        description=cartridge.description,
        language=language,
    )
    materials = _write_files(cartridge, course, stored, report)
    _write_cover(cartridge, course, stored)
    lessons: dict[str, tuple[Lesson, LessonEntry]] = {}
    for entry in cartridge.modules:
        report(f"Module “{entry.title}”, {len(entry.lessons)} lessons")
        module = add_module(course_id=course.pk, title=entry.title[:255] or "Module")
        for lesson in entry.lessons:
            lessons[lesson.key] = (_write_lesson(module.pk, lesson), lesson)
    _link_lessons(lessons, materials)
    return course


def _write_files(
    cartridge: Cartridge, course: Course, stored: list[FieldFile], report: Report
) -> dict[str, Material]:
    report(f"{len(cartridge.files)} files")
    materials = {}
    for entry in cartridge.files:
        with cartridge.open_file(entry) as stream:
            material = add_material(
                course_id=course.pk, name=entry.name, content_type=_type_of(entry), stream=stream
            )
        stored.append(material.file)
        materials[entry.key] = material
    return materials


def _type_of(entry: FileEntry) -> str:
    """Return the type that a file is served as; markup that a browser would run is served as unknown bytes."""
    runs = ("html" in entry.content_type) or ("svg" in entry.content_type) or ("xml" in entry.content_type)
    office = "officedocument" in entry.content_type
    return "application/octet-stream" if runs and not office else entry.content_type[:100]


def _write_cover(cartridge: Cartridge, course: Course, stored: list[FieldFile]) -> None:
    entry = next((file for file in cartridge.files if file.key == cartridge.cover_key), None)
    if entry is None:
        return
    try:
        with cartridge.open_file(entry) as stream:
            store_cover(course=course, name=entry.name, stream=stream)
    except FileRefused:
        # An image that cannot be read is no cover; as a file of the course it was imported all the same.
        return
    stored.append(course.cover)


def _write_lesson(module_id: Any, entry: LessonEntry) -> Lesson:
    return add_lesson(
        module_id=module_id,
        title=entry.title[:255] or "Lesson",
        type=LessonType(entry.type),
        content=entry.content,
        content_format=ContentFormat.HTML,
        points=int(entry.points) if entry.points else None,
    )


def _link_lessons(lessons: dict[str, tuple[Lesson, LessonEntry]], materials: dict[str, Material]) -> None:
    """Give the placeholders in the lessons their addresses, and the lessons their files."""
    files = {key: reverse("material-download", kwargs={"pk": m.pk}) for key, m in materials.items()}
    pages = {key: reverse("lesson-detail", kwargs={"pk": lesson.pk}) for key, (lesson, _) in lessons.items()}
    for lesson, entry in lessons.values():
        if entry.type != "link":
            lesson.rewrite(content=replace_references(lesson.content, files, pages))
        lesson.materials.set(materials[key] for key in entry.file_keys if key in materials)


__all__ = ["CartridgeInvalid", "ImportResult", "ImportRow", "OwnerMayNotTeach", "import_course"]
