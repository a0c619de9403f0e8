"""The plain text of course content: for search, for answers that cite it, for estimates of reading time."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import IO

from courses.markup import Attributes
from courses.rendering import render_markdown, well_formed_html
from smartcourse.errors import Invalid

MAX_PDF_PAGES = 500
# pypdf follows what a file says of itself; where that is false, Python's own errors come out.
BROKEN_PDF = (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
BLOCKS = frozenset(
    """address article aside blockquote br caption dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6
    header hr li main ol p pre section summary table tr ul""".split()  # noqa: SIM905 - reads better as prose
)
PARAGRAPH_END = re.compile(r"\n\s*\n")
# A sentence ends at its mark, with or without a closing quote; scripts without spaces have marks of their own.
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])")


class TextUnreadable(Invalid):
    """The file should hold text, but is broken or locked."""

    code = "text_unreadable"
    message = "The text of this file could not be read."


def text_of_html(html: str) -> str:
    """The words a reader would see, with images as their alternative text and a blank line between blocks."""
    reader = _TextReader()
    reader.feed(well_formed_html(html))
    reader.close()
    return reader.text()


def text_of_pdf(stream: IO[bytes]) -> str:
    """The text of a PDF's first 500 pages, a blank line between pages; empty where pages are pictures.

    Raises:
        TextUnreadable: it is no PDF, broken, or encrypted with a password.
    """
    # Half a second, which processes that never read a PDF need not start with.
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(stream)
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = [] if locked else [page.extract_text().strip() for page in reader.pages[:MAX_PDF_PAGES]]
    except (PyPdfError, *BROKEN_PDF) as broken:
        raise TextUnreadable("This PDF is broken and could not be read.") from broken
    if locked:
        raise TextUnreadable("This PDF is protected by a password.")
    return "\n\n".join(page for page in pages if page).replace("\x00", "")


def text_of_material(content_type: str, stream: IO[bytes]) -> str:
    """The text of an uploaded file by its media type; empty where that type holds none we can read.

    Raises:
        TextUnreadable: a PDF that is broken or locked.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/pdf":
        return text_of_pdf(_seekable(stream))
    if kind in ("text/html", "application/xhtml+xml"):
        return text_of_html(_decoded(stream))
    if kind in ("text/markdown", "text/x-markdown"):
        return text_of_html(render_markdown(_decoded(stream)))
    if kind in ("text/plain", "text/csv"):
        return _decoded(stream).strip()
    return ""


def split_into_chunks(text: str, size: int = 1000) -> list[str]:
    """The text in pieces of at most `size` characters, cut between paragraphs, else sentences, else words.

    No word is lost or changed; only a single word longer than `size` is cut inside.
    """
    if size < 1:
        raise ValueError("a chunk holds at least one character")
    chunks: list[str] = []
    for paragraph in PARAGRAPH_END.split(text.strip()):
        _append(chunks, paragraph.strip(), "\n\n", size)
    return chunks


def _append(chunks: list[str], piece: str, joint: str, size: int) -> None:
    if not piece:
        return
    if chunks and len(chunks[-1]) + len(joint) + len(piece) <= size:
        chunks[-1] += joint + piece
        return
    for number, part in enumerate(_fitting(piece, size)):
        if number and len(chunks[-1]) + len(part) + 1 <= size:
            chunks[-1] += f" {part}"
        else:
            chunks.append(part)


def _fitting(piece: str, size: int) -> list[str]:
    if len(piece) <= size:
        return [piece]
    parts: list[str] = []
    for sentence in _sentences(piece):
        if len(sentence) <= size:
            parts.append(sentence)
            continue
        for word in sentence.split():
            parts.extend(word[start : start + size] for start in range(0, len(word), size))
    return parts


def _sentences(text: str) -> list[str]:
    starts = [0, *(match.end() for match in SENTENCE_END.finditer(text)), len(text)]
    sentences = (text[start:end].strip() for start, end in pairwise(starts))
    return [sentence for sentence in sentences if sentence]


def _decoded(stream: IO[bytes]) -> str:
    data = stream.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    # PostgreSQL stores no NUL in text.
    return text.replace("\x00", "")


def _seekable(stream: IO[bytes]) -> IO[bytes]:
    return stream if stream.seekable() else io.BytesIO(stream.read())


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag in BLOCKS:
            self._parts.append("\n\n" if tag != "br" else "\n")
        elif tag in ("td", "th"):
            self._parts.append(" ")
        elif tag == "img":
            self._parts.append(f" {dict(attrs).get('alt') or ''} ")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self._parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        self._parts.append(re.sub(r"\s+", " ", data))

    def text(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip().replace("\x00", "")
