"""The front door: what this is, and what can be learned here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from courses.models import Course

NEWEST = 12


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the newest published courses to everybody."""
    courses = Course.objects.published().with_card().order_by("-published_at", "-pk")[:NEWEST]
    return render(request, "pages/home.html", {"courses": courses})
