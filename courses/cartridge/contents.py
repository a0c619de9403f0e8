"""What a cartridge holds, as an importer needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from courses.cartridge.archive import CartridgeArchive

LessonKind = Literal["text", "file", "discussion", "link", "assignment"]
Outcome = Literal["imported", "skipped"]


@dataclass(frozen=True)
class FileEntry:
    """One file of the course; `key` is what `material:<key>` in a lesson means, `path` its place in the archive."""

    key: str
    name: str
    path: str
    content_type: str
    size: int


@dataclass(frozen=True)
class LessonEntry:
    """One lesson: `content` is sanitised HTML with placeholders, or for a link its URL.

    `points` is what the source gave for it, if anything; `file_keys` are the files it shows or links.
    """

    key: str
    title: str
    type: LessonKind
    content: str
    points: float | None = None
    file_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModuleEntry:
    """A module with its lessons in order; nested items of the source stand here one after the other."""

    title: str
    lessons: tuple[LessonEntry, ...]


@dataclass(frozen=True)
class ReportRow:
    """What became of one thing in the cartridge, and why; `source` is a path or identifier inside it."""

    kind: str
    title: str
    source: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True)
class Cartridge:
    """A course read from a Common Cartridge or a Canvas export; the archive at `path` stays closed between uses."""

    path: Path
    title: str
    description: str
    language: str
    cover_key: str | None
    modules: tuple[ModuleEntry, ...]
    files: tuple[FileEntry, ...]
    rows: tuple[ReportRow, ...]

    @contextmanager
    def open_file(self, entry: FileEntry) -> Iterator[IO[bytes]]:
        """The bytes of one file, while the block lasts.

        Raises:
            CartridgeInvalid: the archive is gone or damaged.
        """
        with CartridgeArchive(self.path) as archive, archive.open(entry.path) as stream:
            yield stream
