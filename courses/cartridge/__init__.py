"""Courses from elsewhere: Common Cartridge 1.0 to 1.3 and Canvas exports, read without touching the database."""

from courses.cartridge.archive import CartridgeInvalid
from courses.cartridge.contents import Cartridge, FileEntry, LessonEntry, ModuleEntry, ReportRow
from courses.cartridge.links import replace_references
from courses.cartridge.reading import read_cartridge

__all__ = [
    "Cartridge",
    "CartridgeInvalid",
    "FileEntry",
    "LessonEntry",
    "ModuleEntry",
    "ReportRow",
    "read_cartridge",
    "replace_references",
]
