"""The OpenAPI document: valid, named, and open about every error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from smartcourse.api.schema import SEEN
from smartcourse.tests.clients.guide import CLIENTS, GUIDE, shown

# The process that has made it, once: it takes seconds.
pytestmark = pytest.mark.xdist_group("schema")
VERBS = {"get", "put", "patch", "post", "delete"}
WITHOUT_PROBLEMS = {"health", "ready"}


def operations(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in schema["paths"].items():
        yield from (
            (f"{verb.upper()} {path}", operation) for verb, operation in item.items() if verb in VERBS
        )


class TestSchema:
    def test_names_every_operation_once(self, schema: Any) -> None:
        ids = [operation["operationId"] for _, operation in operations(schema)]
        assert len(ids) == len(set(ids)) > 70

    def test_has_no_envelope_unless_asked(self, schema: Any) -> None:
        made = schema["paths"]["/api/v1/courses"]["post"]["responses"]["201"]["content"]["application/json"]
        assert set(made["schema"]) == {"$ref"}

    def test_names_its_enums_after_the_thing(self, schema: Any) -> None:
        made_up = [
            name for name in schema["components"]["schemas"] if name.endswith("Enum") or name[-1].isdigit()
        ]
        assert made_up == []

    def test_documents_the_errors_of_every_operation_with_their_codes(self, schema: Any) -> None:
        for name, operation in operations(schema):
            if operation["operationId"] in WITHOUT_PROBLEMS:
                continue
            problems = {s: a for s, a in operation["responses"].items() if s >= "400"}
            assert "429" in problems, name
            assert "401" in problems or not any("bearer" in way for way in operation.get("security", [])), (
                name
            )
            for status, answer in problems.items():
                assert set(answer["content"]) == {"application/problem+json"}, (name, status)
                assert "`" in answer["description"], (name, status)

    def test_lets_no_text_in_an_address_hold_what_the_edge_refuses(self, schema: Any) -> None:
        texts = [
            parameter["schema"]
            for _, operation in operations(schema)
            for parameter in operation.get("parameters", ())
            if parameter["in"] in {"path", "query"} and parameter["schema"].get("type") == "string"
        ]
        assert any(text.get("pattern") for text in texts)
        for text in texts:
            assert text.keys() & {"enum", "format"} or not re.search(text["pattern"], "a\x00b")

    def test_asks_no_pattern_of_what_is_only_read(self, schema: Any) -> None:
        shown = [
            field
            for component in schema["components"]["schemas"].values()
            for field in component.get("properties", {}).values()
            if field.get("readOnly")
        ]
        assert shown
        assert [field for field in shown if "pattern" in field] == []

    def test_says_that_an_attempt_may_be_there_already(self, schema: Any) -> None:
        answers = schema["paths"]["/api/v1/quizzes/{id}/attempts"]["post"]["responses"]
        assert {"200", "201"} <= set(answers)

    def test_knows_the_blanks_that_are_trimmed_away(self) -> None:
        characters = [chr(n) for n in range(1, 0x10000) if not 0xD800 <= n < 0xE000]
        assert [c for c in characters if bool(re.fullmatch(SEEN, c)) == c.isspace()] == []

    def test_says_what_every_operation_is_for(self, schema: Any) -> None:
        assert [name for name, operation in operations(schema) if not operation.get("description")] == []

    def test_has_a_code_for_every_problem_and_the_guide_explains_each(self, schema: Any) -> None:
        listed = {
            code
            for _, operation in operations(schema)
            for answer in operation["responses"].values()
            for code in answer.get("x-problem-codes", ())
        }
        known = set(schema["components"]["schemas"]["ProblemCode"]["enum"])
        assert listed <= known
        guide = GUIDE.read_text()
        assert set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE)) == known

    def test_shows_clients_of_twenty_lines(self) -> None:
        guide = GUIDE.read_text()
        assert {language: bool(shown(guide, language)) for language in CLIENTS} == {
            "ts": True,
            "python": True,
        }
