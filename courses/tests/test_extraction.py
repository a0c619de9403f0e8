from __future__ import annotations

import io

import pytest
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from courses.extraction import (
    TextUnreadable,
    split_into_chunks,
    text_of_html,
    text_of_material,
    text_of_pdf,
)


def pdf(*pages: str) -> io.BytesIO:
    document = FPDF()
    document.set_font("helvetica", size=12)
    for page in pages:
        document.add_page()
        document.cell(text=page)
    return io.BytesIO(bytes(document.output()))


def locked_pdf(password: str) -> io.BytesIO:
    writer = PdfWriter(clone_from=PdfReader(pdf("Secret")))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    stream.seek(0)
    return stream


class TestTextOfHtml:
    def test_sets_blocks_apart_and_keeps_inline_words_together(self):
        html = "<head><title>t</title></head><h1>One</h1><p>A <b>bo</b>ld\n  word</p><script>x()</script>"
        html += "<li>b &amp; c</li>"
        assert text_of_html(html) == "One\n\nA bold word\n\nb & c"

    def test_reads_images_and_table_cells(self):
        html = '<table><tr><td>a</td><td>b</td></tr></table><img alt="A cat">'
        assert text_of_html(html) == "a b\n\nA cat"


class TestTextOfPdf:
    def test_joins_the_pages(self):
        assert text_of_pdf(pdf("First page", "Second page")) == "First page\n\nSecond page"

    def test_opens_what_is_encrypted_without_a_password(self):
        assert text_of_pdf(locked_pdf("")) == "Secret"

    def test_refuses_a_locked_file(self):
        with pytest.raises(TextUnreadable, match="password"):
            text_of_pdf(locked_pdf("pw"))

    @pytest.mark.parametrize("data", [b"", b"not a pdf", pdf("x").getvalue()[:200]])
    def test_refuses_a_broken_file(self, data):
        with pytest.raises(TextUnreadable):
            text_of_pdf(io.BytesIO(data))


class TestTextOfMaterial:
    def test_knows_the_types_that_hold_text(self):
        assert text_of_material("application/pdf", pdf("Page")) == "Page"
        assert text_of_material("text/html; charset=utf-8", io.BytesIO(b"<p>a</p>")) == "a"
        assert text_of_material("text/markdown", io.BytesIO(b"# a\n\n*b*")) == "a\n\nb"
        assert text_of_material("text/plain", io.BytesIO("caf\u00e9\x00".encode("cp1252"))) == "caf\u00e9"

    def test_finds_none_in_a_picture(self):
        assert text_of_material("image/png", io.BytesIO(b"\x89PNG")) == ""


class TestSplitIntoChunks:
    def test_cuts_between_paragraphs_before_sentences(self):
        text = "One. Two.\n\nThree is here. Four is here."
        assert split_into_chunks(text, 15) == ["One. Two.", "Three is here.", "Four is here."]

    def test_joins_small_paragraphs(self):
        assert split_into_chunks("a\n\nb\n\nc", 100) == ["a\n\nb\n\nc"]

    def test_finds_no_chunk_in_no_text(self):
        assert split_into_chunks(" \n\n ") == []

    @given(st.text(alphabet="ab.!? \n\u3002\u00e9)", max_size=300), st.integers(min_value=1, max_value=40))
    def test_loses_nothing_and_stays_within_the_size(self, text, size):
        chunks = split_into_chunks(text, size)
        assert "".join("".join(chunks).split()) == "".join(text.split())
        assert all(0 < len(chunk) <= size for chunk in chunks)
