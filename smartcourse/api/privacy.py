"""What the edge of the API holds of a person: answers that nobody but the client can open, for a day."""

from smartcourse.db.personal import declare

declare(
    "api",
    impersonal={
        "api.RecordedAnswer": "keyed hashes, and an answer sealed by a key of the client's; nobody else can"
        " read it or say whose it is, and it goes within a day",
    },
)
