"""The architecture, as far as import-linter cannot see it: sizes, foreign keys, and everything that goes by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from smartcourse.api.viewsets import ContextViewSet
from smartcourse.db.identifiers import uuid7
from smartcourse.events.facts import all_facts
from smartcourse.events.subscriptions import EVERY_FACT, all_subscriptions
from smartcourse.workflows.definitions import all_processes
from smartcourse.workflows.models import Run

ROOT: Path = settings.BASE_DIR
CONTEXTS = ("accounts", "courses", "enrollments", "progress", "certificates", "notifications", "analytics")
# From the bottom up; what Django and its friends bring along is below everything.
ORDER = ("queues", "events", "workflows", *CONTEXTS, "webhooks")
MODULE_LINES = 400
FUNCTION_LINES = 40

# POSTs that take no Idempotency-Key; each says why in its view (`keyless`).
WITHOUT_KEY = {
    "AuthViewSet.log_in", "PasswordGrantViewSet.grant", "AuthViewSet.refresh", "AuthViewSet.verify_email",
    "AuthViewSet.log_out", "AuthViewSet.log_out_everywhere", "AuthViewSet.change_password", "ApiKeyViewSet.create",
    "RecoveryViewSet.request_reset", "RecoveryViewSet.confirm_reset", "RecoveryViewSet.resend_verification",
    "EmailChangeViewSet.request_change", "EmailChangeViewSet.confirm_change", "ErasureViewSet.create",
    "SecondStepViewSet.verify",
    "SecondStepViewSet.mail_code", "SecondFactorViewSet.begin_app", "SecondFactorViewSet.confirm_app",
    "SecondFactorViewSet.switch_mail_on", "SecondFactorViewSet.remove", "SecondFactorViewSet.renew_recovery_codes",
}  # fmt: skip
# These make something, and look at no credential that exists.
CREDENTIALS_MADE = {"AuthViewSet.register"}

# Facts that nobody listens to yet, and why they are published all the same; or, where the feature that will publish
# them is to come, declared.
HEARD_BY_NOBODY_YET = {
    "user.verified": "for webhooks and analytics",
    "user.role_changed": "for analytics",
    "user.email_changed": "for webhooks",
    "user.instructor_applied": "for webhooks; staff find it in the back office",
    "user.erased": "for webhooks and other systems, which are to forget the person too",
    "course.created": "for webhooks",
    "course.updated": "for webhooks and caches",
    "enrollment.created": "for webhooks",
    "enrollment.waitlisted": "declared for the waiting list, which will publish it; for webhooks",
    "payment.refunded": "declared for refunds, which will publish it; for webhooks",
    "progress.updated": "for webhooks and live updates",
    "grade.posted": "declared for the gradebook, which will publish it; for webhooks",
    "report.completed": "declared for reports, which will publish it; for analytics and webhooks",
    "notification.sent": "for analytics",
    "notification.failed": "for analytics and alerts",
}


def source_files() -> list[Path]:
    packages = ("smartcourse", *CONTEXTS)
    made = {"migrations", "generated"}  # by Django, and by `make clients`
    return sorted(p for name in packages for p in (ROOT / name).rglob("*.py") if not made & set(p.parts))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


class TestSizes:
    def test_no_module_is_longer_than_it_can_be_read(self) -> None:
        lengths = {p.relative_to(ROOT): len(p.read_text().splitlines()) for p in source_files()}
        assert {p: n for p, n in lengths.items() if n > MODULE_LINES} == {}

    def test_no_function_is_longer_than_it_can_be_read(self) -> None:
        long = [
            f"{path.relative_to(ROOT)}:{f.lineno} {f.name}"
            for path in source_files()
            for f in functions(ast.parse(path.read_text()))
            if (f.end_lineno or f.lineno) - f.lineno + 1 > FUNCTION_LINES
        ]
        assert long == []


class TestForeignKeys:
    def test_point_down(self) -> None:
        up = [
            f"{field} -> {field.related_model}"
            for model in apps.get_models()
            if model._meta.app_label in ORDER
            for field in model._meta.get_fields()
            if field.concrete and field.is_relation and field.related_model is not None
            and points_up(model._meta.app_label, field)
        ]  # fmt: skip
        assert up == []


def points_up(app: str, field: Any) -> bool:
    target = field.related_model._meta.app_label
    # What lies below accounts names a person by settings.AUTH_USER_MODEL, and by nothing else.
    if target not in ORDER or field.related_model._meta.label == settings.AUTH_USER_MODEL:
        return False
    return ORDER.index(target) > ORDER.index(app)


class TestFacts:
    def test_have_a_listener_or_a_note(self) -> None:
        heard = {s.fact_type for s in all_subscriptions()}
        assert set(all_facts()) - heard == set(HEARD_BY_NOBODY_YET)

    def test_are_what_subscriptions_name(self) -> None:
        assert {s.fact_type for s in all_subscriptions()} <= {*all_facts(), EVERY_FACT}

    def test_are_kept_on_queues_that_exist(self) -> None:
        queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}
        assert {s.queue for s in all_subscriptions()} <= queues

    def test_know_their_aggregate(self) -> None:
        without = [f.type for f in all_facts().values() if f"{f.aggregate}_id" not in f.__dataclass_fields__]
        assert without == []

    def test_hold_no_secret(self) -> None:
        suspicious = ("password", "token", "secret", "code", "email")
        told = {(f.type, name) for f in all_facts().values() for name in f.__dataclass_fields__}
        # The code of an error is not a secret.
        assert {field for field in told if any(word in field[1] for word in suspicious)} == {
            ("workflow.failed", "error_code")
        }


def calls(name: str) -> Iterator[tuple[str, str]]:
    """Yield (file, first argument) of every call of a function of that name with a text as first argument."""
    for path in source_files():
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) == name and node.args:
                argument = node.args[0]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield str(path.relative_to(ROOT)), argument.value


def called(node: ast.Call) -> str:
    function = node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


class TestNames:
    def test_tasks_that_are_enqueued_exist(self) -> None:
        current_app.loader.import_default_modules()
        enqueued = {name for _, name in calls("enqueue")}
        assert enqueued
        assert enqueued <= set(current_app.tasks)

    def test_processes_that_are_started_exist(self) -> None:
        started = {name for _, name in calls("start")}
        assert started == {process.name for process in all_processes()}

    def test_scheduled_tasks_exist(self) -> None:
        current_app.loader.import_default_modules()
        assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(current_app.tasks)

    def test_every_task_has_a_time_limit(self) -> None:
        current_app.loader.import_default_modules()
        own = {name: task for name, task in current_app.tasks.items() if not name.startswith("celery.")}
        assert own
        assert [name for name, task in own.items() if not task.time_limit] == []


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry


def actions() -> list[tuple[str, type[ContextViewSet], str]]:
    """Return (path, viewset, action) of everything under /api/v1 that is a ContextViewSet's."""
    return [
        (path, view, action)
        for path, entry in patterns()
        if isinstance(view := getattr(entry.callback, "cls", None), type) and issubclass(view, ContextViewSet)
        for action in entry.callback.actions.values()  # type: ignore[union-attr]  # as_view() of a viewset sets it
    ]


def posts() -> set[tuple[type[ContextViewSet], str]]:
    """Return (viewset, action) of everything that is reached by POST."""
    callbacks: list[Any] = [entry.callback for _, entry in patterns() if is_context(entry)]
    return {(c.cls, c.actions["post"]) for c in callbacks if "post" in c.actions}


def is_context(entry: URLPattern) -> bool:
    view = getattr(entry.callback, "cls", None)
    return isinstance(view, type) and issubclass(view, ContextViewSet)


class TestProcesses:
    def test_lead_staff_to_what_they_are_about(self, staff: Any, client: Any) -> None:
        client.force_login(staff)
        for process in all_processes():
            model = apps.get_model(process.about)
            run = Run.objects.create(process=process.name, subject_id=uuid7(), key=process.name)
            page = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_change", args=[run.subject_id])
            shown = client.get(reverse("admin:workflows_run_changelist")).content.decode()
            assert f'<a href="{page}">{model._meta.verbose_name}</a>' in shown


class TestEndpoints:
    def test_there_are_some(self) -> None:
        assert len(actions()) > 40

    @pytest.mark.parametrize("declared", ["permissions"])
    def test_every_action_declares_who_may_call_it(self, declared: str) -> None:
        assert [f"{v.__name__}.{a}" for _, v, a in actions() if a not in getattr(v, declared)] == []

    def test_every_post_takes_an_idempotency_key_or_says_why_not(self) -> None:
        reasons = {f"{v.__name__}.{a}": v.keyless[a] for v, a in posts() if a in v.keyless}
        assert set(reasons) == WITHOUT_KEY
        assert [name for name, reason in reasons.items() if len(reason.split()) < 4] == []

    def test_no_credential_is_looked_at_under_a_key(self) -> None:
        # The transaction of a key would take back what is counted when a refusal is raised: a way round any lockout.
        credentials = {(v, a) for v, a in posts() if v.throttle_scopes.get(a) == "auth"}
        assert {f"{v.__name__}.{a}" for v, a in credentials if a not in v.keyless} <= CREDENTIALS_MADE

    def test_only_contexts_take_posts(self) -> None:
        others = [path for path, entry in patterns() if path.startswith("api/") and not is_context(entry)]
        assert {path.rpartition("/")[2] for path in others} == {"health", "ready", "schema", "docs"}

    def test_what_honours_if_match_has_a_read_that_gives_the_tag(self) -> None:
        for _, view, action in actions():
            if reading := view.unless_changed.get(action):
                assert reading in view.permissions, f"{view.__name__}.{action}"
                assert "subject_of_change" in vars(view), view.__name__

    def test_no_path_ends_in_a_slash(self) -> None:
        assert [path for path, _ in patterns() if path.startswith("api/") and path.endswith("/")] == []
