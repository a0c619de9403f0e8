from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        # Importing the receivers connects them.
        import analytics.receivers  # noqa: F401
