"""A person's notices over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from notifications import services
from notifications.api.filters import NotificationFilter
from notifications.api.serializers import NotificationSerializer, UnreadCountSerializer
from notifications.models import Message
from smartcourse.api.pagination import CursorPagination
from smartcourse.api.permissions import SignedIn
from smartcourse.api.viewsets import ContextViewSet


class NotificationViewSet(ContextViewSet):
    """A person's own notices, newest first."""

    scope = "notifications"
    queryset = Message.objects.in_app()
    pagination_class = CursorPagination
    filterset_class = NotificationFilter
    serializers: ClassVar[dict[str, Any]] = {
        "list": NotificationSerializer,
        "read": NotificationSerializer,
        "unread_count": UnreadCountSerializer,
        "read_all": UnreadCountSerializer,
    }
    permissions: ClassVar[dict[str, Any]] = {
        "list": [SignedIn],
        "read": [SignedIn],
        "unread_count": [SignedIn],
        "read_all": [SignedIn],
    }

    def unread_count(self, request: Request) -> Response:
        """How many notices were not read yet."""
        return self.respond({"unread": self._unread()})

    def read(self, request: Request, **_path: Any) -> Response:
        """Note that this notice was read."""
        return self.respond(services.mark_read(message_id=self.get_object().pk))

    def read_all(self, request: Request) -> Response:
        """Note that all notices were read."""
        services.mark_all_read(recipient_id=self.caller.pk)
        return self.respond({"unread": self._unread()})

    def _unread(self) -> int:
        own: Any = self.get_queryset()
        return int(own.unread().count())
