"""What a certificate says, and whether it can be printed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from certificates.rendering.fonts import covered_characters
from smartcourse.errors import RuleViolated

# Marks that change nothing of how a line on its own looks: embeddings, overrides and isolates (UAX #9), soft hyphens,
# zero-width spaces, word joiners, byte order marks and variation selectors. An override could make a name read as
# another.
_DROPPED = re.compile("[\u00ad\u061c\u200b\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\ufeff]")
# Letters join, or do not, by these, and neutral characters take their side: they are kept, and never drawn.
_INVISIBLE = frozenset("\u200c\u200d\u200e\u200f")
# FiraGO lost an anchor of this Thai letter (github.com/bBoxType/FiraGO/issues/30): marks above it are set beside it, as
# are tones on a second one with a vowel below.
_MISPLACED = re.compile(
    "\u0e0d[\u0e38-\u0e3a]?[\u0e31\u0e33-\u0e37\u0e47-\u0e4e]|\u0e2c[\u0e38\u0e39][\u0e48-\u0e4c]"
)


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
    """A text has nothing to print, or holds what no font at hand prints right."""

    code = "unprintable_text"
    message = "The text has characters that cannot be printed on a certificate."

    @property
    def characters(self) -> tuple[str, ...]:
        """What cannot be printed, each once, in order; none, where the text shows nothing at all."""
        return tuple(self.extra["characters"])


def assert_printable(text: str) -> None:
    """Checks that the text shows something, and that every character of it can be drawn.

    Raises:
        UnprintableText: for control characters, for any character that the fonts have no glyph for, for letters whose
            marks they misplace, and for a text without anything to see.
    """
    form = printable_form(text)
    if not form.strip("".join(_INVISIBLE) + " "):
        raise UnprintableText("There is nothing to print on the certificate.", characters=[])
    covered = covered_characters()
    missing = [c for c in form if c not in covered and c not in _INVISIBLE] + _MISPLACED.findall(form)
    if missing:
        characters = list(dict.fromkeys(missing))
        named = ", ".join(map(_named, characters))
        raise UnprintableText(f"The certificate cannot be printed with: {named}.", characters=characters)


def _named(characters: str) -> str:
    """The characters, where they can be seen, and their numbers."""
    numbers = " ".join(f"U+{ord(c):04X}" for c in characters)
    return f"{characters} ({numbers})" if characters.isprintable() else numbers


def printable_form(text: str) -> str:
    """The text as it is set: composed (NFC, UAX #15), every space plain and single, without formatting marks."""
    composed = unicodedata.normalize("NFC", _DROPPED.sub("", text))
    plain = "".join(" " if unicodedata.category(c) == "Zs" else c for c in composed)
    return re.sub(" +", " ", plain).strip(" ")
