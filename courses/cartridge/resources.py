"""What each kind of resource is for a learner: a page, a discussion, a link, an assignment, or a file."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from html import escape
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from courses.cartridge.archive import MAX_PARSED_BYTES, CartridgeArchive, XmlBroken
from courses.cartridge.canvas import SETTINGS_FOLDER
from courses.cartridge.contents import LessonKind
from courses.cartridge.elements import children, descend, local_name, number_at, text_at, to_number
from courses.cartridge.manifest import Resource
from courses.extraction import text_of_html

PAGE_ENDINGS = (".html", ".htm", ".xhtml")
# Titles and states stand at the top; searching a hostile page to its end could take for ever.
HEAD = 5_000
NO_QUIZZES = "quizzes are not imported yet"
INSTRUCTORS_ONLY = "it is for instructors only in the source"
SHOWS_SOMETHING = re.compile(r"<(img|iframe|video|audio|object|embed)\b", re.IGNORECASE)
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
UNPUBLISHED = re.compile(r"<meta[^>]*name=\"workflow_state\"[^>]*content=\"unpublished\"", re.IGNORECASE)


@dataclass(frozen=True)
class LessonDraft:
    """A lesson before its links are resolved; `folder` is what its relative links start from."""

    kind: LessonKind
    title: str
    content: str = ""
    folder: str = ""
    points: float | None = None
    notes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Interpretation:
    """What a resource is: a lesson, or a reason why not; and which of its entries are files of the course."""

    kind: str
    lesson: LessonDraft | None = None
    reason: str = ""
    files: tuple[str, ...] = field(default=())
    # Canvas' own settings: nothing of the author's is in them, so that they are not told of.
    internal: bool = False
    # A file or a setting is dealt with without being a lesson.
    detail: str = ""


def interpret(
    resource: Resource, archive: CartridgeArchive, resources: dict[str, Resource]
) -> Interpretation:
    """What the resource is, by its type and files; broken XML in it is a reason, not an end."""
    reader = next((read for prefix, read in READERS.items() if resource.type.startswith(prefix)), None)
    if reader is None:
        return Interpretation("other", reason=f"resources of the type “{resource.type}” are not imported")
    missing = [path for path in (resource.href,) if path not in archive]
    if missing:
        return Interpretation("other", reason="the cartridge does not hold its file")
    try:
        meaning = reader(resource, archive, resources)
    except XmlBroken as broken:
        return Interpretation("other", reason=broken.detail)
    if resource.for_instructors and not meaning.internal:
        return replace(meaning, lesson=None, files=(), reason=INSTRUCTORS_ONLY)
    return meaning


def is_web_address(url: str) -> bool:
    """Whether it is an http or https address with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _webcontent(resource: Resource, archive: CartridgeArchive, _: dict[str, Resource]) -> Interpretation:
    if not resource.href.lower().endswith(PAGE_ENDINGS) or archive.sizes[resource.href] > MAX_PARSED_BYTES:
        return Interpretation("file", files=resource.files)
    others = tuple(path for path in resource.files if path != resource.href)
    html = archive.read_html(resource.href)
    if not (text_of_html(html) or SHOWS_SOMETHING.search(html)):
        return Interpretation("page", reason="the page is empty", files=others)
    notes = ("unpublished in the source",) if UNPUBLISHED.search(html[:HEAD]) else ()
    draft = LessonDraft("text", _title_of(html), html, posixpath.dirname(resource.href), notes=notes)
    return Interpretation("page", draft, files=others)


def _associated(
    resource: Resource, archive: CartridgeArchive, resources: dict[str, Resource]
) -> Interpretation:
    names = {posixpath.basename(path): path for path in resource.files}
    if "assignment_settings.xml" in names and names["assignment_settings.xml"] in archive:
        return _canvas_assignment(resource, names["assignment_settings.xml"], archive)
    if "assessment_meta.xml" in names or any(path.endswith(".qti") for path in resource.files):
        return Interpretation("quiz", reason=NO_QUIZZES)
    if resource.intended_use == "syllabus" or not resource.href.startswith(SETTINGS_FOLDER):
        if resource.href.endswith(".xml") and local_name(archive.read_xml(resource.href)) == "topicMeta":
            return Interpretation("settings", detail="settings of a discussion, imported with it")
        return _webcontent(resource, archive, resources)
    return Interpretation("settings", internal=True)


def _canvas_assignment(resource: Resource, settings: str, archive: CartridgeArchive) -> Interpretation:
    root = archive.read_xml(settings)
    page = next((path for path in resource.files if path.endswith(PAGE_ENDINGS) and path in archive), "")
    others = tuple(path for path in resource.files if path not in (settings, page))
    draft = LessonDraft(
        "assignment",
        text_at(root, "title"),
        archive.read_html(page) if page else "",
        posixpath.dirname(page),
        number_at(root, "points_possible"),
        ("unpublished in the source",) if text_at(root, "workflow_state") == "unpublished" else (),
        (root.get("identifier", ""),),
    )
    return Interpretation("assignment", draft, files=others)


def _assignment(resource: Resource, archive: CartridgeArchive, _: dict[str, Resource]) -> Interpretation:
    root = archive.read_xml(resource.href)
    gradable = descend(root, "gradable")
    points = to_number(gradable.get("points_possible", "")) if gradable is not None else None
    folder = posixpath.dirname(resource.href)
    draft = LessonDraft("assignment", text_at(root, "title"), _text_with_attachments(root), folder, points)
    return Interpretation("assignment", draft, files=_others(resource))


def _discussion(
    resource: Resource, archive: CartridgeArchive, resources: dict[str, Resource]
) -> Interpretation:
    root = archive.read_xml(resource.href)
    meta = _topic_meta(resource, archive, resources)
    graded = descend(meta, "assignment")
    notes = ["unpublished in the source"] if text_at(meta, "workflow_state") == "unpublished" else []
    if text_at(meta, "type") == "announcement":
        notes.append("an announcement in the source")
    draft = LessonDraft(
        "discussion",
        text_at(root, "title"),
        _text_with_attachments(root),
        posixpath.dirname(resource.href),
        number_at(graded, "points_possible"),
        tuple(notes),
        (graded.get("identifier", ""),) if graded is not None else (),
    )
    return Interpretation("discussion", draft, files=_others(resource))


def _topic_meta(
    resource: Resource, archive: CartridgeArchive, resources: dict[str, Resource]
) -> Element | None:
    for identifier in resource.dependencies:
        path = resources[identifier].href if identifier in resources else ""
        if path.endswith(".xml") and path in archive:
            root = archive.read_xml(path)
            if local_name(root) == "topicMeta":
                return root
    return None


def _web_link(resource: Resource, archive: CartridgeArchive, _: dict[str, Resource]) -> Interpretation:
    root = archive.read_xml(resource.href)
    address = descend(root, "url")
    return _link(text_at(root, "title"), address.get("href", "") if address is not None else "")


def _tool(resource: Resource, archive: CartridgeArchive, _: dict[str, Resource]) -> Interpretation:
    root = archive.read_xml(resource.href)
    return _link(text_at(root, "title"), text_at(root, "secure_launch_url") or text_at(root, "launch_url"))


def _quiz(resource: Resource, archive: CartridgeArchive, _: dict[str, Resource]) -> Interpretation:
    return Interpretation("quiz", reason=NO_QUIZZES)


def _link(title: str, url: str) -> Interpretation:
    url = url.strip()
    if not is_web_address(url):
        return Interpretation("link", reason="it has no web address")
    return Interpretation("link", LessonDraft("link", title or url, url))


def _others(resource: Resource) -> tuple[str, ...]:
    return tuple(path for path in resource.files if path != resource.href)


def _text_with_attachments(root: Element) -> str:
    text = descend(root, "text")
    html = (text.text or "").strip() if text is not None else ""
    if text is not None and text.get("texttype", "").lower() == "text/plain":
        html = "".join(
            f"<p>{escape(part.strip())}</p>" for part in re.split(r"\n\s*\n", html) if part.strip()
        )
    for attachment in children(descend(root, "attachments"), "attachment"):
        href = attachment.get("href", "")
        html += f'<p><a href="{escape(href)}">{escape(posixpath.basename(href))}</a></p>'
    return html


def _title_of(html: str) -> str:
    found = TITLE.search(html[:HEAD])
    return text_of_html(f"<p>{found[1]}</p>") if found else ""


READERS = {
    "webcontent": _webcontent,
    "associatedcontent": _associated,
    "imsdt": _discussion,
    "imswl": _web_link,
    "imsbasiclti": _tool,
    "assignment": _assignment,
    "imsqti": _quiz,
}
