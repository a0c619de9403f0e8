"""Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks): what is sent, and who signed it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook


def body_of(*, type: str, at: datetime, data: dict[str, Any]) -> str:  # noqa: A002 - the convention's own word
    """Return the payload as the text that is sent and signed; `at` is when it happened."""
    payload = {"type": type, "timestamp": at.isoformat(), "data": data}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def signed_headers(*, message_id: str, at: datetime, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of an attempt made `at` that moment (UTC), with one signature by each secret."""
    signatures = [Webhook(secret).sign(msg_id=message_id, timestamp=at, data=body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
