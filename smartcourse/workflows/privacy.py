"""What the engine holds of a person: the processes that they started."""

from __future__ import annotations

from smartcourse.db.personal import Holding, Texts, declare

NAMELESS = "leads to a row in which nobody is any more"
OURS = "how it is driven, and nothing about the person"

declare(
    "workflows",
    Holding(
        model="workflows.Run",
        person="requested_by",
        told=(
            "id",
            "process",
            "subject_id",
            "status",
            "error_code",
            "error",
            "created_at",
            "updated_at",
            "finished_at",
        ),
        untold=dict.fromkeys(
            (
                "key",
                "data",
                "position",
                "attempts",
                "deaths",
                "dispatches",
                "requested_by",
                "request_id",
                "next_attempt_at",
                "step_started_at",
                "lease_token",
                "lease_expires_at",
            ),
            OURS,
        ),
        erased={"error": ""},
        kept=dict.fromkeys(("requested_by", "subject_id"), NAMELESS)
        | dict.fromkeys(("process", "key", "status", "error_code", "request_id", "data"), OURS),
    ),
    Holding(
        model="workflows.StepRecord",
        person="run__requested_by",
        told=("run", "name", "status", "attempts", "error", "started_at", "finished_at"),
        untold=dict.fromkeys(("id", "position", "trace", "deadline_at"), OURS),
        erased={"error": "", "trace": ""},
        kept=dict.fromkeys(("run", "name", "status"), OURS),
    ),
    Holding(
        model="workflows.Signal",
        person="run__requested_by",
        told=("run", "name", "data", "received_at"),
        untold={"id": OURS},
        erased={"data": {}},
        kept=dict.fromkeys(("run", "name"), OURS),
    ),
    texts=(
        Texts(model="workflows.Run", columns=("data", "error"), names=True),
        Texts(model="workflows.StepRecord", columns=("error", "trace"), names=True),
        Texts(model="workflows.Signal", columns=("data",)),
    ),
)
