"""When an endpoint takes from its caller's bucket: before anything is refused, so that refusals count too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from smartcourse.errors import DomainError


class Limited(APIView):
    """Takes one token a request, whether the caller turns out to be known and allowed or not.

    DRF asks for limits last, after permissions: whoever is refused, or sends tokens that are none, could go on for
    ever.
    """

    action: Any
    throttle_scopes: ClassVar[Mapping[str, str]] = {}

    def get_throttles(self) -> list[Any]:
        self.throttle_scope = self.throttle_scopes.get(self.action or "", "default")
        return super().get_throttles()

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except (APIException, DomainError):
            # The caller is nobody now, and pays as an address; otherwise the limit would ask who it is, and fail again.
            request.user, request.auth = AnonymousUser(), None
            super().check_throttles(request)
            raise
        super().check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        """Take nothing: it was taken when the caller was known."""
