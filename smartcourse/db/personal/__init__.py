"""What is held on people: every room declares its tables, so that neither export nor erasure forgets one.

A room says in its `privacy.py` what each of its tables holds of a person, what of it the person is told, and what
becomes of it when they are erased. The declaration is what is done: export and erasure read it and nothing else. A
test walks all tables and fails for a column that is in none (`smartcourse/tests/test_privacy_declarations.py`).
"""

from smartcourse.db.personal.archive import write_archive
from smartcourse.db.personal.declarations import (
    Holding,
    Person,
    Room,
    Texts,
    all_rooms,
    declare,
    room_called,
)
from smartcourse.db.personal.erasure import erase_room

__all__ = [
    "Holding", "Person", "Room", "Texts", "all_rooms", "declare", "erase_room", "room_called", "write_archive",
]  # fmt: skip
