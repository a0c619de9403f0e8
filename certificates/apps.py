from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "certificates"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import certificates.receivers  # noqa: F401
