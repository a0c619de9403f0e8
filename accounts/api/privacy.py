"""One's own data, over HTTP: a copy of it, and its end.

Under `/me`, beside the dashboard: both are about nobody but the caller, so no id of a person is in the address. Exports
are a list, for each is a file of its own with an end; an erasure is one thing, that is there or is not.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import serializers as shapes
from accounts.api.strangers import CREDENTIALS, OpenToOldTokens
from accounts.models import PrivacyRequest
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import Anybody, SignedIn
from smartcourse.api.scopes import CLOSED
from smartcourse.api.viewsets import ContextViewSet


class ExportViewSet(OpenToOldTokens, ContextViewSet):
    """Copies of all that is held on oneself."""

    # Whatever a key may read by itself, it does not carry off a whole life.
    scope = CLOSED
    queryset = PrivacyRequest.objects.exports()
    pagination_class = CursorPagination
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("list", "retrieve", "create"), shapes.ExportSerializer
    )
    # A link is its own permission: it was given to whoever may have the file, for a few minutes.
    permissions: ClassVar[dict[str, Any]] = {
        "list": [SignedIn], "retrieve": [SignedIn], "create": [SignedIn], "download": [SignedIn], "content": [Anybody],
    }  # fmt: skip
    files: ClassVar[dict[str, str]] = {"content": "application/zip"}
    raises: ClassVar[dict[str, Any]] = {
        "download": [services.ExportNotReady], "content": [services.ExportLinkInvalid],
    }  # fmt: skip
    statuses: ClassVar[dict[str, int]] = {"create": http.HTTP_202_ACCEPTED, "download": http.HTTP_302_FOUND}

    def list(self, request: Request, **_path: Any) -> Response:
        """List the copies that one asked for, newest first."""
        return super().list(request)

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Show how far a copy is, and until when it can be had."""
        return super().retrieve(request)

    def create(self, request: Request) -> Response:
        """Have a copy made of all that is held on oneself; one that is being made already is answered instead."""
        return self.respond(services.request_export(user_id=self.caller.pk, at=timezone.now()))

    def download(self, request: Request, pk: UUID) -> Response:
        """Redirect to the file, a ZIP; the address is good for a few minutes."""
        link = services.export_link(request=self.get_object())
        return Response(
            status=http.HTTP_302_FOUND, headers={"Location": link, "Cache-Control": "private, no-store"}
        )

    @extend_schema(parameters=[OpenApiParameter("signature", str, required=True)])
    def content(self, request: Request, pk: UUID) -> FileResponse:
        """Send the file of a link that `download` gave, as an attachment; a link that ran out is not found."""
        export = services.open_export(request_id=pk, signature=request.query_params.get("signature", ""))
        response = FileResponse(
            export.archive.open("rb"),
            as_attachment=True,
            filename="export.zip",
            content_type="application/zip",
        )
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response


class ErasureViewSet(ContextViewSet):
    """The end of one's own account."""

    scope = CLOSED
    queryset = PrivacyRequest.objects.erasures()
    serializers: ClassVar[dict[str, Any]] = dict.fromkeys(("retrieve", "create"), shapes.ErasureSerializer)
    inputs: ClassVar[dict[str, Any]] = {"create": shapes.ErasureInput}
    permissions: ClassVar[dict[str, Any]] = {
        "retrieve": [SignedIn],
        "create": [SignedIn],
        "destroy": [SignedIn],
    }
    raises: ClassVar[dict[str, Any]] = {
        "retrieve": [services.NoErasure],
        "create": [services.WrongPassword, services.LockedOut, services.LastAdministrator],
        "destroy": [services.NoErasure, services.ErasureUnderWay],
    }
    statuses: ClassVar[dict[str, int]] = {"create": http.HTTP_202_ACCEPTED}
    keyless: ClassVar[dict[str, str]] = {"create": CREDENTIALS}
    throttle_scopes: ClassVar[dict[str, str]] = {"create": "auth"}

    def retrieve(self, request: Request, **_path: Any) -> Response:
        """Show the erasure that one waits for; without one, it is not found."""
        return self.respond(services.erasure_of(user_id=self.caller.pk))

    def create(self, request: Request) -> Response:
        """Have one's account erased, after some days in which one may think again; it takes the present password."""
        return self.respond(
            services.request_erasure(user_id=self.caller.pk, **self.validated(request), at=timezone.now())
        )

    def destroy(self, request: Request, **_path: Any) -> Response:
        """Take it back: the account stays as it is."""
        services.cancel_erasure(user_id=self.caller.pk, at=timezone.now())
        return self.respond()
