"""Keeping secrets out of log lines."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

SECRET_NAMES = re.compile(
    r"password|secret|token|authorization|cookie|api_key|signing_key|encryption_|phone|birth_date",
    re.IGNORECASE,
)
BEARER = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]+")
JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
API_KEY = re.compile(r"\bsc_[0-9A-Za-z]{8}_[0-9A-Za-z]{20,}")
IN_QUERY = re.compile(r"(?i)\b((?:[\w-]*token|password|secret|signature|code)=)[^&\s\"']+")
CREDENTIALS_IN_URL = re.compile(r"(\w+://[^:/\s]*:)[^@/\s]+@")
# PostgreSQL quotes the whole row, or the value, that a constraint refused: hashes and addresses among it.
ROW_QUOTED = re.compile(r"(?m)^(DETAIL: +)[^\n]*$")
HIDDEN = "[redacted]"


def redact_text(text: str) -> str:
    """Return the text with bearer tokens, JWTs, secret query parameters and passwords in URLs made unreadable."""
    text = BEARER.sub(rf"\1{HIDDEN}", text)
    text = JWT.sub(HIDDEN, text)
    text = API_KEY.sub(HIDDEN, text)
    text = IN_QUERY.sub(rf"\1{HIDDEN}", text)
    text = ROW_QUOTED.sub(rf"\1{HIDDEN}", text)
    return CREDENTIALS_IN_URL.sub(rf"\1{HIDDEN}@", text)


def redact(value: Any, name: str = "") -> Any:
    """Return the value as it may be logged; `name` is the key it was found under."""
    if name and SECRET_NAMES.search(name):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact(inner) for inner in value]
    return value


def redact_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact every field of a log event (a structlog processor)."""
    for key in list(event):
        if not key.startswith("_") and key not in ("exc_info", "positional_args"):
            event[key] = redact(event[key], key)
    return event


def redact_line(_logger: Any, _method: str, line: str) -> str:
    """Redact a line as it is written, which holds the trace of an exception too (a structlog processor)."""
    return redact_text(line)
