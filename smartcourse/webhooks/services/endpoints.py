"""Keeping endpoints: who is told, of what, signed by which secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import CharField, F, Func

from smartcourse.errors import Conflict, FieldError, NotFound, RuleViolated, Unacceptable
from smartcourse.events.outbox import publish
from smartcourse.http.addresses import networks
from smartcourse.http.pinning import target_of
from smartcourse.webhooks.events import EndpointDisabled
from smartcourse.webhooks.models import Endpoint, EndpointStatus
from smartcourse.webhooks.policies import types_for

ENDPOINTS_PER_OWNER = 20
BY_HAND = "Switched off by hand."


class EndpointNotFound(NotFound):
    message = "There is no such endpoint."


class TooManyEndpoints(RuleViolated):
    code = "too_many_endpoints"
    message = f"At most {ENDPOINTS_PER_OWNER} endpoints: delete one that is not needed any more."


class EndpointIsDisabled(Conflict):
    message = "This endpoint is disabled; enable it first."


class UnknownFactTypes(Unacceptable):
    message = "Facts that cannot be chosen."

    def __init__(self, unknown: Sequence[str]) -> None:
        sentence = f"There is no such fact to choose: {', '.join(sorted(unknown))}."
        super().__init__(errors=[FieldError("fact_types", "not_known", sentence)])


@transaction.atomic
def create_endpoint(
    *, owner_id: UUID | None, url: str, fact_types: Sequence[str], description: str = ""
) -> Endpoint:
    """Create an enabled endpoint of that person's (of the platform's for None), with a secret of its own.

    Raises:
        AddressRefused: the URL may not be called.
        UnknownFactTypes: one of the facts does not exist, or is not for this owner to hear.
        TooManyEndpoints: there are twenty already.
    """
    check_url(url)
    # Counting needs those who count to come one after another; the platform has no row of its own to lock.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"webhooks of {owner_id}"])
    if Endpoint.objects.of(owner_id).count() >= ENDPOINTS_PER_OWNER:
        raise TooManyEndpoints
    return Endpoint.objects.create(
        owner_id=owner_id,
        url=url,
        description=description,
        fact_types=_chosen(fact_types, platform=owner_id is None),
    )


@transaction.atomic
def change_endpoint(
    *, endpoint_id: UUID, at: datetime, status: str | None = None, **changes: Any
) -> Endpoint:
    """Change what an endpoint is (url, description, fact_types), or switch it on or off.

    Raises:
        EndpointNotFound: there is none.
        AddressRefused: the new URL may not be called.
        UnknownFactTypes: one of the facts does not exist, or is not for this owner to hear.
    """
    endpoint = locked_endpoint(endpoint_id)
    if "url" in changes:
        check_url(changes["url"])
    if "fact_types" in changes:
        changes["fact_types"] = _chosen(changes["fact_types"], platform=endpoint.is_platform)
    if changes:
        endpoint.change(**changes)
    if status == EndpointStatus.ENABLED and not endpoint.is_enabled:
        endpoint.enable()
    if status == EndpointStatus.DISABLED and endpoint.is_enabled:
        endpoint.disable(reason=BY_HAND, at=at)
    return endpoint


@transaction.atomic
def delete_endpoint(*, endpoint_id: UUID) -> None:
    """Delete the endpoint with everything that was owed to it.

    Raises:
        EndpointNotFound: there is none.
    """
    # Locked first, as by those who send: taking its deliveries before it would be the other way round.
    locked_endpoint(endpoint_id).delete()


@transaction.atomic
def rotate_secret(*, endpoint_id: UUID, at: datetime) -> Endpoint:
    """Give the endpoint a new secret; the former one signs beside it for a day, any before it no more.

    Raises:
        EndpointNotFound: there is none.
    """
    endpoint = locked_endpoint(endpoint_id)
    endpoint.rotate_secret(at=at, overlap=timedelta(seconds=settings.WEBHOOK_ROTATION_SECONDS))
    return endpoint


def disable_failing(endpoint: Endpoint, *, reason: str, at: datetime) -> None:
    """Switch an endpoint off that does not answer, and say so; the caller holds its lock."""
    if not endpoint.is_enabled:
        return
    endpoint.disable(reason=reason, at=at)
    publish(
        EndpointDisabled(
            endpoint_id=endpoint.pk, owner_id=endpoint.owner_id, host=endpoint.host, reason=reason
        )
    )


def wanted_types() -> set[str]:
    """Return the facts that any endpoint wants at present; the others cost nothing."""
    each = Func(F("fact_types"), function="unnest", output_field=CharField())
    return set(Endpoint.objects.enabled().annotate(wanted=each).values_list("wanted", flat=True).distinct())


def check_url(url: str) -> None:
    """Look at the form of a URL; what its name resolves to is looked at before each attempt.

    Raises:
        AddressRefused: it may not be called.
    """
    target_of(
        url, https_only=settings.WEBHOOKS_HTTPS_ONLY, allowed=networks(settings.WEBHOOKS_ALLOWED_PRIVATE)
    )


def locked_endpoint(endpoint_id: UUID) -> Endpoint:
    """Return the endpoint, locked until the end of the transaction against other changes (not against new deliveries).

    Raises:
        EndpointNotFound: there is none.
    """
    endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise EndpointNotFound
    return endpoint


def _chosen(fact_types: Sequence[str], *, platform: bool) -> list[str]:
    if unknown := set(fact_types) - set(types_for(platform=platform)):
        raise UnknownFactTypes(sorted(unknown))
    return sorted(set(fact_types))
