"""`imsmanifest.xml`: what the cartridge says of itself, its outline and its resources.

Source: 1EdTech Common Cartridge 1.0 to 1.3, which profile IMS Content Packaging 1.1 and 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from courses.cartridge.archive import MAX_ENTRIES, CartridgeArchive, CartridgeInvalid
from courses.cartridge.elements import children, descend, local_name, text_at

MANIFEST = "imsmanifest.xml"


@dataclass(frozen=True)
class Resource:
    """One resource: `href` is its main file, `files` all of them, `variant` a richer form of the same thing."""

    identifier: str
    type: str
    href: str
    files: tuple[str, ...]
    dependencies: tuple[str, ...] = ()
    intended_use: str = ""
    variant: str = ""
    for_instructors: bool = False


@dataclass(frozen=True)
class OutlineItem:
    """One line of the outline; without a `reference` it is only a heading."""

    identifier: str
    title: str
    reference: str = ""
    url: str = ""
    unpublished: bool = False


@dataclass
class OutlineModule:
    """A module of the outline with its items, nested ones already in a row."""

    identifier: str
    title: str
    items: list[OutlineItem] = field(default_factory=list)


@dataclass(frozen=True)
class Manifest:
    """The manifest, read."""

    title: str
    description: str
    language: str
    modules: list[OutlineModule]
    resources: dict[str, Resource]


def read_manifest(archive: CartridgeArchive) -> Manifest:
    """The archive's manifest.

    Raises:
        CartridgeInvalid: there is none, or it is not what it should be.
    """
    if MANIFEST not in archive:
        raise CartridgeInvalid("The archive has no imsmanifest.xml, so it is not a Common Cartridge.")
    root = archive.read_xml(MANIFEST)
    if local_name(root) != "manifest":
        raise CartridgeInvalid("The archive's imsmanifest.xml is not a manifest.")
    general = descend(root, "metadata", "lom", "general")
    organization = descend(root, "organizations", "organization")
    title = _language_string(general, "title") or text_at(organization, "title")
    return Manifest(
        title=title,
        description=_language_string(general, "description"),
        language=text_at(general, "language"),
        modules=_read_modules(organization, title),
        resources=_read_resources(root, archive),
    )


def _language_string(general: Element | None, name: str) -> str:
    # CC 1.0 writes <langstring> where later versions write <string>.
    return text_at(general, name, "string") or text_at(general, name, "langstring")


def _read_modules(organization: Element | None, course_title: str) -> list[OutlineModule]:
    top = list(children(organization, "item"))
    if len(top) == 1 and _is_root(top[0]):
        top = list(children(top[0], "item"))
    modules: list[OutlineModule] = []
    loose: OutlineModule | None = None
    for item in top:
        if item.get("identifierref") and descend(item, "item") is None:
            # Items beside the modules, one after the other, make a module under the course's own name.
            if loose is None:
                loose = OutlineModule("", course_title)
                modules.append(loose)
            loose.items.append(_read_item(item))
            continue
        loose = None
        module = OutlineModule(item.get("identifier", ""), text_at(item, "title"))
        # `iter` walks in document order, so that nested items are flattened as a reader meets them.
        nested = [_read_item(each) for each in item.iter() if local_name(each) == "item"]
        module.items = nested if item.get("identifierref") else nested[1:]
        modules.append(module)
    return modules


def _is_root(item: Element) -> bool:
    """Whether the only item at the top is the unnamed root that the specification asks for, not a module."""
    inner = list(children(item, "item"))
    if item.get("identifierref") or not inner:
        return False
    return not text_at(item, "title") or any(descend(each, "item") is not None for each in inner)


def _read_item(item: Element) -> OutlineItem:
    return OutlineItem(
        identifier=item.get("identifier", ""),
        title=text_at(item, "title"),
        reference=item.get("identifierref", ""),
    )


def _read_resources(root: Element, archive: CartridgeArchive) -> dict[str, Resource]:
    resources: dict[str, Resource] = {}
    for number, element in enumerate(children(descend(root, "resources"), "resource")):
        if number >= MAX_ENTRIES:
            raise CartridgeInvalid(f"The manifest lists more than {MAX_ENTRIES:,} resources.")
        resource = _read_resource(element, number, archive)
        # An identifier used twice is an error of the exporting tool, and no reason to lose the second.
        identifier = resource.identifier
        name = identifier if identifier not in resources else f"{identifier}-resource-{number}"
        resources[name] = replace(resource, identifier=name)
    return resources


def _read_resource(element: Element, number: int, archive: CartridgeArchive) -> Resource:
    files = [_entry_name(file.get("href", ""), archive) for file in children(element, "file")]
    href = _entry_name(element.get("href", ""), archive)
    variant = descend(element, "variant")
    return Resource(
        identifier=element.get("identifier") or f"resource-{number}",
        type=element.get("type", "").lower(),
        href=href or next(iter(files), ""),
        files=tuple(dict.fromkeys(path for path in [href, *files] if path)),
        dependencies=tuple(each.get("identifierref", "") for each in children(element, "dependency")),
        intended_use=element.get("intendeduse", "").lower(),
        variant=variant.get("identifierref", "") if variant is not None else "",
        for_instructors=_is_for_instructors(element),
    )


def _is_for_instructors(element: Element) -> bool:
    """Whether roles are named and a learner's is not: answer sheets, and files that Canvas had locked."""
    educational = descend(element, "metadata", "lom", "educational")
    values = (descend(role, "value") for role in children(educational, "intendedEndUserRole"))
    roles = {"".join(value.itertext()).strip().lower() for value in values if value is not None}
    return bool(roles) and not roles & {"learner", "student"}


def _entry_name(href: str, archive: CartridgeArchive) -> str:
    """The name in the archive that an href means: some tools percent-encode it, Canvas does not."""
    written = href.strip().removeprefix("./")
    decoded = unquote(written)
    return decoded if written not in archive and decoded in archive else written
