"""Dead letters and the schedule in the back office, for staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django_celery_beat.admin import (
    ClockedScheduleAdmin,
    CrontabScheduleAdmin,
    IntervalScheduleAdmin,
    PeriodicTaskAdmin,
    SolarScheduleAdmin,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from smartcourse.backoffice.admin import ReadOnlyAdmin
from smartcourse.queues.dead_letters import discard_letters, redrive_letters
from smartcourse.queues.models import DeadLetter


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """What will not run again by itself, and why; it is sent again or left undone, by somebody."""

    list_display = ("task", "cause", "queue", "died_at", "status", "settled_by", "settled_at")
    list_filter = ("status", "queue", "task", "died_at")
    search_fields = ("=task_id", "=request_id", "task", "cause")
    list_select_related = ("settled_by",)
    ordering = ("-died_at",)
    actions = ("redrive_selected", "discard_selected")
    fieldsets = (
        (None, {"fields": ("task", "cause", "died_at", "queue", "arguments")}),
        ("What became of it", {"fields": ("status", "settled_by", "settled_at")}),
        ("For the one who mends it", {"fields": ("details", "task_id", "request_id")}),
    )

    @admin.action(description="Redrive the selected dead letters")
    def redrive_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = queryset.open().count()  # type: ignore[attr-defined]  # the model's own QuerySet
        sent = redrive_letters(queryset, by=request.user)  # type: ignore[arg-type]  # as above
        self.message_user(request, f"{sent} dead letter{pluralize(sent)} sent again.", messages.SUCCESS)
        if sent < count:
            self.message_user(
                request,
                f"{count - sent} not sent, and still here: the broker does not answer.",
                messages.WARNING,
            )

    @admin.action(description="Discard the selected dead letters")
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = discard_letters(queryset, by=request.user)  # type: ignore[arg-type]  # the model's own QuerySet
        self.message_user(request, f"{count} dead letter{pluralize(count)} left undone.", messages.SUCCESS)


class ForStaff:
    """Rights by role in place of Django's permissions, which nobody here has."""

    # Their form of a job has an inline script, for which the Content-Security-Policy would have to be opened; without
    # it, the crontab in words stands in a row of its own.
    change_form_template = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_staff(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_staff(request)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return _is_staff(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_staff(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_staff(request)


def _is_staff(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.is_active and user.is_staff)


for model, theirs in (
    (PeriodicTask, PeriodicTaskAdmin),
    (IntervalSchedule, IntervalScheduleAdmin),
    (CrontabSchedule, CrontabScheduleAdmin),
    (ClockedSchedule, ClockedScheduleAdmin),
    (SolarSchedule, SolarScheduleAdmin),
):
    admin.site.unregister(model)
    admin.site.register(model, type(theirs.__name__, (ForStaff, theirs), {"__module__": __name__}))
