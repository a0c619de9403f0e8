"""The base of every endpoint: declared permissions, separate shapes in and out, one service call an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from django.db.models import QuerySet
from rest_framework import status as http
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.viewsets import GenericViewSet

from smartcourse.api import conditional, idempotency
from smartcourse.api.limits import Limited
from smartcourse.api.permissions import Nobody, check_second_factor
from smartcourse.api.scopes import check_scope
from smartcourse.errors import DomainError, FieldError, Invalid

WRITES = ("post", "put", "patch", "delete")


class ContextViewSet(Limited, GenericViewSet[Any]):
    """A set of actions over one resource, every one of which declares itself by its name.

    serializers: what the action answers with. inputs: what it takes as body. permissions: who may call it (an action
    that is not in here is refused). files: the media type of actions that answer with a file. raises: the domain errors
    its service raises, for the schema. statuses: the
    status of success where it is not 200 (201 is said by `respond(created=True)`). throttle_scopes: its rate limit.
    scope: the resource that an API key must name to open it (`courses`), or `CLOSED`.
    keyless: the POST actions that take no `Idempotency-Key`, each with the reason. unless_changed: the actions that
    honour `If-Match`, each with the action that reads what it changes. bare: what never stands in an envelope, for
    another specification says its shape. finds: what answers 200 where the thing that it would create is there already.
    without_second_factor: the actions that are open to who must have a second factor, and has to set it up yet.
    """

    serializers: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    inputs: ClassVar[Mapping[str, type[Serializer[Any]]]] = {}
    permissions: ClassVar[Mapping[str, Sequence[type[BasePermission]]]] = {}
    raises: ClassVar[Mapping[str, Sequence[type[DomainError]]]] = {}
    statuses: ClassVar[Mapping[str, int]] = {}
    files: ClassVar[Mapping[str, str]] = {}
    scope: ClassVar[str] = ""
    keyless: ClassVar[Mapping[str, str]] = {}
    unless_changed: ClassVar[Mapping[str, str]] = {}
    bare: ClassVar[frozenset[str]] = frozenset()
    finds: ClassVar[frozenset[str]] = frozenset()
    without_second_factor: ClassVar[frozenset[str]] = frozenset()
    lookup_value_converter = "uuid"

    def get_permissions(self) -> list[BasePermission]:
        # OPTIONS has no action, and a method that the path does not know must say 405, not 403.
        if self.action is None or self.action == "metadata":
            return []
        return [permission() for permission in self.permissions.get(self.action, [Nobody])]

    def check_permissions(self, request: Request) -> None:
        # And then its owner's permissions: a key never has more.
        check_scope(request, self)
        if self.action not in (None, "metadata", *self.without_second_factor):
            check_second_factor(request.user)
        super().check_permissions(request)

    def permission_denied(
        self, request: Request, message: str | None = None, code: str | None = None
    ) -> NoReturn:
        """Refuse; where an account is needed, and a cookie was of none, by what is wrong with the cookie."""
        if not request.successful_authenticator and (refused := getattr(request, "refused_cookie", None)):
            raise refused
        super().permission_denied(request, message, code)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the caller in, or not; then see what the action is to be wrapped in.

        Raises:
            MethodNotAllowed: the address knows no such method, whoever asks (RFC 9110, 15.5.6).
        """
        if self.action is None:
            raise MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)
        method = (request.method or "").lower()
        handler = getattr(self, method, None)
        if handler is None or method not in WRITES:
            return
        if self.action not in self.inputs:
            self._refuse_body(request)
        if self.action in self.unless_changed and "If-Match" in request.headers:
            handler = conditional.unless_changed(self, handler)
        if method == "post" and self.action not in self.keyless and (key := idempotency.key_of(request)):
            handler = idempotency.once(self, handler, key)
        # DRF calls whatever bears the method's name.
        setattr(self, method, handler)

    @staticmethod
    def _refuse_body(request: Request) -> None:
        """Refuse fields that nobody asked for, where an action takes none."""
        if not request.data:
            return
        if not isinstance(request.data, Mapping):
            raise Invalid("This takes no body.")
        rows = [FieldError(str(name), "unknown_field", "This field is not known.") for name in request.data]
        raise Invalid(errors=rows)

    def subject_of_change(self) -> Any:
        """Lock what the action changes, in the open transaction, and return it as `unless_changed` says it is read.

        It raises what the action would for somebody who may not change it: who is refused learns nothing by a tag.
        """
        raise NotImplementedError

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.serializers[self.action]

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows that the caller may know of; what is not in here is a 404."""
        queryset: Any = super().get_queryset()
        return queryset.visible_to(self.request.user)  # type: ignore[no-any-return]  # by convention of our QuerySets

    @property
    def caller(self) -> Any:
        """The person who calls; whoever passed the permissions of an action that wants one signed in."""
        return self.request.user

    def list(self, request: Request, **_path: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, **_path: Any) -> Response:
        return self.respond(self.get_object())

    def options(self, request: Any, *_args: Any, **_path: Any) -> Response:
        """Answer with the methods that the address understands, in `Allow` (RFC 9110 §9.3.7), and nothing else.

        DRF's own answer would draw the serializer of an action that has none, and look for the row.
        """
        return Response(status=http.HTTP_204_NO_CONTENT)

    def validated(self, request: Request) -> dict[str, Any]:
        """Return the body of this action as its input serializer understands it."""
        serializer = self.inputs[self.action](
            data=request.data, partial=request.method == "PATCH", context=self.get_serializer_context()
        )
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def respond(self, subject: Any = None, *, created: bool = False, many: bool = False) -> Response:
        """Answer with the subject as this action's serializer shows it; without a subject, 204."""
        status = self.statuses.get(self.action, http.HTTP_200_OK)
        if subject is None:
            return Response(status=http.HTTP_204_NO_CONTENT)
        if created:
            status = http.HTTP_201_CREATED
        return Response(self.get_serializer(subject, many=many).data, status=status)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        conditional.describe(response, request, self)
        return response
