"""Sets a certificate as a PDF: from words to bytes, without database or files of its own.

What reads fonts and writes PDFs is imported by the first certificate of a process: it takes a second, and most
processes never print one.
"""

from certificates.rendering.words import CertificateWords, UnprintableText, assert_printable

__all__ = ["CertificateWords", "UnprintableText", "assert_printable", "render_certificate"]


def render_certificate(words: CertificateWords) -> bytes:
    """Return the certificate as a PDF of one page; see `certificates.rendering.page`.

    Raises:
        UnprintableText: no font at hand can print the name or the title.
    """
    from certificates.rendering import page

    return page.render_certificate(words)
