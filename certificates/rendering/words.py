"""What a certificate says, and whether it can be printed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from certificates.rendering.fonts import covered_characters
from smartcourse.errors import RuleViolated

# Marks that change nothing of how a line on its own looks: embeddings, overrides and isolates (UAX #9), soft hyphens,
# word joiners, byte order marks and variation selectors. An override could make a name read as another.
_DROPPED = re.compile("[\u00ad\u061c\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\ufeff]")
# Letters join, or do not, by these, and neutral characters take their side: they are kept, and never drawn.
_INVISIBLE = frozenset("\u200c\u200d\u200e\u200f")


@dataclass(frozen=True)
class CertificateWords:
    """Everything a certificate says, in words already decided."""

    recipient_name: str
    course_title: str
    issued_on: date
    code: str
    verify_url: str
    issuer_name: str


class UnprintableText(RuleViolated):
    """A text holds characters that no font at hand has; `extra["characters"]` lists them, each once, in order."""

    code = "unprintable_text"
    message = "The text has characters that cannot be printed on a certificate."


def assert_printable(text: str) -> None:
    """Checks that every character of the text can be drawn.

    Raises:
        UnprintableText: for control characters, and for any character that the fonts have no glyph for.
    """
    covered = covered_characters()
    missing = [c for c in printable_form(text) if c not in covered and c not in _INVISIBLE]
    if missing:
        characters = list(dict.fromkeys(missing))
        named = ", ".join(
            f"{c} (U+{ord(c):04X})" if c.isprintable() else f"U+{ord(c):04X}" for c in characters
        )
        raise UnprintableText(f"The certificate cannot be printed with: {named}.", characters=characters)


def printable_form(text: str) -> str:
    """The text as it is set: composed (NFC, UAX #15), every space plain and single, without formatting marks."""
    composed = unicodedata.normalize("NFC", _DROPPED.sub("", text))
    plain = "".join(" " if unicodedata.category(c) == "Zs" else c for c in composed)
    return re.sub(" +", " ", plain).strip(" ")
