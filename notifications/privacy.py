"""What notifications holds of a person: everything that they were told."""

from __future__ import annotations

from smartcourse.db.personal import Holding, Texts, declare

OURS = "how it is sent, and nothing about the person"

declare(
    "notifications",
    Holding(
        model="notifications.Message",
        person="recipient",
        told=(
            "id", "recipient", "channel", "type", "title", "body", "data", "status", "sent_at", "read_at", "created_at",
            "updated_at",
        ),
        untold=dict.fromkeys(("fact_id", "attempts", "last_error", "dispatches", "next_attempt_at"), OURS),
        deleted=True,
    ),
    # Told to somebody else, it may still name the person: an alert to staff, with an error in it.
    texts=(Texts(model="notifications.Message", columns=("title", "body", "data", "last_error")),),
)  # fmt: skip
