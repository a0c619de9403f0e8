"""Runs of text as the Unicode standard has them, where fpdf2 has them otherwise.

Letters join, and marks find their letter, only within what HarfBuzz is given at once; and what it is given must stand
in the right order on the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from fpdf import FPDF
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection
from fpdf.line_break import Fragment
from fpdf.unicode_script import UnicodeScript, get_unicode_script

_SHARED_SCRIPTS = frozenset({UnicodeScript.COMMON, UnicodeScript.INHERITED, UnicodeScript.UNKNOWN})


class ShapedPDF(FPDF):
    """A document whose shared marks stay with the letters around them (UAX #24, 5.2), and that prints `{nb}`.

    fpdf2 begins a run at each character of the script "Inherited": vowels of Arabic, combining accents, joiners. The
    letters beside it are then shaped as if they stood alone. The method is private to fpdf2; the tests on joining and
    accents fail if it is ever called no more.
    """

    def __init__(self) -> None:
        super().__init__(orientation="landscape", unit="mm", format="A4")
        self.c_margin = 0  # cells stand side by side, and on the page's margin
        self.alias_nb_pages("")  # otherwise "{nb}" in a title turns into the number of pages

    def _parse_chars(self, text: str, markdown: bool, **emphasis: Any) -> Iterator[Fragment]:
        run: Fragment | None = None
        script: UnicodeScript | None = None
        for fragment in super()._parse_chars(text, markdown, **emphasis):
            own = _script_of(fragment)
            if run is not None and (script is None or own in {None, script}):
                run.characters += fragment.characters
                script = script or own
                continue
            if run is not None:
                yield run
            run, script = fragment, own
        if run is not None:
            yield run


def _script_of(fragment: Fragment) -> UnicodeScript | None:
    """The script of its letters; none, where all it has is shared between scripts."""
    scripts = map(get_unicode_script, fragment.characters)
    return next((script for script in scripts if script not in _SHARED_SCRIPTS), None)


def visual_runs(line: str, base: TextDirection) -> list[tuple[str, TextDirection]]:
    """The pieces of a line from left to right, each with its direction and its characters in the order of reading.

    UAX #9, L2: a number within Arabic has a level of its own, so that more than one turn can be needed.
    """
    paragraph = BidiParagraph(text=line, base_direction=base, preserve_bn_chars=True)
    levels = [character.embedding_level for character in paragraph.get_characters_with_embedding_level()]
    runs = [
        (level, "".join(character for _, character in pairs))
        for level, pairs in groupby(zip(levels, line, strict=True), key=lambda pair: pair[0])
    ]
    for lowest in range(max(levels), 0, -1):
        runs = _turned(runs, lowest)
    return [(text, TextDirection.RTL if level % 2 else TextDirection.LTR) for level, text in runs]


def _turned(runs: list[tuple[int, str]], lowest: int) -> list[tuple[int, str]]:
    """The runs, with every sequence of those at the level or above it reversed."""
    turned: list[tuple[int, str]] = []
    for above, sequence in groupby(runs, key=lambda run: run[0] >= lowest):
        turned += list(sequence)[:: -1 if above else 1]
    return turned
