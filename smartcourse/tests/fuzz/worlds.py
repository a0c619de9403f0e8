"""What schemathesis is told of the world: for each role and operation, a request that the permission matrix knows.

Run as a module beside a running installation: it reads the schema, fills the database, and writes a JSON document. An
operation that changes something has a world of its own for every role that may call it, with people of its own, so
that nothing which it destroys is missed elsewhere. Reads, and what is refused, share one world a role.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import uuid4

from factory.django import DjangoModelFactory

if TYPE_CHECKING:
    from smartcourse.tests.matrix import Row
    from smartcourse.tests.world import World

SETTINGS = "smartcourse.tests.fuzz.settings"
VERBS = ("get", "put", "post", "patch", "delete")
SAFE = "GET"
# Their bodies hold a code of this half minute, which is another one by the time that it is sent.
BY_CODE = ("POST auth/mfa/verify", "POST auth/mfa/totp/confirm")
PARAMETER = re.compile(r"[{<][^}>]*[}>]")


def shape_of(path: str) -> str:
    """Return an address without the names of its parameters, by which route and path of the schema are one."""
    return PARAMETER.sub("{}", path.strip("/"))


def operations_of(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (method, path) of every operation of the schema."""
    for path, item in schema["paths"].items():
        yield from ((verb.upper(), path) for verb in VERBS if verb in item)


class Writer:
    """Makes worlds, as few as will do, and writes requests in them."""

    def __init__(self) -> None:
        self._shared: dict[str, World] = {}
        self._tokens: dict[Any, str] = {}

    def written(self, row: Row, path: str, role: str) -> dict[str, Any]:
        """Return the row's request as that role sends it, with the token to send it with."""
        from accounts.tests.second_factors import SECRET
        from smartcourse.tests.matrix import BODIES, FORMS

        status = row.statuses[role]
        alone = row.method != SAFE and status < 400
        world = self._new() if alone else self._shared_by(role)
        address, _, query = row.template.partition("?")
        body = BODIES[row.name](world) if row.name in BODIES else None
        return {
            "row": row.name,
            "status": status,
            "path_parameters": parameters_of(address, path, world),
            "query": dict(parse_qsl(query.format_map(world))),
            "body": plain(body),
            "secret": SECRET if row.name in BY_CODE else "",
            "media_type": FORMS.get(
                row.name, "multipart/form-data" if has_file(body) else "application/json"
            ),
            **self._credentials_of(world.people[role]),
        }

    def _shared_by(self, role: str) -> World:
        if role not in self._shared:
            self._shared[role] = self._new()
        return self._shared[role]

    def _credentials_of(self, person: Any) -> dict[str, str]:
        """Return the person's token, and the address to log in again with; none for nobody.

        One each: a code of the second step signs in once.
        """
        from smartcourse.tests.world import sign_in

        if person is None:
            return {}
        if person.pk not in self._tokens:
            self._tokens[person.pk] = sign_in(person).access_token
        return {"email": person.email, "token": self._tokens[person.pk]}

    @staticmethod
    def _new() -> World:
        from django.db import transaction

        from smartcourse.tests.world import build_world

        with transaction.atomic():
            return build_world()


def parameters_of(template: str, path: str, world: World) -> dict[str, str]:
    """Return the values of the path's parameters, by the schema's names, where the template has its own."""
    wanted = path.removeprefix("/api/v1/").split("/")
    given = template.split("/")
    return {
        name[1:-1]: value.format_map(world)
        for name, value in zip(wanted, given, strict=True)
        if name.startswith("{")
    }


def has_file(body: dict[str, Any] | None) -> bool:
    return any(hasattr(value, "read") for value in (body or {}).values())


def plain(body: dict[str, Any] | None) -> Any:
    """Return the body as JSON can say it; a file by its content, and an address that nobody else has."""
    if body is None:
        return None
    read = {name: value.read().decode() if hasattr(value, "read") else value for name, value in body.items()}
    written = json.dumps(read, default=lambda moment: moment.isoformat())
    return json.loads(re.sub(r"\b(new|another)@", rf"\1-{uuid4()}@", written))


def rows_by_operation() -> dict[tuple[str, str], list[Row]]:
    """Return the rows of the matrix by method and shape of the address."""
    from smartcourse.tests.matrix import PUBLISHED, rows_of

    rows: dict[tuple[str, str], list[Row]] = {}
    for row in rows_of(PUBLISHED):
        method, route = row.action()
        rows.setdefault((method, shape_of(route)), []).append(row)
    return rows


def requests_of(schema: dict[str, Any], roles: list[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return, by role and operation, the requests that the matrix has for it; those that succeed come first."""
    rows = rows_by_operation()
    writer = Writer()
    return {
        role: {
            f"{method} {path}": sorted(
                (writer.written(row, path, role) for row in rows.get((method, shape_of(path)), [])),
                key=lambda request: request["status"] >= 400,
            )
            for method, path in operations_of(schema)
        }
        for role in roles
    }


def number_from(start: int) -> None:
    """Have the factories count from there: another process made people in this database before."""
    # factory-boy asks the class where to begin, and has no other way to be told.
    setattr(DjangoModelFactory, "_setup_next_sequence", classmethod(lambda _: start))  # noqa: B010


def main(schema: str, out: str, *roles: str) -> None:
    """Fill the database of the installation that the environment names, and write what is in it."""
    from smartcourse.embedded.attach import attach

    os.environ["DJANGO_SETTINGS_MODULE"] = "smartcourse.settings.development"
    with attach(os.environ, ["manage.py", "worlds"]):
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
        import django

        django.setup()
        number_from(int(time.time() * 1000))
        written = requests_of(json.loads(Path(schema).read_text()), list(roles))
    Path(out).write_text(json.dumps(written, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
