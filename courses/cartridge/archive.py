"""The ZIP archive a cartridge is: checked before anything in it is believed, and never unpacked to disk."""

from __future__ import annotations

import codecs
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from smartcourse.errors import Invalid

MAX_ENTRIES = 20_000
MAX_TOTAL_BYTES = 2 * 1024**3
MAX_RATIO = 200
# Below this, a page of blanks may well compress 200 times, and does no harm.
LARGE_ENTRY_BYTES = 10 * 1024**2
# What is parsed is held in memory; a manifest of 20,000 resources has some 6 MB.
MAX_PARSED_BYTES = 20 * 1024**2
# All pages and descriptions together: many small bombs make a large one.
MAX_TEXT_BYTES = 50 * 1024**2
LOCAL_HEADER_BYTES = 30
UTF8_NAME = 0x800
# What zipfile raises for a damaged archive, while it looks for an entry and while it reads one.
BROKEN_ENTRY = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
BROKEN_ZIP = (*BROKEN_ENTRY, zipfile.LargeZipFile, OSError, ValueError, IndexError, struct.error)


class CartridgeInvalid(Invalid):
    """The file is no cartridge, or one that it would be unsafe to read."""

    code = "cartridge_invalid"
    message = "This file is not a valid Common Cartridge."


class XmlBroken(CartridgeInvalid):
    """One XML file of the cartridge is not well-formed."""


class CartridgeArchive:
    """The checked archive; use it in a `with` block.

    Raises:
        CartridgeInvalid: no ZIP archive, too large, or with entries that no honest tool writes.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except BROKEN_ZIP as broken:
            raise CartridgeInvalid("This file is not a ZIP archive, so it cannot be a cartridge.") from broken
        try:
            self._entries = _checked_entries(self._zip.infolist())
        except CartridgeInvalid:
            self._zip.close()
            raise
        self.sizes = {name: entry.file_size for name, entry in self._entries.items()}
        self._text_read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self.sizes

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """The bytes of an entry; what the reader of them raises for damage is told as `CartridgeInvalid`.

        Raises:
            CartridgeInvalid: there is no such entry, or it is damaged.
        """
        damaged = CartridgeInvalid(f"The entry “{name}” of the archive is damaged.")
        try:
            opened = self._zip.open(self._entries[name])
        except (*BROKEN_ZIP, KeyError) as broken:
            raise damaged from broken
        try:
            with opened as stream:
                yield stream
        except BROKEN_ENTRY as broken:
            # No OSError: inside of the block, that is a full disk of the caller's.
            raise damaged from broken

    def read(self, name: str) -> bytes:
        """A small entry whole.

        Raises:
            CartridgeInvalid: it is missing, damaged, larger than 20 MB, or all that was read is more than 50 MB.
        """
        if self.sizes.get(name, 0) > MAX_PARSED_BYTES:
            raise CartridgeInvalid(f"“{name}” is larger than a page or description may be (20 MB).")
        self._text_read += self.sizes.get(name, 0)
        if self._text_read > MAX_TEXT_BYTES:
            raise CartridgeInvalid("The pages of the cartridge are larger than 50 MB together.")
        with self.open(name) as stream:
            return stream.read()

    def read_html(self, name: str) -> str:
        """A page, in UTF-8 as the specification wants it, else as old editors wrote it."""
        data = self.read(name)
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16", errors="replace").replace("\x00", "")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
        # PostgreSQL stores no NUL in text.
        return text.replace("\x00", "")

    def read_xml(self, name: str) -> Element:
        """The root of an XML entry.

        Raises:
            XmlBroken: it is not well-formed.
            CartridgeInvalid: it declares entities, which only an attack does here.
        """
        try:
            root: Element = fromstring(self.read(name))
        except DefusedXmlException as attack:
            raise CartridgeInvalid(f"“{name}” declares XML entities, which a cartridge may not.") from attack
        except (ParseError, ValueError, LookupError) as broken:
            raise XmlBroken(f"“{name}” is not well-formed XML.") from broken
        return root


def _checked_entries(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    if len(entries) > MAX_ENTRIES:
        raise CartridgeInvalid(f"The archive has more than {MAX_ENTRIES:,} entries.")
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise CartridgeInvalid("The archive would hold more than 2 GB when unpacked.")
    for entry in entries:
        _check_entry(entry)
    _check_places(entries)
    named: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = _name_of(entry)
        if name in named:
            raise CartridgeInvalid(f"The archive has two entries of the name “{name}”.")
        if not name.endswith("/"):
            named[name] = entry
    return named


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The entry's name, with the separators and letters that its writer meant."""
    name = entry.filename
    if not entry.flag_bits & UTF8_NAME and not name.isascii():
        written = name.encode("cp437")
        try:
            name = written.decode("utf-8")
        except UnicodeDecodeError:
            # Without the flag it is code page 437 (APPNOTE D.1), which has its letters below 0xB0 and frames above
            # them, where Latin-1 has its letters: Windows and older Unix tools write these.
            name = written.decode("latin-1") if min(b for b in written if b > 127) >= 0xC0 else name
    return name.replace("\\", "/")


def _check_places(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse entries that share bytes of the archive: that is how a small bomb unpacks without end."""
    for entry, following in pairwise(sorted(entries, key=lambda each: each.header_offset)):
        if entry.header_offset + LOCAL_HEADER_BYTES + entry.compress_size > following.header_offset:
            raise CartridgeInvalid("The archive has entries that overlap: a ZIP bomb.")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    # `orig_filename` is the name as written: on some systems zipfile has already changed its separators.
    for name in (entry.filename, entry.orig_filename):
        if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[\\/]", name):
            raise CartridgeInvalid("The archive has an entry with an absolute path.")
        if ".." in re.split(r"[\\/]", name):
            raise CartridgeInvalid("The archive has an entry that leads out of it (“..”).")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise CartridgeInvalid("The archive has a symbolic link.")
    if entry.flag_bits & 0x1:
        raise CartridgeInvalid("The archive is encrypted.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CartridgeInvalid(f"“{entry.filename}” is compressed by a method that cartridges do not use.")
    if entry.file_size > LARGE_ENTRY_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
        raise CartridgeInvalid(f"“{entry.filename}” is compressed more than {MAX_RATIO} times: a ZIP bomb.")
