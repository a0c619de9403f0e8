"""What the back office holds of a person: the log of what staff did in it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.db.models import Q

from smartcourse.db.personal import Holding, Person, Texts, declare

# What is called by a person's name: the person, and with more words behind it an enrollment, a certificate.
CALLED_BY_NAME = ("user", "instructorprofile", "enrollment", "certificate")


def forget_the_name(person: Person, at: datetime) -> None:
    """Take the name out of entries that call a record by it; which record it was, its id says."""
    named = Q(object_id=str(person.id))
    if person.name:
        beginnings = (f"{person.name} in ", f"{person.name}: ", f"Profile of {person.id}")
        named |= Q(object_repr=person.name, content_type__model__in=CALLED_BY_NAME)
        for beginning in beginnings:
            named |= Q(object_repr__startswith=beginning, content_type__model__in=CALLED_BY_NAME)
    LogEntry.objects.filter(named).update(object_repr="")


declare(
    "backoffice",
    Holding(
        model="admin.LogEntry",
        person="user",
        told=(
            "id",
            "action_time",
            "content_type__model",
            "object_id",
            "object_repr",
            "action_flag",
            "change_message",
        ),
        untold=dict.fromkeys(("user", "content_type"), "how we keep the row, and nothing about the person"),
        kept={"user": "leads to a row in which nobody is any more"}
        | dict.fromkeys(
            ("content_type", "object_id", "object_repr", "change_message"), "what was done to others' records"
        ),
    ),
    texts=(Texts(model="admin.LogEntry", columns=("object_repr", "change_message")),),
    impersonal={"contenttypes.ContentType": "the names of tables"},
    erase=forget_the_name,
)
