"""The ZIP archive a cartridge is: checked before anything in it is believed, and never unpacked to disk."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
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
BROKEN_ZIP = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, OSError)


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
        except (*BROKEN_ZIP, ValueError) as broken:
            raise CartridgeInvalid("This file is not a ZIP archive, so it cannot be a cartridge.") from broken
        try:
            self.sizes = _checked_sizes(self._zip.infolist())
        except CartridgeInvalid:
            self._zip.close()
            raise

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
        try:
            with self._zip.open(name) as stream:
                yield stream
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError) as broken:
            raise CartridgeInvalid(f"The entry “{name}” of the archive is damaged.") from broken

    def read(self, name: str) -> bytes:
        """A small entry whole.

        Raises:
            CartridgeInvalid: it is missing, damaged, or larger than 20 MB.
        """
        if self.sizes.get(name, 0) > MAX_PARSED_BYTES:
            raise CartridgeInvalid(f"“{name}” is larger than a page or description may be (20 MB).")
        with self.open(name) as stream:
            return stream.read()

    def read_html(self, name: str) -> str:
        """A page, in UTF-8 as the specification wants it, else as old editors wrote it."""
        data = self.read(name)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data.decode("cp1252", errors="replace")

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


def _checked_sizes(entries: list[zipfile.ZipInfo]) -> dict[str, int]:
    if len(entries) > MAX_ENTRIES:
        raise CartridgeInvalid(f"The archive has more than {MAX_ENTRIES:,} entries.")
    if sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise CartridgeInvalid("The archive would hold more than 2 GB when unpacked.")
    for entry in entries:
        _check_entry(entry)
    return {entry.filename: entry.file_size for entry in entries if not entry.is_dir()}


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
    if entry.file_size > LARGE_ENTRY_BYTES and entry.file_size > MAX_RATIO * entry.compress_size:
        raise CartridgeInvalid(f"“{entry.filename}” is compressed more than {MAX_RATIO} times: a ZIP bomb.")
