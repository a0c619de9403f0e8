"""What the endpoints have in common that somebody without a session calls."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.generics import GenericAPIView

from smartcourse.api.permissions import Anybody

# A replay would hand out what is to be had once, and the transaction of a key would take back what is counted when a
# refusal is raised.
CREDENTIALS = (
    "it looks at credentials: its answer is not kept, and what it counts stands also when it refuses"
)


class OpenToOldTokens(GenericAPIView[Any]):
    """Does not look at tokens where no account is needed: whoever logs in anew may well send an expired one along."""

    permissions: ClassVar[Any]

    def get_authenticators(self) -> list[Any]:
        handlers = getattr(self, "action_map", None) or {}
        action = handlers.get(self.request.method.lower()) if self.request and self.request.method else None
        return [] if Anybody in self.permissions.get(action or "", []) else super().get_authenticators()
