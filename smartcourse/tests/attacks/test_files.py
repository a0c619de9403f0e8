"""Files that pass for what they say they are, and are something else too: no browser runs them from here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from courses.services import material_link
from smartcourse.testing.fixtures import ClientOf
from smartcourse.tests.world import build_world

pytestmark = pytest.mark.django_db
PAGE = b"<!DOCTYPE html><html><script>document.title='taken'</script></html>"
# All of them begin as their kind does, or are text, of which a page is one.
POLYGLOTS = {
    "page.txt": ("text/plain", PAGE),
    "page.csv": ("text/csv", PAGE),
    "picture.txt": ("text/plain", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    "paper.pdf": ("application/pdf", b"%PDF-1.7\n" + PAGE),
    "archive.zip": ("application/zip", b"PK\x03\x04" + PAGE),
    "film.mp4": ("video/mp4", b"\x00\x00\x00\x20ftypisom" + PAGE),
    "sound.mp3": ("audio/mpeg", b"ID3" + PAGE),
}


class TestPolyglot:
    @pytest.mark.parametrize("name", POLYGLOTS)
    def test_is_handed_out_as_a_file_to_keep_and_as_nothing_to_open(
        self, name: str, client_of: ClientOf
    ) -> None:
        world = build_world()
        kind, content = POLYGLOTS[name]
        upload = SimpleUploadedFile(name, content, kind)
        made = client_of(world.role("IO")).post(
            world.path("courses/{course}/materials"), {"file": upload}, format="multipart"
        )
        assert made.status_code == 201
        link: Any = urlsplit(material_link(material_id=made.json()["id"]))
        answer = client_of(None).get(f"{link.path}?{link.query}")
        assert b"".join(answer.streaming_content) == content
        assert answer["Content-Type"].split(";")[0] == kind
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "script-src" in answer["Content-Security-Policy"]
        assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
