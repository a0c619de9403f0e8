"""Sets a certificate as a PDF: from words to bytes, without database or files of its own."""

from certificates.rendering.page import render_certificate
from certificates.rendering.words import CertificateWords, UnprintableText, assert_printable

__all__ = ["CertificateWords", "UnprintableText", "assert_printable", "render_certificate"]
