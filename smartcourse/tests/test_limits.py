"""That every address has the limit that it should, and that nobody can switch limits off where they count."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from rest_framework.serializers import FileField

from smartcourse.api.permissions import Anybody
from smartcourse.api.viewsets import ContextViewSet
from smartcourse.tests.test_consistency import actions, patterns
from smartcourse.tests.test_settings import production

# A body with one of these is a try at a secret.
SECRETS = {"password", "current_password", "refresh_token", "token", "code", "mfa_token"}
# Looked at by machines that must not be turned away.
UNLIMITED = {"api/v1/health", "api/v1/ready", "metrics"}


def scope_for(path: str, view: type[ContextViewSet], action: str) -> str:
    """Return the scope that PRODUCT wants for an action, from what it takes and who may call it."""
    shape = view.inputs.get(action)
    fields = shape().fields if shape else {}
    if any(isinstance(field, FileField) for field in fields.values()):
        return "uploads"
    if path.startswith("api/v1/auth/"):
        open_to_all = Anybody in view.permissions.get(action, [])
        return "auth" if open_to_all or SECRETS & set(fields) else "default"
    if "certificates/verify/" in path:
        return "verify"
    return "default"


def limits_of(path: str, view: type[ContextViewSet], action: str) -> str:
    return view.throttle_scopes.get(action, "default")


class TestEveryAddress:
    def test_has_the_limit_that_fits_what_it_takes(self) -> None:
        wrong = {
            f"{path} {action}": (limits_of(path, view, action), wanted)
            for path, view, action in actions()
            if (wanted := scope_for(path, view, action)) != "default"
            and limits_of(path, view, action) != wanted
        }
        assert wrong == {}

    def test_by_which_work_is_handed_in_is_limited_as_such(self) -> None:
        assert {
            f"{path} {action}" for path, view, action in actions() if limits_of(path, view, action) == "assignments"
        } >= {
            "api/v1/assignments/<uuid:pk>/submissions create", "api/v1/assignments/<uuid:pk>/submissions list",
            "api/v1/quizzes/<uuid:pk>/submit submit",
        }  # fmt: skip

    def test_of_an_upload_credential_or_code_was_found(self) -> None:
        found = {scope_for(path, view, action) for path, view, action in actions()}
        assert found == {"default", "auth", "uploads", "verify"}

    def test_names_a_limit_that_there_is(self) -> None:
        named = {limits_of(path, view, action) for path, view, action in actions()}
        assert named == set(settings.RATE_LIMITS)

    def test_outside_of_the_api_is_limited_too(self) -> None:
        free = {
            path
            for path, entry in patterns()
            if not path.startswith(("api/v1/", "admin/")) and not hasattr(entry.callback, "throttle_scope")
        }
        assert free <= UNLIMITED

    def test_of_the_api_is_limited_but_for_the_machines(self) -> None:
        free = {
            path
            for path, entry in patterns()
            if path.startswith("api/v1/") and not getattr(getattr(entry.callback, "cls", None), "throttle_classes", ())
        }  # fmt: skip
        assert free <= UNLIMITED

    def test_has_the_numbers_of_the_product(self) -> None:
        limits = dict(settings.RATE_LIMITS)
        requests, seconds = limits.pop("verify")
        assert limits == {
            "default": (100, 60),
            "auth": (60, 60),
            "assignments": (60, 60),
            "uploads": (100, 3600),
        }
        assert requests / seconds < 60 / 60, "tighter on certificate verification"


def development(**changes: str) -> Any:
    names = {"DJANGO_SETTINGS_MODULE": "smartcourse.settings.development", **changes}
    asked = "import json; from django.conf import settings; print(json.dumps(settings.RATE_LIMITS_ENABLED))"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": secrets.token_hex(48), **names},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


class TestSwitch:
    def test_is_honoured_in_development(self, tmp_path: Any) -> None:
        here = {"SMARTCOURSE_DATA": str(tmp_path)}
        assert development(**here, RATE_LIMITS_ENABLED="false") is False
        assert development(**here) is True

    @pytest.mark.parametrize("environment", ["production", "staging"])
    def test_is_refused_elsewhere(self, environment: str) -> None:
        module = f"smartcourse.settings.{environment}"
        assert production(DJANGO_SETTINGS_MODULE=module, RATE_LIMITS_ENABLED="true").returncode == 0
        refused = production(DJANGO_SETTINGS_MODULE=module, RATE_LIMITS_ENABLED="false")
        assert refused.returncode != 0
        assert "RATE_LIMITS_ENABLED" in refused.stderr.splitlines()[-1]
