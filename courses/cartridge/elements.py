"""Finding things in XML by their local names: every version of Common Cartridge has namespaces of its own."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

# Far more than a course gives for one thing, and less than the column of points can hold.
MAX_POINTS = 30_000


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element | None, name: str) -> Iterator[Element]:
    """Its direct children of that name, in order."""
    return (child for child in (element if element is not None else ()) if local_name(child) == name)


def descend(element: Element | None, *names: str) -> Element | None:
    """The first element at the end of a path of names, if there is one."""
    for name in names:
        element = next(children(element, name), None)
    return element


def text_at(element: Element | None, *names: str) -> str:
    """The text at the end of a path of names, without blanks around it; empty if there is none."""
    found = descend(element, *names)
    return (found.text or "").strip() if found is not None else ""


def number_at(element: Element | None, *names: str) -> float | None:
    """The points at the end of a path of names, if they are a number that points can be."""
    return to_number(text_at(element, *names))


def to_number(text: str) -> float | None:
    """The text as points: a number from nought to 30,000, else nothing."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= MAX_POINTS else None
