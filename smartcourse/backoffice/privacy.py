"""What the back office holds of a person: the log of what staff did in it."""

from smartcourse.db.personal import Holding, Texts, declare

declare(
    "backoffice",
    Holding(
        model="admin.LogEntry",
        person="user",
        told=("id", "action_time", "content_type__model", "object_id", "object_repr", "action_flag", "change_message"),
        untold=dict.fromkeys(("user", "content_type"), "how we keep the row, and nothing about the person"),
        kept={"user": "leads to a row in which nobody is any more"}
        | dict.fromkeys(
            ("content_type", "object_id", "object_repr", "change_message"), "what was done to others' records"
        ),
    ),
    # An entry calls what was changed by its name, which may be the person's.
    texts=(Texts(model="admin.LogEntry", columns=("object_repr", "change_message")),),
    impersonal={"contenttypes.ContentType": "the names of tables"},
)  # fmt: skip
