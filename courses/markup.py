"""Changing HTML tag by tag with the standard library's parser.

What is read here must be well-formed (`courses.rendering.well_formed_html`): on broken HTML the parser takes time
that grows with the square of its length, and loses ampersands. Nothing here makes HTML safe; that is
`courses.rendering.sanitise_html`, which always comes last.
"""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

Attributes = list[tuple[str, str | None]]


def write_tag(tag: str, attributes: Attributes) -> str:
    """The opening tag with these attributes."""
    told = "".join(
        f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in attributes
    )
    return f"<{tag}{told}>"


class MarkupRewriter(HTMLParser):
    """Copies HTML and lets a subclass change tags on their way; comments and declarations are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._written: list[str] = []

    def rewrite(self, html: str) -> str:
        """The HTML as `open_tag` and `close_tag` want it."""
        self.feed(html)
        self.close()
        return "".join(self._written)

    def open_tag(self, tag: str, attributes: Attributes) -> str:
        """What to write for an opening tag; the tag itself, unless a subclass says otherwise."""
        return write_tag(tag, attributes)

    def close_tag(self, tag: str) -> str:
        """What to write for a closing tag."""
        return f"</{tag}>"

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self._written.append(self.open_tag(tag, attrs))

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self._written.append(self.open_tag(tag, attrs))
        if tag not in VOID_TAGS:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._written.append(self.close_tag(tag))

    def handle_data(self, data: str) -> None:
        self._written.append(data)

    def handle_entityref(self, name: str) -> None:
        self._written.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._written.append(f"&#{name};")


VOID_TAGS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)


# An iframe under a name that parsers treat like any other: what stands in an iframe they do not read as HTML.
FRAME_TAG = "x-frame"


class FrameUnwrapper(MarkupRewriter):
    """Makes a plain link of every iframe, so that what it showed can still be reached."""

    def __init__(self) -> None:
        super().__init__()
        self._inside_from: int | None = None

    def open_tag(self, tag: str, attributes: Attributes) -> str:
        if tag != FRAME_TAG:
            return super().open_tag(tag, attributes)
        given = dict(attributes)
        address = (given.get("src") or "").strip()
        if address.startswith("//"):
            address = f"https:{address}"
        label = (given.get("title") or "").strip() or address
        self._inside_from = len(self._written) + 1
        return f'<a href="{escape(address)}">{escape(label)}</a>' if address else ""

    def close_tag(self, tag: str) -> str:
        if tag != FRAME_TAG:
            return super().close_tag(tag)
        if self._inside_from is not None:
            # What stands between the tags is shown only by browsers that know no iframe: by none.
            del self._written[self._inside_from :]
            self._inside_from = None
        return ""
