from __future__ import annotations

import io
import re
from datetime import date
from operator import itemgetter
from pathlib import Path

import pytest
import uharfbuzz
from fontTools.ttLib import TTFont
from pypdf import PdfReader
from pypdf.generic import ContentStream

from certificates.rendering import (
    CertificateWords,
    UnprintableText,
    assert_printable,
    render_certificate,
)
from certificates.rendering.fitting import Box, fit
from certificates.rendering.fonts import Face, font_data, load_faces
from certificates.rendering.shaping import ShapedPDF
from certificates.rendering.words import printable_form

CODE = "7K3M9QX2R5TB8VNHY4WZ6CDFGJ"
URL = f"https://learn.example.org/certificates/{CODE}"


def certificate(name="Ada Lovelace", title="Analytical engines", *, issuer="SmartCourse"):
    return CertificateWords(
        recipient_name=name,
        course_title=title,
        issued_on=date(2026, 3, 5),
        code=CODE,
        verify_url=URL,
        issuer_name=issuer,
    )


def read(words):
    return PdfReader(io.BytesIO(render_certificate(words)))


def text_of(words):
    return read(words).pages[0].extract_text()


def shaped_glyphs(text):
    """Glyph ids in the order they stand on paper, left to right."""
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    uharfbuzz.shape(uharfbuzz.Font(uharfbuzz.Face(font_data(Face.BOLD))), buffer)
    return [info.codepoint for info in buffer.glyph_infos]


def outline(face, glyph):
    """The points of a glyph, those of its parts included."""
    coordinates, contours, _ = face["glyf"][glyph].getCoordinates(face["glyf"])
    return tuple(coordinates), tuple(contours)


def drawn_letters(words, *, top, bottom):
    """What stands in a band of the page (millimetres), letter by letter from left to right."""
    page = read(words).pages[0]
    letters, font, x, y = [], "", 0.0, 0.0
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"Tf":
            font = str(operands[0])
        elif operator in (b"Td", b"Tm"):
            x, y = float(operands[-2]), float(operands[-1])
        elif operator == b"Tj" and top < 210 - y * 25.4 / 72 < bottom:
            to_unicode = unicode_of_glyphs(page["/Resources"]["/Font"][font].get_object())
            data = operands[0].original_bytes
            glyphs = [int.from_bytes(data[i : i + 2]) for i in range(0, len(data), 2)]
            letters += [(x, to_unicode[glyph]) for glyph in glyphs]
    return "".join(letter for _, letter in sorted(letters, key=itemgetter(0)))


def unicode_of_glyphs(font):
    """The font's ToUnicode map."""
    pairs = re.findall(rb"^<(\w+)> <(\w+)>$", font["/ToUnicode"].get_object().get_data(), re.MULTILINE)
    return {int(glyph, 16): bytes.fromhex(code.decode()).decode("utf-16-be") for glyph, code in pairs}


@pytest.fixture
def pdf(tmp_path: Path):
    document = ShapedPDF()
    load_faces(document, tmp_path)
    document.add_page()
    document.set_text_shaping()
    yield document
    for font in document.fonts.values():
        font.ttfont.close()


class TestRenderCertificate:
    def test_makes_one_landscape_a4_page(self):
        pages = read(certificate()).pages

        assert len(pages) == 1
        assert [round(float(side)) for side in pages[0].mediabox[2:]] == [842, 595]

    @pytest.mark.parametrize(
        ("name", "title"),
        [
            ("Wawrzyńczak-Żółć", "Zażółć gęślą jaźń"),
            ("Nguyễn Thị Ánh Tuyết", "Lập trình Python"),
            ("Ελένη Παπαδοπούλου", "Введение в анализ данных"),
            ("Ñandú O’Connor", "Straße, Œuvre & Łódź — Київ"),
        ],
    )
    def test_holds_name_and_title_as_text(self, name, title):
        text = text_of(certificate(name, title))

        assert name in text
        assert title in text

    def test_holds_the_code_unbroken_and_the_date_in_words(self):
        text = text_of(certificate())

        assert CODE in text.split()
        assert "5 March 2026" in text

    def test_composes_decomposed_names(self):
        assert "Żółć" in text_of(certificate("Z\u0307o\u0301łc\u0301"))

    def test_describes_itself_in_its_metadata(self):
        metadata = read(certificate("محمد عبد الله", "Βιολογία", issuer="Академия")).metadata

        assert metadata.title == "Certificate: Βιολογία"
        assert metadata.author == "Академия"
        assert "محمد عبد الله" in metadata.subject
        assert metadata["/Keywords"] == CODE

    def test_links_the_qr_code_to_the_page_that_verifies_it(self):
        annotations = read(certificate()).pages[0]["/Annots"]

        assert [note.get_object()["/A"]["/URI"] for note in annotations] == [URL]

    def test_gives_the_same_bytes_for_the_same_words(self):
        assert render_certificate(certificate("محمد")) == render_certificate(certificate("محمد"))

    @pytest.mark.parametrize("letter", ["W", "м", "ﷲ", "ế", "क्षा"])
    def test_fits_the_longest_name_and_title_on_the_page(self, letter):
        longest = (letter * 255)[:255]

        assert len(read(certificate(longest, longest)).pages) == 1

    def test_prints_what_the_library_takes_for_its_page_count(self):
        assert "Templates with {nb}" in text_of(certificate(title="Templates with {nb}"))

    @pytest.mark.parametrize("field", ["name", "title", "issuer"])
    def test_refuses_words_that_no_font_has(self, field):
        with pytest.raises(UnprintableText):
            render_certificate(certificate(**{field: "Ada 🎓"}))


class TestArabic:
    def embedded_glyphs(self, name):
        """The glyphs of the bold face that the page embeds, as outlines: their numbers change in a subset."""
        fonts = read(certificate(name)).pages[0]["/Resources"]["/Font"].values()
        glyphs = set()
        for font in fonts:
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            if "Bold" in descriptor["/FontName"]:
                face = TTFont(io.BytesIO(descriptor["/FontFile2"].get_object().get_data()))
                glyphs |= {outline(face, glyph) for glyph in face.getGlyphOrder()}
        return glyphs

    def outlines(self, glyph_ids):
        face = TTFont(io.BytesIO(font_data(Face.BOLD)))
        return [outline(face, face.getGlyphName(glyph)) for glyph in glyph_ids]

    def test_embeds_joined_forms_and_not_isolated_ones(self):
        name = "محمد"
        joined = self.outlines(shaped_glyphs(name))
        isolated = [outline for letter in name for outline in self.outlines(shaped_glyphs(letter))]

        embedded = self.embedded_glyphs(name)

        assert set(joined).isdisjoint(isolated)
        assert embedded.issuperset(joined)
        assert embedded.isdisjoint(isolated)

    @pytest.mark.parametrize(
        "name",
        [
            "\u0645\u064f\u062d\u064e\u0645\u064e\u0651\u062f",  # Muhammad with its vowels
            "\u0628\u064a\u0640\u200d",  # a joiner asks for the form that goes on
        ],
    )
    def test_joins_letters_across_vowels_and_joiners(self, name):
        assert self.embedded_glyphs(name).issuperset(self.outlines(shaped_glyphs(name)))

    def test_keeps_an_accent_with_its_letter(self, pdf):
        pdf.set_font(Face.BOLD, size=36)

        # One text, one run: HarfBuzz sets the accent by the letter only where it sees both.
        assert [run.string for run in pdf._preload_bidirectional_text("M\u0304ade", markdown=False)] == [
            "M\u0304ade"
        ]

    @pytest.mark.parametrize(
        ("name", "from_left_to_right"),
        [
            ("محمد", "دمحم"),
            ("محمد Ada", "Ada دمحم"),
            ("Ada محمد", "Ada دمحم"),
            ("محمد 123 (علي)", ")يلع( 123 دمحم"),
            ("محمد שלום", "םולש دمحم"),
        ],
    )
    def test_runs_from_right_to_left(self, name, from_left_to_right):
        drawn = drawn_letters(certificate(name), top=79, bottom=105)

        # A bracket is turned round by its glyph, which stands for the bracket that was typed.
        assert drawn in {from_left_to_right, from_left_to_right.translate(str.maketrans("()", ")("))}


class TestAssertPrintable:
    @pytest.mark.parametrize(
        "text",
        [
            "Wawrzyńczak-Żółć",
            "Ελένη Ἀθῆναι",
            "Йәңғү Їжак",
            "محمد ١٢٣ پچگ",
            "Nguyễn Thị Ánh Tuyết",
            "שלום",
            "สมชาย",
            "เพ็ญ บุญ ผู้ ญาณี ที่",
            "რუსთაველი",
            "अमित शर्मा",
            "a\u00a0b\u202fc",
        ],
    )
    def test_accepts_the_scripts_it_promises(self, text):
        assert_printable(text)

    def test_accepts_joiners_and_direction_marks(self):
        assert_printable("می\u200cخواهم \u2067محمد\u2069 \u200fAda")

    @pytest.mark.parametrize(
        "text",
        ["Ada 🎓", "王小明", "Հայկ", "a\tb", "a\nb", "a\rb", "a\x00", "\ud800", "\ue000", "\uf89e", "\u2028"],
    )
    def test_refuses_what_would_print_as_a_box_or_nothing(self, text):
        with pytest.raises(UnprintableText):
            assert_printable(text)

    @pytest.mark.parametrize("text", ["", "  ", "\u202e", "\u200b\u200d", "\u200f \u200f"])
    def test_refuses_a_text_of_nothing_to_see(self, text):
        with pytest.raises(UnprintableText):
            assert_printable(text)

    @pytest.mark.parametrize("text", ["หญิง", "กัญญ์", "ใหญ่", "เพ็ญนี้ ญี่ปุ่น", "ญุ่"])
    def test_refuses_marks_that_the_font_sets_beside_their_letter(self, text):
        with pytest.raises(UnprintableText) as caught:
            assert_printable(text)

        assert all(sequence.startswith("ญ") for sequence in caught.value.characters)

    def test_names_each_missing_character_once_in_order(self):
        with pytest.raises(UnprintableText) as caught:
            assert_printable("王🎓 Ada 王")

        assert caught.value.code == "unprintable_text"
        assert caught.value.extra == {"characters": ["王", "🎓"]}
        assert caught.value.characters == ("王", "🎓")

    def test_drops_an_override_that_would_turn_a_name_round(self):
        assert printable_form("Ada \u202eecalevoL\u202c") == "Ada ecalevoL"


class TestFit:
    BOX = Box(top=0, width=200, height=30, size=36)

    def test_leaves_a_short_text_at_full_size_on_one_line(self, pdf):
        setting = fit(pdf, "Ada Lovelace", Face.BOLD, self.BOX)

        assert (setting.lines, setting.size) == (("Ada Lovelace",), 36)

    @pytest.mark.parametrize(
        "text", ["W" * 255, "long words in a row " * 12 + "end", "محمد " * 50 + "محمد", "i" * 255]
    )
    def test_keeps_every_letter_within_the_box(self, pdf, text):
        setting = fit(pdf, text, Face.BOLD, self.BOX)
        pdf.set_font(Face.BOLD, size=setting.size)

        assert "".join(setting.lines).replace(" ", "") == text.replace(" ", "")
        assert setting.height <= self.BOX.height
        assert all(pdf.get_string_width(line) <= self.BOX.width for line in setting.lines)

    def test_shares_words_evenly_between_lines(self, pdf):
        first, second = fit(pdf, "one two three four five six seven eight nine", Face.BOLD, self.BOX).lines

        assert abs(len(first) - len(second)) < 10

    def test_never_parts_a_letter_from_its_marks(self, pdf):
        lines = fit(pdf, "x\u0323" * 120, Face.BOLD, Box(top=0, width=60, height=20, size=20)).lines

        assert len(lines) > 1
        assert all(line.startswith("x") for line in lines)
