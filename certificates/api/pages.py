"""The verification page for people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from certificates.services import CertificateNotFound, find_by_code
from smartcourse.api.throttling import throttled_page


@require_safe
@throttled_page("verify")
def verification_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show what anybody may know of the certificate with that code; 404 with the same calm where there is none."""
    try:
        certificate = find_by_code(code=code)
    except CertificateNotFound:
        return render(request, "certificates/not_found.html", {"code": code[:64]}, status=404)
    return render(request, "certificates/verification.html", {"certificate": certificate})


urlpatterns = [path("<str:code>", verification_page, name="verification-page")]
