"""From an archive to a course: which resource stands where, what its links mean, and what became of each."""

from __future__ import annotations

import hashlib
import mimetypes
import posixpath
import re
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from courses.cartridge.archive import MAX_TEXT_BYTES, CartridgeArchive, CartridgeInvalid
from courses.cartridge.canvas import (
    ASSESSMENTS_FOLDER,
    SETTINGS_FOLDER,
    complete_outline,
    read_course_settings,
)
from courses.cartridge.contents import Cartridge, FileEntry, LessonEntry, ModuleEntry, Outcome, ReportRow
from courses.cartridge.links import LinkedHtml, LinkTargets, link_html
from courses.cartridge.manifest import MANIFEST, Manifest, OutlineItem, OutlineModule, Resource, read_manifest
from courses.cartridge.resources import NO_QUIZZES, Interpretation, LessonDraft, interpret, is_web_address

MORE = "More from this course"
# Far more than anybody teaches; an item costs a row, whatever the size of its page.
MAX_ITEMS = 10_000
# A file beside a lesson costs a row too.
BYTES_PER_FILE = 100
SAFE_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")

OFFICE = "application/vnd.openxmlformats-officedocument"
# Python's own table, the same on every system, with what courses are full of and it leaves out.
MEDIA_TYPES = mimetypes.MimeTypes()
MEDIA_TYPES.add_type(f"{OFFICE}.wordprocessingml.document", ".docx")
MEDIA_TYPES.add_type(f"{OFFICE}.presentationml.presentation", ".pptx")
MEDIA_TYPES.add_type(f"{OFFICE}.spreadsheetml.sheet", ".xlsx")
MEDIA_TYPES.add_type("text/markdown", ".md")
MEDIA_TYPES.add_type("text/vtt", ".vtt")


def read_cartridge(path: Path) -> Cartridge:
    """The course in a Common Cartridge 1.0 to 1.3 or a Canvas export; its files stay in the archive.

    Raises:
        CartridgeInvalid: it is no cartridge, or one that it would be unsafe to read.
    """
    with CartridgeArchive(path) as archive:
        return _Reading(path, archive).read()


@dataclass
class _Placed:
    """A lesson in its place, before its links are resolved; `source` is where it came from."""

    key: str
    draft: LessonDraft
    source: str
    files: tuple[str, ...] = ()


@dataclass
class _PlacedModule:
    identifier: str
    title: str
    lessons: list[_Placed] = field(default_factory=list)


class _Reading:
    """One cartridge on its way in."""

    def __init__(self, path: Path, archive: CartridgeArchive) -> None:
        self._path = path
        self._archive = archive
        self._manifest: Manifest = read_manifest(archive)
        self._resources: dict[str, Resource] = self._manifest.resources
        self._meanings: dict[str, Interpretation] = {
            identifier: interpret(resource, archive, self._resources)
            for identifier, resource in self._resources.items()
        }
        self._variants = {
            each.identifier: each.variant
            for each in self._resources.values()
            if each.variant in self._meanings and self._meanings[each.variant].lesson is not None
        }
        self._rows: list[ReportRow] = []
        self._files: dict[str, FileEntry] = {}
        self._keys: set[str] = set()
        self._next_numbers: dict[str, int] = {}
        self._linked: dict[str, LinkedHtml] = {}
        self._size = 0
        self._targets = LinkTargets()
        self._held: set[str] = set()

    def read(self) -> Cartridge:
        settings = read_course_settings(self._archive)
        outline = complete_outline(self._archive, self._manifest.modules)
        if sum(1 + len(module.items) for module in outline) > MAX_ITEMS:
            raise CartridgeInvalid(f"The outline has more than {MAX_ITEMS:,} items.")
        self._collect_files()
        placed = [self._place_module(module) for module in outline]
        placed.append(self._place_the_rest())
        self._collect_targets(placed)
        modules = tuple(self._finish_module(module) for module in placed if module.lessons)
        self._report_resources()
        cover = self._resources.get(settings.cover_reference)
        return Cartridge(
            path=self._path,
            title=settings.title or self._manifest.title or self._path.stem,
            description=settings.description or self._manifest.description,
            language=settings.language or self._manifest.language,
            cover_key=self._files[cover.href].key if cover and cover.href in self._files else None,
            modules=modules,
            files=tuple(self._files.values()),
            rows=tuple(self._rows),
        )

    def _collect_files(self) -> None:
        for identifier, resource in self._resources.items():
            for path in self._meanings[identifier].files:
                self._add_file(path, identifier if path == resource.href else f"file:{path}")
        listed = {path for resource in self._resources.values() for path in resource.files}
        for path in self._archive.sizes:
            if path in listed or path == MANIFEST or path.startswith(SETTINGS_FOLDER):
                continue
            if path.endswith(".qti") or path.startswith(ASSESSMENTS_FOLDER):
                # Canvas' own form of a quiz holds the key to it: never a file for learners.
                self._tell("quiz", posixpath.basename(path), path, skipped=NO_QUIZZES)
                continue
            self._add_file(path, f"file:{path}", "the manifest does not list it")

    def _add_file(self, path: str, name: str, detail: str = "") -> None:
        if path in self._files:
            detail = "listed more than once, imported once"
            self._tell("file", self._files[path].name, path, detail=detail)
            return
        if path not in self._archive:
            self._tell(
                "file", posixpath.basename(path), path, skipped="the cartridge does not hold this file"
            )
            return
        content_type = MEDIA_TYPES.guess_type(posixpath.basename(path))[0] or "application/octet-stream"
        entry = FileEntry(_key(name), posixpath.basename(path), path, content_type, self._archive.sizes[path])
        self._files[path] = entry
        self._tell("file", entry.name, path, detail=detail)

    def _place_module(self, module: OutlineModule) -> _PlacedModule:
        placed = _PlacedModule(module.identifier, module.title or self._manifest.title)
        for item in module.items:
            lesson = self._place_item(item)
            if lesson is not None:
                placed.lessons.append(lesson)
        if not placed.lessons:
            self._tell(
                "module", placed.title, module.identifier, skipped="it holds nothing that can be imported"
            )
        return placed

    def _place_item(self, item: OutlineItem) -> _Placed | None:
        notes = ("unpublished in the source",) if item.unpublished else ()
        if item.url:
            if is_web_address(item.url):
                draft = LessonDraft("link", item.title or item.url, item.url, notes=notes)
                return _Placed(self._new_key(item.identifier, ""), draft, item.identifier)
            self._tell("link", item.title, item.identifier, skipped="it has no web address")
            return None
        if not item.reference:
            self._tell("heading", item.title, item.identifier, skipped="a heading without content of its own")
            return None
        reference = self._variants.get(item.reference, item.reference)
        meaning = self._meanings.get(reference)
        if meaning is None:
            reason = f"it refers to “{item.reference}”, which the cartridge does not hold"
            self._tell("item", item.title, item.identifier, skipped=reason)
            return None
        draft_or_none = self._draft(reference, meaning)
        self._held.add(reference)
        if draft_or_none is None:
            reason = meaning.reason or "it holds nothing that can be imported"
            self._tell(meaning.kind, item.title, reference, skipped=reason)
            return None
        # Canvas links to an item of a module too (`modules/items/<id>`).
        aliases = (*draft_or_none.aliases, item.identifier)
        draft = replace(draft_or_none, title=item.title or draft_or_none.title, aliases=aliases)
        if notes and notes[0] not in draft.notes:
            draft = replace(draft, notes=draft.notes + notes)
        return _Placed(
            self._new_key(reference, item.identifier), draft, reference, self._lesson_files(draft, reference)
        )

    def _draft(self, reference: str, meaning: Interpretation) -> LessonDraft | None:
        if meaning.lesson is not None or meaning.kind != "file":
            return meaning.lesson
        path = self._resources[reference].href
        return LessonDraft("file", posixpath.basename(path)) if path in self._files else None

    def _lesson_files(self, draft: LessonDraft, reference: str) -> tuple[str, ...]:
        if draft.kind != "file":
            return ()
        return tuple(
            self._files[path].key for path in self._resources[reference].files if path in self._files
        )

    def _place_the_rest(self) -> _PlacedModule:
        """What no module holds, but is there to be read."""
        rest = _PlacedModule("", MORE)
        for identifier, meaning in self._meanings.items():
            if identifier in self._held or identifier in self._variants or meaning.lesson is None:
                continue
            self._held.add(identifier)
            lesson = replace(
                meaning.lesson, notes=(*meaning.lesson.notes, "no module holds it in the source")
            )
            rest.lessons.append(_Placed(self._new_key(identifier, ""), lesson, identifier))
        return rest

    def _collect_targets(self, modules: list[_PlacedModule]) -> None:
        for module in modules:
            for lesson in module.lessons:
                self._add_lesson_target(lesson)
            if module.lessons:
                self._targets.add_identifier(module.identifier, f"lesson:{module.lessons[0].key}")
        for path, entry in self._files.items():
            self._targets.add_path(path, f"material:{entry.key}")
        for identifier, resource in self._resources.items():
            if resource.href in self._files:
                self._targets.add_identifier(identifier, f"material:{self._files[resource.href].key}")

    def _add_lesson_target(self, lesson: _Placed) -> None:
        resource = self._resources.get(lesson.source)
        placeholder = f"lesson:{lesson.key}"
        # Of a page in two modules, the first is meant.
        known = self._targets.knows(lesson.source)
        for alias in (lesson.key, lesson.source, *lesson.draft.aliases):
            self._targets.add_identifier(alias, placeholder)
        # A link to a file that is a lesson too leads to the file: that is what was meant by it.
        if resource is None or known or lesson.draft.kind == "file":
            return
        for path in resource.files:
            if path not in self._files:
                self._targets.add_path(path, placeholder)
        if resource.href.startswith("wiki_content/"):
            slug = posixpath.splitext(posixpath.basename(resource.href))[0]
            self._targets.add_identifier(slug, placeholder)

    def _finish_module(self, module: _PlacedModule) -> ModuleEntry:
        self._tell("module", module.title, module.identifier)
        return ModuleEntry(module.title, tuple(self._finish_lesson(lesson) for lesson in module.lessons))

    def _finish_lesson(self, placed: _Placed) -> LessonEntry:
        draft = placed.draft
        content, files, notes = draft.content, placed.files, list(draft.notes)
        if draft.kind not in ("link", "file"):
            linked = self._link(placed)
            content, files = linked.html, linked.file_keys
            if linked.lost:
                notes.append(f"links that lead nowhere were removed: {', '.join(linked.lost)}")
        resource = self._resources.get(placed.source)
        source = resource.href if resource else placed.source
        title = " ".join(draft.title.split()) or posixpath.basename(source)
        self._size += len(content) + BYTES_PER_FILE * len(files)
        if self._size > MAX_TEXT_BYTES:
            raise CartridgeInvalid("The lessons of the cartridge are larger than 50 MB together.")
        kind = "page" if draft.kind == "text" else draft.kind
        self._tell(kind, title, source, detail="; ".join(notes))
        return LessonEntry(placed.key, title, draft.kind, content, draft.points, files)

    def _link(self, placed: _Placed) -> LinkedHtml:
        """The lesson's page; one that stands in many modules is read once."""
        if placed.source not in self._linked:
            self._linked[placed.source] = link_html(placed.draft.content, placed.draft.folder, self._targets)
        return self._linked[placed.source]

    def _report_resources(self) -> None:
        """A row for every resource that has none yet; Canvas' own settings excepted."""
        for identifier, meaning in self._meanings.items():
            resource = self._resources[identifier]
            if identifier in self._held or meaning.internal:
                continue
            title = posixpath.basename(resource.href) or identifier
            if identifier in self._variants:
                self._tell(
                    meaning.kind, title, resource.href, skipped="a richer form of it is imported instead"
                )
            elif meaning.reason:
                self._tell(meaning.kind, title, resource.href or identifier, skipped=meaning.reason)
            elif meaning.detail:
                self._tell(meaning.kind, title, resource.href, detail=meaning.detail)
            elif not resource.files:
                self._tell(meaning.kind, title, identifier, skipped="it names no file")

    def _tell(self, kind: str, title: str, source: str, *, detail: str = "", skipped: str = "") -> None:
        outcome: Outcome = "skipped" if skipped else "imported"
        row = ReportRow(kind, " ".join(title.split()), source, outcome, skipped or detail)
        self._rows.append(row)

    def _new_key(self, *candidates: str) -> str:
        """A key that no lesson has yet: a resource may stand in two modules."""
        named = [_key(candidate) for candidate in candidates if candidate]
        first = named[0] if named else "lesson"
        key = next((key for key in named if key not in self._keys), None)
        numbers = count(self._next_numbers.get(first, 2))
        while key is None:
            number = next(numbers)
            self._next_numbers[first] = number + 1
            numbered = f"{first[:90]}-{number}"
            key = None if numbered in self._keys else numbered
        self._keys.add(key)
        return key


def _key(name: str) -> str:
    """The name itself where it can stand in a placeholder, else a digest of it."""
    return name if SAFE_KEY.fullmatch(name) else f"k{hashlib.sha256(name.encode()).hexdigest()[:32]}"
