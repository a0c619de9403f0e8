"""Addresses of certificates."""

from django.urls import path

from certificates.api.views import CertificateViewSet, EnrollmentCertificateViewSet

urlpatterns = [
    path("certificates", CertificateViewSet.as_view({"get": "list"}), name="certificate-list"),
    path(
        "certificates/<uuid:pk>", CertificateViewSet.as_view({"get": "retrieve"}), name="certificate-detail"
    ),
    path("certificates/keys", CertificateViewSet.as_view({"get": "keys"}), name="certificate-keys"),
    path("certificates/<uuid:pk>/pdf", CertificateViewSet.as_view({"get": "pdf"}), name="certificate-pdf"),
    path(
        "certificates/verify/<str:code>",
        CertificateViewSet.as_view({"get": "verify"}),
        name="certificate-verify",
    ),
    path(
        "enrollments/<uuid:pk>/certificate",
        EnrollmentCertificateViewSet.as_view({"post": "request_certificate"}),
        name="enrollment-certificate",
    ),
]
