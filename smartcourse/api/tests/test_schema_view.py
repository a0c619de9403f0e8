"""The OpenAPI document over HTTP: what the command prints, made once, and not sent to who has it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from drf_spectacular.generators import SchemaGenerator

# As `test_schema.py`: where it was made already.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("schema")]
SCHEMA = "/api/v1/schema"


class TestSchemaView:
    def test_shows_what_the_command_prints(self, client: Any, schema: Any) -> None:
        as_json = client.get(SCHEMA, {"format": "json"})
        as_yaml = client.get(SCHEMA, headers={"accept": "application/vnd.oai.openapi"})
        assert as_json["Content-Type"] == "application/vnd.oai.openapi+json"
        assert as_yaml["Content-Type"] == "application/vnd.oai.openapi; charset=utf-8"
        assert as_yaml["Content-Disposition"] == 'inline; filename="SmartCourse API.yaml"'
        # By libyaml: PyYAML's own reader takes seconds.
        assert schema == as_json.json() == yaml.load(as_yaml.content, Loader=yaml.CSafeLoader)

    def test_makes_it_once(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        first = client.get(SCHEMA)
        monkeypatch.setattr(SchemaGenerator, "get_schema", None)
        assert client.get(SCHEMA).content == first.content

    def test_sends_it_to_nobody_who_has_it(self, client: Any) -> None:
        first = client.get(SCHEMA)
        again = client.get(SCHEMA, headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert again["Cache-Control"] == first["Cache-Control"] == "private, no-cache"
        assert not again.has_header("Content-Type")
        assert client.get(SCHEMA, headers={"if-none-match": '"another"'}).content == first.content
