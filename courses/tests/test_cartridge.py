from __future__ import annotations

import stat
import zipfile

import pytest

from courses.cartridge import CartridgeInvalid, read_cartridge, replace_references
from courses.cartridge import archive as archive_module
from smartcourse.errors import Invalid
from smartcourse.testing.content import real_cartridge

CC11 = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
LOM = "http://ltsc.ieee.org/xsd/imsccv1p1/LOM/manifest"

MANIFEST = f"""<?xml version="1.0"?>
<manifest identifier="m" xmlns="{CC11}" xmlns:lom="{LOM}">
 <metadata><schema>IMS Common Cartridge</schema><schemaversion>1.1.0</schemaversion>
  <lom:lom><lom:general><lom:title><lom:string>Bees</lom:string></lom:title><lom:language>de</lom:language>
   <lom:description><lom:string>All about them</lom:string></lom:description></lom:general></lom:lom></metadata>
 <organizations><organization identifier="o" structure="rooted-hierarchy"><item identifier="root">
  <item identifier="A"><title>Hive</title>
   <item identifier="a1" identifierref="page"><title>Welcome</title></item>
   <item identifier="a2"><title>Deeper</title>
     <item identifier="a3" identifierref="wl"><title>A site</title></item>
     <item identifier="a4" identifierref="pdf"><title>A paper</title></item></item>
   <item identifier="a5" identifierref="quiz"><title>Test yourself</title></item>
   <item identifier="a6" identifierref="nowhere"><title>Lost</title></item>
   <item identifier="a7" identifierref="blank"><title>Blank</title></item>
   <item identifier="a8" identifierref="page"><title>Welcome again</title></item></item>
  <item identifier="B"><title>Work</title>
   <item identifier="b1" identifierref="essay"/><item identifier="b2" identifierref="talk"/></item>
  <item identifier="C"><title>Nothing here</title></item>
 </item></organization></organizations>
 <resources>
  <resource identifier="page" type="webcontent" href="pages/welcome.html">
    <file href="pages/welcome.html"/><file href="images/a%20bee.png"/></resource>
  <resource identifier="other" type="webcontent" href="pages/other.html"><file href="pages/other.html"/></resource>
  <resource identifier="blank" type="webcontent" href="pages/blank.html"><file href="pages/blank.html"/></resource>
  <resource identifier="pdf" type="webcontent" href="paper.pdf"><file href="paper.pdf"/></resource>
  <resource identifier="gone" type="webcontent" href="gone.pdf"><file href="gone.pdf"/></resource>
  <resource identifier="wl" type="imswl_xmlv1p1"><file href="wl.xml"/></resource>
  <resource identifier="talk" type="imsdt_xmlv1p1"><file href="talk.xml"/></resource>
  <resource identifier="broken" type="imsdt_xmlv1p1"><file href="broken.xml"/></resource>
  <resource identifier="essay" type="assignment_xmlv1p0"><file href="essay.xml"/></resource>
  <resource identifier="quiz" type="imsqti_xmlv1p2/imscc_xmlv1p1/assessment"><file href="quiz.xml"/></resource>
  <resource identifier="odd" type="imsfuture_xmlv9"><file href="wl.xml"/></resource>
 </resources>
</manifest>"""

WELCOME = """<html><head><title>Welcome</title><style>p{}</style></head><body><p onclick="x()">Hello</p>
<img src="../images/a%20bee.png" alt="A bee"><a href="other.html#part">next</a>
<a href="$IMS-CC-FILEBASE$/paper.pdf?x=1">paper</a> <a href="missing.html">nowhere</a>
<img src="missing.png" alt="the lost bee"><iframe src="https://v.example/1"></iframe>
<a href="material:quiz">forged</a><a href="https://bees.example">out</a></body></html>"""

PARTS = {
    "imsmanifest.xml": MANIFEST,
    "pages/welcome.html": WELCOME,
    "pages/other.html": "<title>Other &amp; more</title><p>Other</p>",
    "pages/blank.html": "<html><body> <p>&nbsp;</p></body></html>",
    "images/a bee.png": b"\x89PNG",
    "paper.pdf": b"%PDF-",
    "unlisted.txt": "Nobody lists me",
    "wl.xml": '<webLink xmlns="urn:x"><title>Site</title><url href="https://bees.example/?a=1&amp;b=2"/></webLink>',
    "talk.xml": '<dt:topic xmlns:dt="urn:y"><title>Talk</title><text texttype="text/plain">a &lt; b</text>'
    '<attachments><attachment href="paper.pdf"/></attachments></dt:topic>',
    "broken.xml": "<topic><title>",
    "essay.xml": '<assignment xmlns="urn:z"><title>Essay</title><text texttype="text/html">&lt;p&gt;Write&lt;/p&gt;'
    '</text><gradable points_possible="12.5">true</gradable></assignment>',
    "quiz.xml": "<questestinterop/>",
}


def write_zip(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def write(tmp_path):
    return lambda parts: write_zip(tmp_path / "course.imscc", parts)


@pytest.fixture
def generic(write):
    return read_cartridge(write(PARTS))


def lesson(cartridge, title):
    return next(each for module in cartridge.modules for each in module.lessons if each.title == title)


def rows(cartridge, source):
    return [(row.kind, row.outcome, row.detail) for row in cartridge.rows if row.source == source]


@pytest.fixture(scope="module")
def real():
    return read_cartridge(real_cartridge())


class TestARealCanvasExport:
    def test_tells_what_the_course_is(self, real):
        assert (real.title, real.language) == ("Ally: Accessibility Workshop", "en")
        cover = next(each for each in real.files if each.key == real.cover_key)
        assert cover.name == "Ally Logo Image Card.png"

    def test_keeps_the_order_of_modules_and_lessons(self, real):
        assert [(module.title, [each.type for each in module.lessons]) for module in real.modules] == [
            ("Part 1: Overview: Accessibility and ALLY", ["text"] * 4 + ["discussion"]),
            ('Part 2: "Before" courses', ["discussion"]),
            ('Part 3:  "After" courses', ["discussion", "text", "link"]),
            ("More on Accessibility", ["text"]),
            ("More from this course", ["text"] * 6 + ["discussion", "link"]),
        ]

    def test_finds_the_tool_that_only_canvas_settings_know(self, real):
        assert lesson(real, "Badge: ALLY Badge").content.startswith(
            "https://canvabadges.herokuapp.com/placement"
        )

    def test_brings_every_file_readable(self, real):
        assert len(real.files) == 26
        for entry in real.files:
            with real.open_file(entry) as stream:
                assert len(stream.read()) == entry.size

    def test_knows_types_that_the_system_may_not(self, real):
        (slides,) = [each for each in real.files if each.name.endswith(".pptx")]
        assert slides.content_type.endswith("presentationml.presentation")

    def test_tells_of_every_entry_but_canvas_own_settings(self, real):
        told = {row.source for row in real.rows}
        with zipfile.ZipFile(real_cartridge()) as archive:
            names = {name for name in archive.namelist() if not name.endswith("/")}
        assert {name for name in names - told if not name.startswith("course_settings/")} == {
            "imsmanifest.xml"
        }
        assert {row.outcome for row in real.rows} == {"imported"}

    def test_says_which_pages_were_unpublished(self, real):
        assert "unpublished in the source" in rows(real, "wiki_content/what-ally-does.html")[0][2]
        assert "unpublished" not in rows(real, "wiki_content/the-time-is-now.html")[0][2]

    def test_resolves_links_to_files_pages_and_modules(self, real):
        start = lesson(real, "The Time is Now")
        committee, faq = (
            lesson(real, "RTC Accessibilty Advisory Committee"),
            lesson(real, "Accessibility FAQ"),
        )
        assert f'href="lesson:{committee.key}"' in start.content
        assert f'href="lesson:{faq.key}"' in start.content
        assert len(lesson(real, 'Share your "Before" Courses').file_keys) == 9

    def test_leaves_no_trace_of_canvas_and_no_dangling_key(self, real):
        keys = {each.key for each in real.files}
        for each in (each for module in real.modules for each in module.lessons):
            assert "IMS-CC" not in each.content
            assert "_REFERENCE" not in each.content
            assert set(each.file_keys) <= keys

    def test_takes_points_of_graded_discussions(self, real):
        assert lesson(real, "Accessibility in your life").points == 10


class TestAGenericCartridge:
    def test_tells_what_the_course_is(self, generic):
        assert (generic.title, generic.language, generic.description) == ("Bees", "de", "All about them")
        assert generic.cover_key is None

    def test_flattens_nested_items_in_order(self, generic):
        assert [(m.title, [(each.title, each.type) for each in m.lessons]) for m in generic.modules] == [
            (
                "Hive",
                [("Welcome", "text"), ("A site", "link"), ("A paper", "file"), ("Welcome again", "text")],
            ),
            ("Work", [("Essay", "assignment"), ("Talk", "discussion")]),
            ("More from this course", [("Other & more", "text")]),
        ]

    def test_gives_every_lesson_a_key_of_its_own(self, generic):
        keys = [each.key for module in generic.modules for each in module.lessons]
        assert len(keys) == len(set(keys)) == 7

    def test_resolves_relative_links(self, generic):
        html = lesson(generic, "Welcome").content
        bee = next(each for each in generic.files if each.name == "a bee.png")
        assert f'<img src="material:{bee.key}" alt="A bee">' in html
        assert f'href="lesson:{lesson(generic, "Other & more").key}"' in html
        assert 'href="material:pdf"' in html
        assert 'href="https://bees.example"' in html
        assert lesson(generic, "Welcome").file_keys == (bee.key, "pdf")

    def test_unwraps_what_leads_nowhere_and_says_so(self, generic):
        html = lesson(generic, "Welcome").content
        assert "missing" not in html
        assert "nowhere" in html
        assert "the lost bee" in html
        detail = rows(generic, "pages/welcome.html")[0][2]
        assert "missing.html" in detail
        assert "missing.png" in detail

    def test_lets_no_page_forge_a_placeholder_or_run_a_script(self, generic):
        html = lesson(generic, "Welcome").content
        assert "forged" in html
        assert "material:quiz" not in html
        assert "onclick" not in html
        assert '<a href="https://v.example/1"' in html

    def test_reads_links_topics_and_assignments(self, generic):
        assert lesson(generic, "A site").content == "https://bees.example/?a=1&b=2"
        assert lesson(generic, "Talk").content.startswith("<p>a &lt; b</p>")
        assert lesson(generic, "Talk").file_keys == ("pdf",)
        assert (lesson(generic, "Essay").content, lesson(generic, "Essay").points) == ("<p>Write</p>", 12.5)
        assert lesson(generic, "A paper").file_keys == ("pdf",)

    @pytest.mark.parametrize(
        ("source", "kind", "reason"),
        [
            ("quiz", "quiz", "quizzes are not imported yet"),
            ("a6", "item", "nowhere"),
            ("a2", "heading", "heading"),
            ("blank", "page", "empty"),
            ("gone.pdf", "other", "does not hold its file"),
            ("broken.xml", "other", "not well-formed"),
            ("wl.xml", "other", "imsfuture_xmlv9"),
            ("C", "module", "nothing"),
        ],
    )
    def test_says_why_it_left_something_out(self, generic, source, kind, reason):
        skipped = [row for row in rows(generic, source) if row[1] == "skipped"]
        assert [row[0] for row in skipped] == [kind]
        assert reason in skipped[0][2]

    def test_keeps_files_that_nobody_lists(self, generic):
        assert "unlisted.txt" in [each.name for each in generic.files]
        assert rows(generic, "unlisted.txt") == [("file", "imported", "the manifest does not list it")]


class TestCanvasParts:
    def test_reads_assignments_missing_items_and_object_links(self, write):
        manifest = f"""<manifest xmlns="{CC11}"><organizations><organization><item identifier="LearningModules">
          <item identifier="M"><title>One</title>
            <item identifier="i1" identifierref="hw"><title>HW</title></item></item>
          </item></organization></organizations><resources>
          <resource identifier="hw" type="associatedcontent/imscc_xmlv1p1/learning-application-resource"
            href="hw/task.html"><file href="hw/task.html"/><file href="hw/assignment_settings.xml"/></resource>
          <resource identifier="f1" type="webcontent" href="web_resources/a b.txt"><file href="web_resources/a b.txt"/>
          </resource></resources></manifest>"""
        body = """<p><a href="$CANVAS_OBJECT_REFERENCE$/assignments/hw">self</a>
          <a href="%24CANVAS_OBJECT_REFERENCE%24/modules/M">module</a>
          <a href="$CANVAS_COURSE_REFERENCE$/file_ref/f1/download?wrap=1">file</a>
          <a href="%24IMS-CC-FILEBASE%24/a%20b.txt?wrap=1">same</a> <a href="$WIKI_REFERENCE$/pages/no">no</a></p>"""
        meta = """<modules xmlns="urn:c"><module identifier="M"><title>One</title><items>
          <item identifier="x0"><content_type>ExternalUrl</content_type><title>First</title>
            <url>https://a.example</url></item>
          <item identifier="i1"><content_type>Assignment</content_type><identifierref>hw</identifierref></item>
          <item identifier="x1"><content_type>ExternalUrl</content_type><title>Bad</title><url>javascript:x</url></item>
          </items></module></modules>"""
        settings = """<assignment identifier="hw" xmlns="urn:c"><title>Homework</title>
          <points_possible>5</points_possible><workflow_state>unpublished</workflow_state></assignment>"""
        entries = {"imsmanifest.xml": manifest, "hw/task.html": body, "hw/assignment_settings.xml": settings}
        entries |= {"course_settings/module_meta.xml": meta, "web_resources/a b.txt": "text"}
        cartridge = read_cartridge(write(entries))
        (module,) = cartridge.modules
        first, homework = module.lessons
        assert (first.type, first.content) == ("link", "https://a.example")
        assert (homework.type, homework.title, homework.points) == ("assignment", "HW", 5)
        assert homework.content.count('href="material:f1"') == 2
        assert 'href="lesson:hw"' in homework.content
        assert f'href="lesson:{first.key}"' in homework.content
        assert "$" not in homework.content
        assert "unpublished" in rows(cartridge, "hw/task.html")[0][2]
        assert rows(cartridge, "x1") == [("link", "skipped", "it has no web address")]


class TestReplaceReferences:
    def test_puts_addresses_in_and_escapes_them(self):
        html = '<img src="material:a.b-1"><a href="lesson:x" rel="noopener">t</a>'
        assert replace_references(html, {"a.b-1": "/f?a=1&b=2"}, {"x": "/l/x"}) == (
            '<img src="/f?a=1&amp;b=2"><a href="/l/x" rel="noopener">t</a>'
        )

    def test_leaves_no_placeholder_without_an_address(self):
        assert replace_references('<a href="lesson:gone">t</a>', {}, {}) == '<a href="#">t</a>'


def symlink():
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


class TestAttacks:
    def test_are_invalid_input_with_a_code(self):
        assert issubclass(CartridgeInvalid, Invalid)
        assert CartridgeInvalid.code == "cartridge_invalid"

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("/etc/passwd", "absolute"),
            ("C:\\x.txt", "absolute"),
            ("\\\\host\\x", "absolute"),
            ("a/../../x", "leads out"),
            ("a\\..\\x", "leads out"),
            (symlink(), "symbolic link"),
        ],
    )
    def test_refuses_entries_that_lead_elsewhere(self, write, name, words):
        with pytest.raises(CartridgeInvalid, match=words):
            read_cartridge(write({**PARTS, name: "x"}))

    def test_refuses_an_encrypted_archive(self, write):
        path = write(PARTS)
        data = bytearray(path.read_bytes())
        # General purpose flag, bit 0, in the last header of the central directory (APPNOTE 4.4.4).
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(data)
        with pytest.raises(CartridgeInvalid, match="encrypted"):
            read_cartridge(path)

    def test_refuses_a_bomb(self, write):
        with pytest.raises(CartridgeInvalid, match="bomb"):
            read_cartridge(write({**PARTS, "zeros": bytes(11 * 1024**2)}))

    def test_refuses_too_much_in_total(self, write, monkeypatch):
        monkeypatch.setattr(archive_module, "MAX_TOTAL_BYTES", 100)
        with pytest.raises(CartridgeInvalid, match="2 GB"):
            read_cartridge(write(PARTS))

    def test_refuses_too_many_entries(self, write):
        with pytest.raises(CartridgeInvalid, match="20,000"):
            read_cartridge(write({f"f{number}": b"" for number in range(20_001)}))

    @pytest.mark.parametrize(
        ("parts", "words"),
        [
            ({"a.txt": "x"}, "no imsmanifest"),
            ({"imsmanifest.xml": "<manifest>"}, "well-formed"),
            ({"imsmanifest.xml": "<html/>"}, "not a manifest"),
            ({"imsmanifest.xml": '<!DOCTYPE m [<!ENTITY a "b">]><manifest>&a;</manifest>'}, "entities"),
            (
                {
                    **PARTS,
                    "talk.xml": '<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]><topic>&a;</topic>',
                },
                "entities",
            ),
        ],
    )
    def test_refuses_what_is_no_cartridge(self, write, parts, words):
        with pytest.raises(CartridgeInvalid, match=words):
            read_cartridge(write(parts))

    def test_is_not_felled_by_items_nested_very_deep(self, write):
        deep = "<item>" * 9_000 + "</item>" * 9_000
        manifest = f"<manifest><organizations><organization>{deep}</organization></organizations></manifest>"
        assert read_cartridge(write({"imsmanifest.xml": manifest})).modules == ()

    def test_refuses_what_is_no_archive(self, tmp_path):
        path = tmp_path / "x.imscc"
        path.write_bytes(b"no zip")
        with pytest.raises(CartridgeInvalid, match="ZIP"):
            read_cartridge(path)

    def test_refuses_damaged_entries(self, write):
        path = write(PARTS)
        data = bytearray(path.read_bytes())
        start = data.index(b"imsmanifest.xml") + 20
        data[start : start + 40] = bytes(40)
        path.write_bytes(data)
        with pytest.raises(CartridgeInvalid, match="damaged"):
            read_cartridge(path)
