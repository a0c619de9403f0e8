"""The kinds of error a rule can raise.

A rule says what is wrong, never which HTTP status that is: `smartcourse.api.problems` gives each kind its
status. A concrete error is declared beside the function that raises it, as a subclass of one of the kinds, with a
stable `code` and a sentence for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field of the input; `field` is a dotted path, empty for the whole."""

    field: str
    code: str
    detail: str


class DomainError(Exception):
    """Root of everything a rule raises: a stable code, a human sentence, and facts a client may act on."""

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "The request could not be carried out."
    transient: ClassVar[bool] = False
    """Whether the very same request may succeed in a moment, so that its refusal is not worth keeping."""

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        self.detail = detail or self.message
        self.extra = extra
        super().__init__(self.detail)


class Invalid(DomainError):
    """The input is malformed, or says something impossible."""

    code = "invalid"
    message = "The input is not valid."

    def __init__(
        self, detail: str | None = None, *, errors: list[FieldError] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail, **extra)
        self.errors = errors or []


class Unacceptable(Invalid):
    """The input has the form that was asked for, and what it says cannot be: a weak password, a link that was used.

    What a document can say of the form, the API's schema says, and whoever keeps to it never meets `Invalid`.
    """

    code = "unacceptable"


class NotAuthenticated(DomainError):
    """Who is asking could not be established."""

    code = "not_authenticated"
    message = "Authentication is required."


class NotAllowed(DomainError):
    """The caller is known, and may not do this."""

    code = "insufficient_permissions"
    message = "You do not have permission to do this."


class NotFound(DomainError):
    """The thing does not exist, or is hidden from the caller, who cannot tell the two apart."""

    code = "not_found"
    message = "Not found."


class Conflict(DomainError):
    """The request contradicts the present state."""

    code = "invalid_state"
    message = "This is not possible in the present state."


class PreconditionFailed(DomainError):
    """The thing is not (any more) as the caller last saw it, and wanted it to be."""

    code = "precondition_failed"
    message = "This has changed since you read it. Read it again before you change it."


class RuleViolated(DomainError):
    """The request is well formed and permitted, and a business rule refuses it."""

    code = "rule_violated"
    message = "A rule of the product refuses this."


class TooManyRequests(DomainError):
    """The caller has used up a limit; `retry_after` says in how many seconds to come back."""

    code = "rate_limited"
    message = "Too many requests."

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A part that this request needs does not answer just now; trying again later may work."""

    code = "unavailable"
    message = "The service is unavailable for a moment. Please try again."
