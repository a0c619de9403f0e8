"""The links inside of a cartridge's HTML: from what the exporting tool wrote, to placeholders, to real addresses."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from urllib.parse import unquote

from courses.markup import FRAME_TAG, Attributes, MarkupRewriter
from courses.rendering import sanitise_html, well_formed_html

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
FILE_BASE = re.compile(r"\$(?:IMS-CC-FILEBASE|IMS_CC_FILEBASE)\$/?")
OBJECT = re.compile(r"\$(?:CANVAS_OBJECT_REFERENCE|CANVAS_COURSE_REFERENCE|WIKI_REFERENCE)\$/?")
CANVAS_FILES = "web_resources"
# Which attribute of which tag leads elsewhere.
ADDRESSES = {
    "a": "href",
    "audio": "src",
    "embed": "src",
    FRAME_TAG: "src",
    "img": "src",
    "source": "src",
    "track": "src",
    "video": "src",
}
PLACEHOLDER = re.compile(r"""(\b(?:href|src|poster)=")(material|lesson):([A-Za-z0-9._-]+)(")""")


@dataclass
class LinkTargets:
    """What links can lead to: entries of the archive, slugs of pages and identifiers, each with its placeholder."""

    _by_path: dict[str, str] = field(default_factory=dict)
    _by_identifier: dict[str, str] = field(default_factory=dict)

    def add_path(self, path: str, placeholder: str) -> None:
        """A lesson goes before a file at the same path: a page in a module is to be read, not downloaded."""
        if placeholder.startswith("lesson:") or _folded(path) not in self._by_path:
            self._by_path[_folded(path)] = placeholder

    def add_identifier(self, identifier: str, placeholder: str) -> None:
        """What is added first stays: of a resource in two modules, the first is meant."""
        if identifier:
            self._by_identifier.setdefault(identifier, placeholder)

    def knows(self, identifier: str) -> bool:
        """Whether something was added under the identifier."""
        return identifier in self._by_identifier

    def find(self, address: str, folder: str) -> str | None:
        """The placeholder for an internal address as it is written on a page in `folder`."""
        written = unquote(re.split(r"[?#]", address, maxsplit=1)[0]).strip()
        if OBJECT.match(written):
            parts = [part for part in OBJECT.sub("", written, count=1).split("/") if part]
            # `assignments/<id>`, `pages/<slug>`, `file_ref/<id>/download`: the last part that is known.
            return next(filter(None, (self._by_identifier.get(part) for part in reversed(parts))), None)
        candidates = _candidate_paths(written, folder)
        return next(filter(None, (self._by_path.get(_folded(path)) for path in candidates)), None)


def _candidate_paths(written: str, folder: str) -> Iterator[str]:
    if FILE_BASE.match(written):
        rest = FILE_BASE.sub("", written, count=1)
        yield posixpath.normpath(posixpath.join(CANVAS_FILES, rest))
        yield posixpath.normpath(rest)
        yield posixpath.normpath(posixpath.join(folder, rest))
        return
    yield posixpath.normpath(posixpath.join(folder, written))
    yield posixpath.normpath(written.lstrip("/"))


def _folded(path: str) -> str:
    # Archives made on macOS spell “é” in two characters, and Windows never minded upper case.
    return unicodedata.normalize("NFC", path).casefold()


@dataclass(frozen=True)
class LinkedHtml:
    """Sanitised HTML with placeholders, the keys of the files in it, and the links that led nowhere."""

    html: str
    file_keys: tuple[str, ...]
    lost: tuple[str, ...]


def link_html(html: str, folder: str, targets: LinkTargets) -> LinkedHtml:
    """The page with placeholders for its internal links, safe to show once these are replaced.

    A link that leads nowhere is unwrapped to its text, a picture to its alternative text.
    """
    linker = _Linker(folder, targets)
    linked = sanitise_html(linker.rewrite(well_formed_html(html)), placeholders=True)
    keys = (found[3] for found in PLACEHOLDER.finditer(linked) if found[2] == "material")
    return LinkedHtml(linked, tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(linker.lost)))


def replace_references(html: str, materials: Mapping[str, str], lessons: Mapping[str, str]) -> str:
    """The HTML with every placeholder replaced by the URL of its file or lesson, keyed as in the cartridge.

    A placeholder whose key has no URL becomes "#": a link that stays on the page.
    """
    urls = {"material": materials, "lesson": lessons}
    return PLACEHOLDER.sub(
        lambda found: f"{found[1]}{escape(urls[found[2]].get(found[3], '#'))}{found[4]}",
        html,
    )


class _Linker(MarkupRewriter):
    def __init__(self, folder: str, targets: LinkTargets) -> None:
        super().__init__()
        self._folder = folder
        self._targets = targets
        self._unwrapping = False
        self.lost: list[str] = []

    def open_tag(self, tag: str, attributes: Attributes) -> str:
        if tag == "a":
            self._unwrapping = False
        names = {ADDRESSES.get(tag, ""), "poster" if tag == "video" else ""} - {""}
        kept: Attributes = []
        for name, value in attributes:
            if name not in names or not value:
                kept.append((name, value))
                continue
            address = self._resolve(value)
            if address is not None:
                kept.append((name, address))
            elif tag == "a":
                self._unwrapping = True
            elif tag == "img":
                return escape(dict(attributes).get("alt") or "")
        return "" if self._unwrapping and tag == "a" else super().open_tag(tag, kept)

    def close_tag(self, tag: str) -> str:
        if tag == "a" and self._unwrapping:
            self._unwrapping = False
            return ""
        return super().close_tag(tag)

    def _resolve(self, address: str) -> str | None:
        """The address as it may stay, or its placeholder, or nothing; what is lost is remembered."""
        # Canvas has escaped some addresses twice. Nothing else may be unescaped: `&section=2` is no “§ion=2”.
        address = address.replace("&amp;", "&").strip()
        scheme = SCHEME.match(address)
        if address.startswith(("#", "//")) or (
            scheme and scheme[0].lower() not in ("data:", "material:", "lesson:")
        ):
            return address
        found = None if scheme else self._targets.find(address, self._folder)
        if found is None:
            self.lost.append(
                address[:100] if not address.startswith("data:") else "a file embedded in the page"
            )
        return found
