from django.apps import AppConfig


class EnrollmentsConfig(AppConfig):
    name = "enrollments"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import enrollments.receivers  # noqa: F401
