"""Sets a text of any length into a box: as large as it may be, on as few lines as that takes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import accumulate, pairwise

from fpdf import FPDF

from certificates.rendering.fonts import Face

POINT = 25.4 / 72  # millimetres
LINE_HEIGHT = 1.3  # of the size: Arabic and Vietnamese stack marks above and below their letters
_MEASURED_SIZE = 100.0
_BREAKABLE_SIZE = 14.0  # words too long for a line are broken from this size down; above it, the text shrinks
_SMALLEST_SIZE = 2.0


@dataclass(frozen=True)
class Box:
    """A place on the page, in millimetres, and the largest size, in points, of what is set there."""

    top: float
    width: float
    height: float
    size: float


@dataclass(frozen=True)
class Setting:
    """A text broken into lines, at a size in points."""

    lines: tuple[str, ...]
    size: float

    @property
    def line_height(self) -> float:
        """From one baseline to the next, in millimetres."""
        return self.size * POINT * LINE_HEIGHT

    @property
    def height(self) -> float:
        """Of all lines, in millimetres."""
        return len(self.lines) * self.line_height


@dataclass(frozen=True)
class _Word:
    """A piece that is never broken, its width in ems, and whether a space follows it."""

    text: str
    width: float
    spaced: bool


def fit(pdf: FPDF, text: str, face: Face, box: Box) -> Setting:
    """The text at the largest size at which it fits the box; lines are of like length, and none is left with a word.

    Text shaping must be on, so that widths are those of the letters as they join.
    """
    pdf.set_font(face, size=_MEASURED_SIZE)
    space = _ems(pdf, " ")
    words = [_Word(word, _ems(pdf, word), spaced=True) for word in text.split(" ")]
    pieces = [piece for word in words for piece in _broken(pdf, word)]
    size = box.size
    while True:
        ems = box.width / (size * POINT)
        units = pieces if size <= _BREAKABLE_SIZE and _widest(words) > ems else words
        setting = Setting(_wrapped(units, space, ems), size)
        if size <= _SMALLEST_SIZE or (_widest(units) <= ems and setting.height <= box.height):
            return Setting(_balanced(units, space, ems, len(setting.lines)), size)
        size = max(size - 0.5, _SMALLEST_SIZE)


def _ems(pdf: FPDF, text: str) -> float:
    return pdf.get_string_width(text) / (_MEASURED_SIZE * POINT)


def _widest(words: list[_Word]) -> float:
    return max(word.width for word in words)


def _broken(pdf: FPDF, word: _Word) -> list[_Word]:
    """A word's characters, each with the marks that sit on it."""
    starts = [
        i
        for i, c in enumerate(word.text)
        if i == 0 or unicodedata.category(c) not in {"Mn", "Mc", "Me", "Cf"}
    ]
    parts = [word.text[start:end] for start, end in pairwise([*starts, len(word.text)])]
    return [_Word(part, _ems(pdf, part), spaced=False) for part in parts[:-1]] + [
        _Word(part, _ems(pdf, part), spaced=True) for part in parts[-1:]
    ]


def _wrapped(words: list[_Word], space: float, ems: float) -> tuple[str, ...]:
    """Greedy lines no wider than `ems`, except where a single word is."""
    lines, line, width = [], "", 0.0
    for word in words:
        if line and width + word.width > ems:
            lines.append(line.rstrip(" "))
            line, width = "", 0.0
        line += word.text + " " * word.spaced
        width += word.width + space * word.spaced
    return (*lines, line.rstrip(" "))


def _balanced(words: list[_Word], space: float, ems: float, count: int) -> tuple[str, ...]:
    """As many lines as the widest setting takes, in the narrowest measure that still holds them."""
    measures = accumulate(range(30), lambda measure, _: measure * 0.97, initial=ems)
    settings = [_wrapped(words, space, measure) for measure in measures if measure >= _widest(words)]
    return next((lines for lines in reversed(settings) if len(lines) <= count), _wrapped(words, space, ems))
