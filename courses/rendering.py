"""What authors write, as HTML that is safe in a learner's browser.

Markdown is CommonMark 0.31 with tables; HTML is held to an allowlist by ammonia (nh3), after the WHATWG parser, so
that what is checked is what a browser will see.
"""

from __future__ import annotations

import re
from functools import cache

import nh3
from markdown_it import MarkdownIt

from courses.markup import FRAME_TAG, FrameUnwrapper

TAGS = frozenset(
    """a abbr article aside audio b bdi bdo blockquote br caption center cite code col colgroup dd del details dfn
    div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p picture pre q rp rt
    ruby s samp section small source span strike strong sub summary sup table tbody td tfoot th thead time tr track tt
    u ul var video wbr""".split()  # noqa: SIM905 - a list of sixty tags reads better as prose
)
CELL = frozenset({"align", "colspan", "headers", "rowspan", "scope", "valign"})
ATTRIBUTES: dict[str, frozenset[str]] = {
    "*": frozenset({"dir", "id", "lang", "title", "aria-label"}),
    "a": frozenset({"href", "hreflang", "name"}),
    "audio": frozenset({"controls", "src"}),
    "code": frozenset({"class"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "del": frozenset({"datetime"}),
    "details": frozenset({"open"}),
    "img": frozenset({"align", "alt", "height", "src", "width"}),
    "ins": frozenset({"datetime"}),
    "li": frozenset({"value"}),
    "ol": frozenset({"reversed", "start", "type"}),
    "source": frozenset({"src", "type"}),
    "td": CELL,
    "th": CELL,
    "time": frozenset({"datetime"}),
    "track": frozenset({"kind", "label", "src", "srclang"}),
    "video": frozenset({"controls", "height", "poster", "src", "width"}),
}
# What these hold is code or a form's state, never words of the author; of all other tags the text stays.
DROPPED_WITH_CONTENT = frozenset({"script", "style", "template", "title"})
SCHEMES = frozenset({"http", "https", "mailto"})
PLACEHOLDER_SCHEMES = frozenset({"material", "lesson"})
FRAME = re.compile(r"<(/?)iframe(?=[\s/>])", re.IGNORECASE)
# HTML knows no empty iframe, but exports that passed through XML are full of them.
EMPTY_FRAME = re.compile(r"<iframe(\s[^<>]*)?/>", re.IGNORECASE)
# An id from content must not be able to shadow a name that the page around it relies on ("DOM clobbering").
ID_PREFIX = "content-"


def well_formed_html(html: str) -> str:
    """The HTML as a browser reads it, with every tag closed and every ampersand escaped; not yet safe to show.

    Scripts and comments are gone, an iframe is an element `x-frame`, so that its content is markup like the rest.
    """
    framed = EMPTY_FRAME.sub(rf"<{FRAME_TAG}\1></{FRAME_TAG}>", html)
    return _normaliser().clean(FRAME.sub(rf"<\1{FRAME_TAG}", framed))


def sanitise_html(html: str, *, placeholders: bool = False) -> str:
    """The HTML reduced to what is safe and useful in a lesson; an iframe becomes a link to what it showed.

    `placeholders` keeps the addresses `material:<key>` and `lesson:<key>` that an import resolves afterwards.
    """
    return _cleaner(placeholders).clean(FrameUnwrapper().rewrite(well_formed_html(html))).strip()


def render_markdown(text: str) -> str:
    """CommonMark with tables and strikethrough as safe HTML; raw HTML in it is sanitised, not shown."""
    return sanitise_html(_markdown().render(text))


def render_content(text: str, content_format: str) -> str:
    """A lesson's text as safe HTML; `content_format` is "markdown" or "html".

    Raises:
        ValueError: there is no such format.
    """
    if content_format == "markdown":
        return render_markdown(text)
    if content_format == "html":
        return sanitise_html(text)
    raise ValueError(f"unknown content format {content_format!r}")


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@cache
def _normaliser() -> nh3.Cleaner:
    attributes = {tag: set(names) for tag, names in ATTRIBUTES.items()}
    return nh3.Cleaner(
        tags={*TAGS, "address", "embed", "main", FRAME_TAG},
        clean_content_tags=set(DROPPED_WITH_CONTENT),
        attributes={**attributes, FRAME_TAG: {"src"}, "embed": {"src"}},
        # An embedded file is reported as lost by who imports the page, for which it must still be there.
        url_schemes=set(SCHEMES | PLACEHOLDER_SCHEMES | {"data"}),
        link_rel=None,
    )


@cache
def _cleaner(placeholders: bool) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(DROPPED_WITH_CONTENT),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=_filter_attribute,
        url_schemes=set(SCHEMES | PLACEHOLDER_SCHEMES if placeholders else SCHEMES),
        link_rel="noopener noreferrer",
        strip_comments=True,
    )


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    if name in ("id", "name", "headers"):
        return " ".join(_prefixed(word) for word in value.split()) or None
    if name == "href" and value.startswith("#") and len(value) > 1:
        return f"#{_prefixed(value[1:])}"
    if tag == "code" and name == "class":
        return next((word for word in value.split() if word.startswith("language-")), None)
    return value


def _prefixed(name: str) -> str:
    return name if name.startswith(ID_PREFIX) else f"{ID_PREFIX}{name}"
