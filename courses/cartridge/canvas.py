"""What Canvas writes beside the standard: settings of the course, its modules, and of assignments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from courses.cartridge.archive import CartridgeArchive
from courses.cartridge.elements import children, descend, text_at
from courses.cartridge.manifest import OutlineItem, OutlineModule

SETTINGS_FOLDER = "course_settings/"
ASSESSMENTS_FOLDER = "non_cc_assessments/"
LINKED_TYPES = frozenset({"ContextExternalTool", "ExternalUrl"})


@dataclass(frozen=True)
class CourseSettings:
    """What `course_settings.xml` says; all of it empty where there is none."""

    title: str = ""
    description: str = ""
    language: str = ""
    cover_reference: str = ""


def read_course_settings(archive: CartridgeArchive) -> CourseSettings:
    """The course's settings, if Canvas has written the archive."""
    name = f"{SETTINGS_FOLDER}course_settings.xml"
    if name not in archive:
        return CourseSettings()
    root = archive.read_xml(name)
    return CourseSettings(
        title=text_at(root, "title"),
        description=text_at(root, "public_description"),
        language=text_at(root, "locale"),
        cover_reference=text_at(root, "image_identifier_ref"),
    )


def complete_outline(archive: CartridgeArchive, modules: list[OutlineModule]) -> list[OutlineModule]:
    """The outline with what only `module_meta.xml` knows: addresses of tools, states, and items left out."""
    name = f"{SETTINGS_FOLDER}module_meta.xml"
    if name not in archive:
        return modules
    told = dict(_read_modules(archive.read_xml(name)))
    known = {module.identifier for module in modules}
    completed = [OutlineModule(each.identifier, each.title, list(each.items)) for each in modules]
    completed += [OutlineModule(key, each.title) for key, each in told.items() if key not in known]
    for module in completed:
        if module.identifier in told:
            module.items = _merge(module.items, told[module.identifier].items)
    return completed


def _read_modules(root: Element) -> Iterator[tuple[str, OutlineModule]]:
    for module in children(root, "module"):
        identifier = module.get("identifier", "")
        items = [_read_item(item) for item in children(descend(module, "items"), "item")]
        yield identifier, OutlineModule(identifier, text_at(module, "title"), items)


def _read_item(item: Element) -> OutlineItem:
    linked = text_at(item, "content_type") in LINKED_TYPES
    return OutlineItem(
        identifier=item.get("identifier", ""),
        title=text_at(item, "title"),
        reference=text_at(item, "identifierref"),
        url=text_at(item, "url") if linked else "",
        unpublished=text_at(item, "workflow_state") == "unpublished",
    )


def _merge(written: list[OutlineItem], told: list[OutlineItem]) -> list[OutlineItem]:
    """The manifest's items in their order, each with what Canvas tells of it, and the missing ones in their places."""
    places: dict[str, int] = {}
    for number, item in enumerate(written):
        # For external tools the manifest's reference is Canvas' identifier of the item itself.
        for identifier in filter(None, (item.identifier, item.reference)):
            places.setdefault(identifier, number)
    merged = list(written)
    missing: dict[int, list[OutlineItem]] = {}
    last = -1
    for item in told:
        at = places.get(item.identifier)
        if at is None:
            missing.setdefault(last, []).append(item)
            continue
        merged[at] = _completed(written[at], item)
        last = at
    together = list(missing.get(-1, []))
    for number, item in enumerate(merged):
        together += [item, *missing.get(number, [])]
    return together


def _completed(written: OutlineItem, told: OutlineItem) -> OutlineItem:
    # A tool's item points at the tool, not at a resource: what it shows is told by its address.
    reference = told.reference if told.url else written.reference
    return OutlineItem(told.identifier, written.title or told.title, reference, told.url, told.unpublished)
