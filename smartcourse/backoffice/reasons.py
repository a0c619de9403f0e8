"""Actions that want a reason: the first click asks for it, the second does the deed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


class ReasonForm(forms.Form):
    """One sentence, which is kept with what is done."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3, "cols": 80}))


def reason_for(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    action: str,
    question: str,
) -> str | HttpResponse:
    """Return the reason that was given, or the page that asks for it."""
    form = ReasonForm(request.POST if "reason" in request.POST else None)
    if form.is_valid():
        reason: str = form.cleaned_data["reason"]
        return reason
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question,
        "opts": model_admin.opts,
        "rows": queryset,
        "form": form,
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
        "from_object": request.POST.get("_from_object", ""),
    }
    return TemplateResponse(request, "admin/reason.html", context)
