"""Draws the certificate: one A4 sheet, landscape, with every measure in millimetres from its top left corner."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory

import segno
from fpdf import FPDF
from fpdf.bidi import auto_detect_base_direction
from fpdf.enums import TextDirection, WrapMode

from certificates.rendering.fitting import POINT, Box, fit
from certificates.rendering.fonts import Face, load_faces
from certificates.rendering.shaping import ShapedPDF, visual_runs
from certificates.rendering.words import CertificateWords, assert_printable, printable_form

_WIDTH, _HEIGHT = 297.0, 210.0
_MARGIN = 30.0
_MEASURE = _WIDTH - 2 * _MARGIN
_QR_SIZE = 27.0
_FOOT = 159.0

_INK = (33, 37, 41)
_QUIET = (98, 106, 114)
_ACCENT = (22, 74, 92)

_ISSUER = Box(top=26, width=_MEASURE, height=10, size=15)
_NAME = Box(top=79, width=_MEASURE, height=26, size=36)
_TITLE = Box(top=117, width=_MEASURE, height=31, size=24)
# Not from the locale, which a worker may change.
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def render_certificate(words: CertificateWords) -> bytes:
    """A PDF of one page that says `words`; the same words give the same bytes.

    Raises:
        UnprintableText: when a character has no glyph in the fonts at hand.
    """
    words = _checked(words)
    with TemporaryDirectory() as directory:
        pdf = ShapedPDF()
        load_faces(pdf, Path(directory))
        _describe(pdf, words)
        pdf.set_auto_page_break(auto=False)
        pdf.add_page()
        _draw_frame(pdf)
        _draw_statement(pdf, words)
        _draw_foot(pdf, words)
        return bytes(pdf.output())


def _checked(words: CertificateWords) -> CertificateWords:
    """The same words as they are set, all of them printable."""
    for text in (words.recipient_name, words.course_title, words.code, words.verify_url, words.issuer_name):
        assert_printable(text)
    return replace(
        words,
        recipient_name=printable_form(words.recipient_name),
        course_title=printable_form(words.course_title),
        issuer_name=printable_form(words.issuer_name),
    )


def written_date(day: date) -> str:
    """The date in words, which no country reads in another order: `5 March 2026`."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _describe(pdf: FPDF, words: CertificateWords) -> None:
    """Metadata; the date is that of issue, so that rendering again gives the same file."""
    pdf.set_lang("en")
    pdf.set_title(f"Certificate: {words.course_title}")
    pdf.set_author(words.issuer_name)
    pdf.set_subject(f"{words.recipient_name} has completed {words.course_title}")
    pdf.set_keywords(words.code)
    pdf.set_creator("SmartCourse")
    pdf.set_creation_date(datetime.combine(words.issued_on, time(), tzinfo=UTC))


def _draw_frame(pdf: FPDF) -> None:
    pdf.set_draw_color(*_ACCENT)
    for inset, width in ((10.0, 1.1), (12.4, 0.25)):
        pdf.set_line_width(width)
        pdf.rect(inset, inset, _WIDTH - 2 * inset, _HEIGHT - 2 * inset)
    pdf.set_line_width(0.5)
    pdf.line(_WIDTH / 2 - 14, 61, _WIDTH / 2 + 14, 61)


def _draw_statement(pdf: FPDF, words: CertificateWords) -> None:
    _draw_fitted(pdf, words.issuer_name, Face.BOLD, _ISSUER, _ACCENT)
    _draw_line(pdf, "Certificate of completion", 41, 30, _INK)
    _draw_line(pdf, "This is to certify that", 69, 12, _QUIET)
    _draw_fitted(pdf, words.recipient_name, Face.BOLD, _NAME, _INK)
    _draw_line(pdf, "has completed the course", 107, 12, _QUIET)
    _draw_fitted(pdf, words.course_title, Face.REGULAR, _TITLE, _ACCENT)


def _draw_line(pdf: FPDF, text: str, top: float, size: float, colour: tuple[int, int, int]) -> None:
    """Words of the form itself, centred on one line."""
    pdf.set_text_shaping(use_shaping_engine=False)
    pdf.set_font(Face.REGULAR, size=size)
    pdf.set_text_color(*colour)
    pdf.set_xy(_MARGIN, top)
    pdf.cell(_MEASURE, size * POINT * 1.3, text, align="C")


def _draw_fitted(pdf: FPDF, text: str, face: Face, box: Box, colour: tuple[int, int, int]) -> None:
    """Words of people, in any script and of any length, centred in the box both ways.

    The direction is that of the whole text (UAX #9, P2 and P3), so a line that begins with a foreign word keeps it.
    """
    base = auto_detect_base_direction(text)
    pdf.set_text_shaping(direction=base)
    setting = fit(pdf, text, face, box)
    pdf.set_font(face, size=setting.size)
    pdf.set_text_color(*colour)
    top = box.top + (box.height - setting.height) / 2
    for index, line in enumerate(setting.lines):
        pdf.set_xy(_WIDTH / 2, top + index * setting.line_height)
        _draw_centred(pdf, visual_runs(line, base), setting.line_height)


def _draw_centred(pdf: FPDF, runs: list[tuple[str, TextDirection]], height: float) -> None:
    """Runs side by side, the middle of them where the pen is."""
    widths = []
    for text, direction in runs:
        pdf.set_text_shaping(direction=direction)
        widths.append(pdf.get_string_width(text))
    pdf.set_x(pdf.x - sum(widths) / 2)
    for (text, direction), width in zip(runs, widths, strict=True):
        pdf.set_text_shaping(direction=direction)
        pdf.cell(width, height, text)


def _draw_foot(pdf: FPDF, words: CertificateWords) -> None:
    """When it was issued, under which code, and where to ask whether that is true."""
    pdf.set_text_shaping(use_shaping_engine=False)  # codes and addresses stay one run of plain letters
    width = _MEASURE - _QR_SIZE - 8
    _draw_fact(pdf, _FOOT, "Issued on", written_date(words.issued_on), Face.REGULAR)
    _draw_fact(pdf, _FOOT + 12, "Certificate code", words.code, Face.REGULAR)
    pdf.set_font(Face.REGULAR, size=8.5)
    pdf.set_text_color(*_QUIET)
    pdf.set_xy(_MARGIN, _FOOT + 24)
    pdf.multi_cell(width, 3.8, f"Verify at {words.verify_url}", align="L", wrapmode=WrapMode.CHAR)
    _draw_qr_code(pdf, words.verify_url)


def _draw_fact(pdf: FPDF, top: float, label: str, value: str, face: Face) -> None:
    for offset, height, text, style, size, colour in (
        (0.0, 4.0, label, Face.REGULAR, 8.5, _QUIET),
        (4.0, 6.0, value, face, 12.0, _INK),
    ):
        pdf.set_font(style, size=size)
        pdf.set_text_color(*colour)
        pdf.set_xy(_MARGIN, top + offset)
        pdf.cell(_MEASURE - _QR_SIZE, height, text)


def _draw_qr_code(pdf: FPDF, url: str) -> None:
    """A QR code (ISO/IEC 18004) at level M, wide enough for a telephone held over paper."""
    png = io.BytesIO()
    segno.make_qr(url, error="m").save(png, kind="png", scale=8, border=0)
    png.seek(0)
    left = _WIDTH - _MARGIN - _QR_SIZE
    pdf.image(png, left, _FOOT, _QR_SIZE, _QR_SIZE, link=url, alt_text=f"QR code of {url}")
