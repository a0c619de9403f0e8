"""The typefaces certificates are set in, and the characters they have.

FiraGO covers Latin (with Vietnamese), Greek, Cyrillic, Arabic, Hebrew, Thai, Georgian and Devanagari in one face, so
scripts mix within a line without a change of font. It comes as data in a Python package.
"""

from __future__ import annotations

import io
import logging
import unicodedata
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

# It tells of every step of making a subset, a hundred lines a certificate.
logging.getLogger("fontTools").setLevel(logging.WARNING)

_LAYOUT_TABLES = frozenset({"GDEF", "GPOS", "GSUB"})


class Face(StrEnum):
    """One font file, by its name in `pymupdf_fonts`."""

    REGULAR = "figo"
    BOLD = "figbo"


def load_faces(pdf: FPDF, directory: Path) -> None:
    """Makes every face known to `pdf`; their files stay in `directory`, which must outlive the document.

    fpdf2 reads fonts from paths only, and they are 2 MB together: a directory per document costs less than 2 ms and
    leaves nothing that forked workers would share.
    """
    for face in Face:
        path = directory / f"{face}.ttf"
        path.write_bytes(font_data(face))
        pdf.add_font(face, fname=path)
        _forget_layout(pdf, face)


def _forget_layout(pdf: FPDF, face: Face) -> None:
    """Leaves the rules of shaping out of what is embedded: HarfBuzz reads them from the file, a PDF has glyphs only.

    fontTools would parse them all to make the subset, which takes longer than the rest of the certificate.
    """
    from fpdf.fonts import TTFFont

    font = pdf.fonts[face]
    if isinstance(font, TTFFont):
        for table in _LAYOUT_TABLES & set(font.ttfont.keys()):
            del font.ttfont[table]


def font_data(face: Face) -> bytes:
    """The face as a TrueType file."""
    import pymupdf_fonts

    data: bytes = pymupdf_fonts.myfont(face.value)
    return data


@cache
def covered_characters() -> frozenset[str]:
    """Every character that both faces have a glyph for, and that means the same to every reader.

    The faces also map a control character and one for private use.
    """
    from fontTools.ttLib import TTFont

    cmaps = [
        TTFont(io.BytesIO(font_data(face)), lazy=True).getBestCmap() for face in (Face.REGULAR, Face.BOLD)
    ]
    characters = map(chr, cmaps[0].keys() & cmaps[1].keys())
    return frozenset(c for c in characters if unicodedata.category(c) not in {"Cc", "Co"})
