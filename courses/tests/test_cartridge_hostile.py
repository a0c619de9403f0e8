"""Cartridges made to harm, and honest ones that careless tools have made."""

from __future__ import annotations

import random
import warnings
import zipfile
from pathlib import Path

import pytest

from courses.cartridge import Cartridge, CartridgeInvalid, read_cartridge
from courses.cartridge import archive as archive_module
from courses.cartridge import reading as reading_module
from courses.tests.test_cartridge import CC11, MANIFEST, PARTS, lesson, rows, write_zip

INSTRUCTORS = """<metadata><lom xmlns="urn:l"><educational><intendedEndUserRole><source>IMSGLC_CC_Rolesv1p1</source>
 <value>{}</value></intendedEndUserRole></educational></lom></metadata>"""


@pytest.fixture
def write(tmp_path):
    return lambda parts: write_zip(tmp_path / "course.imscc", parts)


def manifest(items: str, resources: str) -> str:
    return f"""<manifest xmlns="{CC11}"><organizations><organization><item><item identifier="M"><title>One</title>
      {items}</item></item></organization></organizations><resources>{resources}</resources></manifest>"""


def webcontent(identifier: str, href: str, inner: str = "") -> str:
    return f"""<resource identifier="{identifier}" type="webcontent" href="{href}">{inner}<file href="{href}"/>
      </resource>"""


def item(identifier: str, reference: str) -> str:
    return f'<item identifier="{identifier}" identifierref="{reference}"><title>{identifier}</title></item>'


def everything(cartridge: Cartridge) -> None:
    for entry in cartridge.files:
        with cartridge.open_file(entry) as stream:
            stream.read()


class TestADamagedArchive:
    def test_is_refused_and_never_an_error_of_ours(self, write):
        path = write(PARTS)
        whole, chance = path.read_bytes(), random.Random(7)
        refused = 0
        for number in range(250):
            data = bytearray(whole)
            if number % 3 == 0:
                del data[chance.randrange(len(data)) :]
            for _ in range(number % 3 * 4):
                data[chance.randrange(len(data))] = chance.randrange(256)
            path.write_bytes(data)
            try:
                everything(read_cartridge(path))
            except CartridgeInvalid:
                refused += 1
        assert refused > 100

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_is_refused_when_compressed_by_another_method(self, tmp_path, method):
        path = tmp_path / "course.imscc"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("imsmanifest.xml", "<manifest/>")
        with pytest.raises(CartridgeInvalid, match="method"):
            read_cartridge(path)

    def test_does_not_hide_what_goes_wrong_for_its_caller(self, write):
        cartridge = read_cartridge(write(PARTS))
        with pytest.raises(OSError, match="full"), cartridge.open_file(cartridge.files[0]):
            raise OSError("the disk is full")


class TestAmbiguousArchives:
    def test_are_refused_when_a_name_is_there_twice(self, write):
        path = write(PARTS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr("paper.pdf", "another")
        with pytest.raises(CartridgeInvalid, match="two entries"):
            read_cartridge(path)

    def test_are_refused_when_entries_share_their_bytes(self, write):
        path = write({"imsmanifest.xml": "<manifest/>", "a.txt": "a", "b.txt": "b"})
        data = bytearray(path.read_bytes())
        # The offset of the last entry's local header (APPNOTE 4.4.16) is made that of the first.
        last = data.rindex(b"PK\x01\x02")
        data[last + 42 : last + 46] = bytes(4)
        path.write_bytes(data)
        with pytest.raises(CartridgeInvalid, match="overlap"):
            read_cartridge(path)


class TestEnormousCartridges:
    def test_are_refused_for_a_hundred_thousand_items(self, write):
        outline = "".join(item(f"i{number}", "page") for number in range(100_000))
        parts = {"imsmanifest.xml": manifest(outline, webcontent("page", "p.html")), "p.html": "<p>x</p>"}
        with pytest.raises(CartridgeInvalid, match="10,000 items"):
            read_cartridge(write(parts))

    def test_are_refused_for_too_many_resources(self, write, monkeypatch):
        monkeypatch.setattr("courses.cartridge.manifest.MAX_ENTRIES", 3)
        with pytest.raises(CartridgeInvalid, match="resources"):
            read_cartridge(write(PARTS))

    def test_are_refused_for_pages_too_large_together(self, write, monkeypatch):
        monkeypatch.setattr(archive_module, "MAX_TEXT_BYTES", len(MANIFEST) + 200)
        with pytest.raises(CartridgeInvalid, match="50 MB together"):
            read_cartridge(write(PARTS))

    def test_are_refused_for_one_page_in_many_lessons(self, write, monkeypatch):
        monkeypatch.setattr(reading_module, "MAX_TEXT_BYTES", 50_000)
        outline = "".join(item(f"i{number}", "page") for number in range(100))
        page = "<p>word</p>" * 100
        parts = {"imsmanifest.xml": manifest(outline, webcontent("page", "p.html")), "p.html": page}
        with pytest.raises(CartridgeInvalid, match="lessons"):
            read_cartridge(write(parts))

    def test_give_every_item_a_lesson_up_to_the_limit(self, write):
        outline = '<item identifierref="page"/>' * 9_000
        parts = {"imsmanifest.xml": manifest(outline, webcontent("page", "p.html")), "p.html": "<p>x</p>"}
        (module,) = read_cartridge(write(parts)).modules
        assert len({each.key for each in module.lessons}) == 9_000


class TestWhatIsForInstructors:
    @pytest.fixture
    def cartridge(self, write):
        hidden, shared = INSTRUCTORS.format("Instructor"), INSTRUCTORS.format("Learner")
        resources = webcontent("key", "key.pdf", hidden) + webcontent("notes", "notes.html", hidden)
        resources += webcontent("open", "open.pdf", shared) + webcontent("page", "page.html")
        outline = item("i1", "key") + item("i2", "page")
        parts = {"imsmanifest.xml": manifest(outline, resources), "notes.html": "<p>The answers</p>"}
        parts |= {"key.pdf": "k", "open.pdf": "o", "page.html": '<p><a href="key.pdf">the key</a></p>'}
        return read_cartridge(write({**parts, "non_cc_assessments/q.xml.qti": "<answers/>"}))

    def test_reaches_no_learner(self, cartridge):
        assert [each.name for each in cartridge.files] == ["open.pdf"]
        assert [each.title for module in cartridge.modules for each in module.lessons] == ["i2"]
        assert lesson(cartridge, "i2").content == "<p>the key</p>"

    def test_is_told_of(self, cartridge):
        for source in ("key", "notes.html"):
            ((_, outcome, detail),) = rows(cartridge, source)
            assert (outcome, detail) == ("skipped", "it is for instructors only in the source")
        assert rows(cartridge, "non_cc_assessments/q.xml.qti")[0][:2] == ("quiz", "skipped")


class TestCarelessTools:
    @pytest.mark.parametrize("written", ["é".encode(), b"\xe9", b"\x82"], ids=["utf-8", "latin-1", "cp437"])
    def test_name_files_in_other_encodings_without_saying_so(self, write, written):
        resources = webcontent("r", "café.pdf")
        path: Path = write(
            {"imsmanifest.xml": manifest(item("i", "r"), resources), f"caf{'@' * len(written)}.pdf": "x"}
        )
        path.write_bytes(path.read_bytes().replace(b"caf" + b"@" * len(written), b"caf" + written))
        assert [each.name for each in read_cartridge(path).files] == ["café.pdf"]
        assert lesson(read_cartridge(path), "i").type == "file"

    def test_separate_folders_by_backslashes(self, write):
        parts = {
            "imsmanifest.xml": manifest(item("i", "r"), webcontent("r", "p/a.html")),
            "p\\a.html": "<p>x</p>",
        }
        assert lesson(read_cartridge(write(parts)), "i").content == "<p>x</p>"

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
    def test_write_pages_in_other_encodings(self, write, encoding):
        xml = manifest(item("i", "r"), webcontent("r", "a.html")).encode("utf-8-sig")
        cartridge = read_cartridge(
            write({"imsmanifest.xml": xml, "a.html": "<p>café\x00</p>".encode(encoding)})
        )
        assert lesson(cartridge, "i").content == "<p>café</p>"

    @pytest.mark.parametrize("points", ["nan", "inf", "-1", "1e300", "many"])
    def test_give_points_that_are_none(self, write, points):
        essay = f'<assignment><title>Essay</title><text>x</text><gradable points_possible="{points}"/></assignment>'
        resource = '<resource identifier="r" type="assignment_xmlv1p0"><file href="e.xml"/></resource>'
        cartridge = read_cartridge(
            write({"imsmanifest.xml": manifest(item("i", "r"), resource), "e.xml": essay})
        )
        assert lesson(cartridge, "i").points is None

    def test_leave_ampersands_as_they_are(self, write):
        page = '<p>R&D</p><a href="https://a.example/?x=1&section=2&amp;copy=3">x</a>'
        parts = {"imsmanifest.xml": manifest(item("i", "r"), webcontent("r", "a.html")), "a.html": page}
        html = lesson(read_cartridge(write(parts)), "i").content
        assert "<p>R&amp;D</p>" in html
        assert 'href="https://a.example/?x=1&amp;section=2&amp;copy=3"' in html


class TestLinksToItems:
    def test_lead_to_the_lesson_that_the_item_became(self, write):
        page = '<p><a href="$CANVAS_COURSE_REFERENCE$/modules/items/i2">next</a><a href="b.html">b</a></p>'
        outline = item("i1", "a") + item("i2", "b") + item("i3", "b")
        resources = webcontent("a", "a.html") + webcontent("b", "b.html")
        parts = {"imsmanifest.xml": manifest(outline, resources), "a.html": page, "b.html": "<p>b</p>"}
        cartridge = read_cartridge(write(parts))
        assert lesson(cartridge, "i1").content.count(f'href="lesson:{lesson(cartridge, "i2").key}"') == 2
